"""From settings to what viewers see: the scene, made whole, with its pictures drawn before a frame needs them."""

import logging
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import fields, replace
from typing import TypeVar

from vcam.frame import VideoFormat
from vcam.scene.layers import build_layers, films_of
from vcam.scene.looked import BackdropLook, with_look
from vcam.scene.moving import MovingBackdrop
from vcam.scene.spec import build_scene, parse_color
from vcam.scene_settings import SCENE_KEYS, SceneSettings
from vcam.stages import Framing, Layer, MatteControls, PersonLook, RoomLook, Scene

_log = logging.getLogger(__name__)

_Values = TypeVar("_Values", Framing, MatteControls, PersonLook, RoomLook)

_LOOK_KEYS = {key for key in SCENE_KEYS if key.startswith("background_")} | {"color"}
"""Those whose change asks for another look of the same backdrop, which reads no file again."""


def make_scene(settings: SceneSettings) -> Scene:
    """The scene for these settings. Raises ConfigError, MediaError."""
    scene = _behind(settings)
    with ExitStack() as stack:
        stack.callback(scene.close)
        scene = _with_layers(scene, build_layers(settings.layers))
        stack.pop_all()
    return _dressed(scene, settings)


def next_scene(now: Scene, settings: SceneSettings, changed: Collection[str], targets: Sequence[VideoFormat]) -> Scene:
    """The scene after a change of these keys, drawn for each target, so that the frame thread finds it ready.

    Raises ConfigError, MediaError.
    """
    behind = _behind(settings) if _asks_for_another(settings, changed) else now
    with ExitStack() as stack:
        stack.callback(behind.close, following=now)
        layers = build_layers(settings.layers) if "layers" in changed else now.layers
        scene = _dressed(_with_layers(behind, layers), settings)
        stack.callback(scene.close, following=now)
        if behind is now and _LOOK_KEYS.isdisjoint(changed):
            scene = replace(scene, backdrop=now.backdrop)
        for target in map(_packed, targets):
            if scene.backdrop is not now.backdrop:
                scene.backdrop.render(target, pts_ns=0)
            for layer in layers if layers is not now.layers else ():
                layer.render(target, pts_ns=0)
        stack.pop_all()
    return scene


def _packed(target: VideoFormat) -> VideoFormat:
    return target.resized(target.size)


def _asks_for_another(settings: SceneSettings, changed: Collection[str]) -> bool:
    """Whether what is behind the person is another picture, film or room, and not only looks otherwise."""
    return "background" in changed or ("color" in changed and settings.background.strip() == "color")


def patient(scene: Scene) -> Scene:
    """The same, for where every frame counts and no time does: a film behind the person is waited for."""
    for film in scene.films:
        if isinstance(film, MovingBackdrop):
            film.patient = True
    return scene


def _behind(settings: SceneSettings) -> Scene:
    """With nothing but what is behind the person."""
    scene = build_scene(settings.background, parse_color(settings.color))
    if scene.show_room:
        _log.warning("scene.room_is_shown", extra={"hint": "background `none` passes the camera through, unmatted"})
    return scene


def _with_layers(scene: Scene, layers: tuple[Layer, ...]) -> Scene:
    """The same scene with other layers, and those of them that move among its films."""
    replaced = {id(layer) for layer in scene.layers}
    films = (film for film in scene.films if id(film) not in replaced)
    return replace(scene, layers=layers, films=(*films, *films_of(layers)))


def _dressed(scene: Scene, settings: SceneSettings) -> Scene:
    """The same backdrop and layers, with everything else as the settings say."""
    room = replace(_of(RoomLook, settings, "background_"), color=parse_color(settings.color))
    look = BackdropLook(room, settings.background_colormap, settings.background_hologram)
    made_of_the_room = scene.blur > 0.0 or scene.show_room
    return replace(
        scene,
        backdrop=scene.backdrop if made_of_the_room else with_look(scene.backdrop, look),
        room=room,
        matte=_of(MatteControls, settings),
        person=_of(PersonLook, settings, "person_"),
        framing=replace(_of(Framing, settings), auto=settings.auto_frame),
    )


def _of(values: type[_Values], settings: SceneSettings, prefix: str = "") -> _Values:
    """The settings that bear the names of its fields, after a prefix or plainly; a field without one keeps its
    default."""
    keys = {name: key for name in _names(values) for key in (name, prefix + name) if key in SCENE_KEYS}
    return values(**{name: getattr(settings, key) for name, key in keys.items()})


def _names(values: type[_Values]) -> list[str]:
    return [field.name for field in fields(values)]

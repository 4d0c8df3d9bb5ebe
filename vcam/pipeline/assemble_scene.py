"""From settings to what viewers see: the scene, made whole, with its pictures drawn before a frame needs them."""

import logging
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace

from vcam.frame import VideoFormat
from vcam.scene.layers import build_layers
from vcam.scene.spec import build_scene, parse_color
from vcam.scene_settings import SceneSettings
from vcam.stages import Framing, Layer, MatteControls, Scene

_log = logging.getLogger(__name__)

_BACKDROP_KEYS = {"background", "color"}
"""Those whose change asks for another backdrop; the others keep the one there is, and read no file again."""


def make_scene(settings: SceneSettings) -> Scene:
    """The scene for these settings. Raises ConfigError, MediaError."""
    layers = build_layers(settings.layers)
    return _dressed(replace(_behind(settings), layers=layers), settings)


def next_scene(now: Scene, settings: SceneSettings, changed: Collection[str], targets: Sequence[VideoFormat]) -> Scene:
    """The scene after a change of these keys, drawn for each target, so that the frame thread finds it ready.

    Raises ConfigError, MediaError.
    """
    layers = _drawn(build_layers(settings.layers), targets) if "layers" in changed else now.layers
    if _BACKDROP_KEYS.isdisjoint(changed):
        return _dressed(replace(now, layers=layers), settings)
    scene = _dressed(replace(_behind(settings), layers=layers), settings)
    with ExitStack() as stack:
        stack.callback(scene.close)
        for target in targets:
            scene.backdrop.render(target.resized(target.size), pts_ns=0)
        stack.pop_all()
    return scene


def _behind(settings: SceneSettings) -> Scene:
    """With nothing but what is behind the person."""
    scene = build_scene(settings.background, parse_color(settings.color))
    if scene.show_room:
        _log.warning("scene.room_is_shown", extra={"hint": "background `none` passes the camera through, unmatted"})
    return scene


def _drawn(layers: tuple[Layer, ...], targets: Sequence[VideoFormat]) -> tuple[Layer, ...]:
    for layer in layers:
        for target in targets:
            layer.render(target.resized(target.size), pts_ns=0)
    return layers


def _dressed(scene: Scene, settings: SceneSettings) -> Scene:
    """The same backdrop and layers, with everything else as the settings say."""
    return replace(
        scene,
        matte=MatteControls(settings.smoothing, settings.despill, settings.refine),
        framing=Framing(auto=settings.auto_frame),
    )

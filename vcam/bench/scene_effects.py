"""Every effect that a scene can have, one at a time: to be measured, shown, and changed in turns by tests.

Settings of one value are found in SceneSettings by themselves: one that is new there is here, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from vcam.bench.scene_props import Props
from vcam.scene_settings import SceneSettings

_BY_HAND = {"background", "color", "layers"}

_TELLING: Mapping[str, object] = MappingProxyType(
    {
        "person_opacity": 0.5,
        "person_brightness": 1.3,
        "person_contrast": 1.5,
        "person_gamma": 2.0,
        "person_saturation": 0.0,
        "person_temperature": 0.7,
        "person_colormap": "thermal",
        "person_blur": 60.0,
        "background_brightness": 0.5,
        "background_contrast": 1.6,
        "background_saturation": 0.0,
        "background_tint": 0.5,
        "background_colormap": "night",
        "threshold": 0.8,
        "softness": 0.0,
        "grow": -0.6,
        "zoom": 1.6,
        "pan_x": 0.6,
        "pan_y": 0.6,
    }
)
"""What shows best what a setting does; others are at the end of their range that is farther from their default."""

_NEEDS: Mapping[str, Mapping[str, object]] = MappingProxyType(
    {"pan_x": {"zoom": 1.6}, "pan_y": {"zoom": 1.6}, "background_tint": {"color": "170,40,110"}}
)


@dataclass(frozen=True, slots=True)
class Effect:
    """name: as the user would write it. settings: the plain scene but for it."""

    name: str
    settings: SceneSettings


def plain(props: Props) -> Effect:
    """What all others are compared with: a picture behind the person, and nothing else."""
    return Effect("plain", SceneSettings(background=f"image:{props.picture}"))


def effects(props: Props) -> list[Effect]:
    """All of them, backgrounds first, the plain scene not among them."""
    made = [
        *(_behind(name, spec) for name, spec in _backgrounds(props).items()),
        Effect("blur:50, tinted", SceneSettings(background="blur:50", color="20,60,140", background_tint=0.5)),
        *(_before(props, name, layers) for name, layers in _layers(props).items()),
    ]
    for key, field in SceneSettings.model_fields.items():
        if key not in _BY_HAND:
            value = _TELLING.get(key, _extreme(field))
            values = {**_NEEDS.get(key, {}), key: value}
            name = f"{key} {value:g}" if isinstance(value, float) else key if value is True else f"{key} {value}"
            made.append(Effect(name, SceneSettings.model_validate({**plain(props).settings.model_dump(), **values})))
    return made


def everything(props: Props) -> SceneSettings:
    """What is heavy at once: a film, a podium, a moving badge and a name before a person who is a hologram."""
    layers = _layers(props)["podium, name, badge"]
    return SceneSettings(background=f"video:{props.film}", layers=layers, person_hologram=1.0)


def _behind(name: str, spec: str) -> Effect:
    return Effect(name, SceneSettings(background=spec))


def _before(props: Props, name: str, layers: tuple[str, ...]) -> Effect:
    return Effect(name, SceneSettings(background=f"image:{props.picture}", layers=layers))


def _backgrounds(props: Props) -> dict[str, str]:
    return {
        "green": "green",
        "blur:50": "blur:50",
        "blur:100": "blur:100",
        "video": f"video:{props.film}",
        "animation,fit=contain": f"video:{props.animation},fit=contain",
        "animation,fit=tile": f"video:{props.animation},fit=tile",
        "slides": f"slides:{props.slides},every=1,fade=0.5",
    }


def _layers(props: Props) -> dict[str, tuple[str, ...]]:
    podium, name = f"image:{props.podium}", "text:Ada Lovelace,Analyst,x=0.05,y=0.1,anchor=top-left"
    badge = f"image:{props.badge},x=0.96,y=0.06,width=0.1,anchor=top-right"
    film = f"video:{props.film},x=0.96,y=0.94,width=0.3,anchor=bottom-right"
    return {
        "podium": (podium,),
        "name plate": (name,),
        "badge": (badge,),
        "video before": (film,),
        "podium, name, badge": (podium, name, badge),
    }


def _extreme(field: FieldInfo) -> object:
    """The end of the range that is farther from the default; of words the last; of a switch, on."""
    default = field.default
    if isinstance(default, bool):
        return not default
    if isinstance(default, StrEnum):
        return [*type(default)][-1]
    low = next(limit.ge for limit in field.metadata if isinstance(limit, Ge))
    high = next(limit.le for limit in field.metadata if isinstance(limit, Le))
    return max((low, high), key=lambda end: abs(end - default))

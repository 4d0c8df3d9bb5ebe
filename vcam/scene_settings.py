"""The settings of a scene, once: vcam.toml, options, the API, profiles and the page all take them from here.

Each default changes nothing. Descriptions and limits are what the API's description and the page's sliders show.
"""

import re
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Share: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0)]
_Text = Annotated[str, Field(min_length=1)]

MOST_LAYERS = 12


def _listed(value: object) -> object:
    """One layer may be written as a text, as in a variable; several with commas, where a next layer begins."""
    if not isinstance(value, str):
        return value
    return re.split(r",\s*(?=image:|text:)", value) if value else []


class SceneSettings(BaseModel):
    """What viewers see behind the person, of the person, and before them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    background: Annotated[_Text, Field(description="What is seen behind the person.")] = "blur"
    color: Annotated[_Text, Field(description="What background `color` shows.")] = "0,255,0"
    smoothing: Annotated[Share, Field(description="Hold soft edges still over time.")] = 0.0
    despill: Annotated[Share, Field(description="Take the room's colour out of soft edges.")] = 0.0
    refine: Annotated[Share, Field(description="Find soft edges anew in the full picture.")] = 0.0
    auto_frame: Annotated[bool, Field(description="Zoom and pan follow the person, up to twice as large.")] = False
    layers: Annotated[
        tuple[_Text, ...],
        BeforeValidator(_listed),
        Field(max_length=MOST_LAYERS, description="Pictures and name plates before the person, the last one on top."),
    ] = ()


SCENE_KEYS = tuple(SceneSettings.model_fields)

Values: TypeAlias = dict[str, object]


def scene_values(settings: SceneSettings) -> Values:
    """The settings of the scene, by key."""
    return {key: getattr(settings, key) for key in SCENE_KEYS}


def given_values(settings: SceneSettings) -> Values:
    """Those of them that were set, by key."""
    return {key: value for key, value in scene_values(settings).items() if key in settings.model_fields_set}


def unusual_values(settings: SceneSettings) -> Values:
    """Those of them that are not their defaults, by key."""
    usual = scene_values(SceneSettings())
    return {key: value for key, value in scene_values(settings).items() if value != usual[key]}

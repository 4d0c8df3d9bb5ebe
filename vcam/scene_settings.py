"""The settings of a scene, once: vcam.toml, options, the API, profiles and the page all take them from here.

Each default changes nothing. Descriptions and limits are what the API's description and the page's sliders show.
"""

import re
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from vcam.looks import ColorMap

Share: TypeAlias = Annotated[float, Field(ge=0.0, le=1.0)]
Percent: TypeAlias = Annotated[float, Field(ge=0.0, le=100.0)]
Factor: TypeAlias = Annotated[float, Field(ge=0.0, le=2.0)]
Signed: TypeAlias = Annotated[float, Field(ge=-1.0, le=1.0)]
_Text = Annotated[str, Field(min_length=1)]

MOST_LAYERS = 12


def _listed(value: object) -> object:
    """One layer may be written as a text, as in a variable; several with commas, where a next layer begins."""
    if not isinstance(value, str):
        return value
    return re.split(r",\s*(?=image:|video:|text:)", value) if value else []


class SceneSettings(BaseModel):
    """What viewers see behind the person, of the person, and before them."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    background: Annotated[_Text, Field(description="What is seen behind the person.")] = "blur"
    color: Annotated[_Text, Field(description="What background `color` shows, and background_tint mixes in.")] = (
        "0,255,0"
    )
    background_brightness: Annotated[Factor, Field(description="Of the background; 1 changes nothing.")] = 1.0
    background_contrast: Annotated[Factor, Field(description="Of the background; 1 changes nothing.")] = 1.0
    background_saturation: Annotated[Factor, Field(description="Of the background; 0 is black and white.")] = 1.0
    background_tint: Annotated[Share, Field(description="How much of `color` is mixed into the background.")] = 0.0
    background_colormap: Annotated[ColorMap, Field(description="Colours for brightness; not of a blurred room.")] = (
        ColorMap.NONE
    )
    background_hologram: Annotated[Share, Field(description="Scan lines and glow; not of a blurred room.")] = 0.0
    smoothing: Annotated[Share, Field(description="Hold soft edges still over time.")] = 0.0
    despill: Annotated[Share, Field(description="Take the room's colour out of soft edges.")] = 0.0
    refine: Annotated[Share, Field(description="Find soft edges anew in the full picture.")] = 0.0
    threshold: Annotated[Share, Field(description="How sure the network must be of the person.")] = 0.5
    softness: Annotated[Share, Field(description="How much of soft edges stays soft.")] = 1.0
    grow: Annotated[Signed, Field(description="A smaller person, or a larger one with a rim of the real room.")] = 0.0
    person_opacity: Annotated[Share, Field(description="Below 1 the background shows through the person.")] = 1.0
    person_brightness: Annotated[Factor, Field(description="Of the person; 1 changes nothing.")] = 1.0
    person_contrast: Annotated[Factor, Field(description="Of the person; 1 changes nothing.")] = 1.0
    person_gamma: Annotated[float, Field(ge=0.2, le=5.0, description="Above 1 brightens the person's midtones.")] = 1.0
    person_saturation: Annotated[Factor, Field(description="Of the person; 0 is black and white.")] = 1.0
    person_temperature: Annotated[Signed, Field(description="Of the person: below 0 colder, above warmer.")] = 0.0
    person_colormap: Annotated[ColorMap, Field(description="Colours that stand for the person's brightness.")] = (
        ColorMap.NONE
    )
    person_blur: Annotated[Percent, Field(description="Makes the person unrecognisable, but for the outline.")] = 0.0
    person_hologram: Annotated[Share, Field(description="The person as a hologram: scan lines, glow, ghosts.")] = 0.0
    light_wrap: Annotated[Share, Field(description="Let the background's light fall on the person's edge.")] = 0.0
    mirror: Annotated[bool, Field(description="Left and right of the camera's picture change places.")] = False
    flip: Annotated[bool, Field(description="Top and bottom of the camera's picture change places.")] = False
    zoom: Annotated[float, Field(ge=1.0, le=4.0, description="Show a smaller part of the camera's picture.")] = 1.0
    pan_x: Annotated[Signed, Field(description="Which part: -1 is at the left, 1 at the right.")] = 0.0
    pan_y: Annotated[Signed, Field(description="Which part: -1 is at the top, 1 at the bottom.")] = 0.0
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

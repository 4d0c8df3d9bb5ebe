"""What a scene is called in requests and answers: the settings of vcam.scene_settings, with what strangers may ask."""

from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from vcam.scene_settings import MOST_LAYERS, SceneSettings, Values, given_values

_LONGEST = 1000
_Background: TypeAlias = Annotated[str, Field(max_length=_LONGEST, json_schema_extra={"format": "vcam-background"})]
_Color: TypeAlias = Annotated[str, Field(max_length=_LONGEST, json_schema_extra={"format": "vcam-color"})]
_Layer: TypeAlias = Annotated[str, Field(max_length=_LONGEST, json_schema_extra={"format": "vcam-layer"})]
"""Texts of the scene's own grammar, which no pattern can say; vcam.control.choices holds them to it."""


def _without_defaults(schema: JsonDict) -> None:
    """What is left out of a change stays as it is: no value stands for it."""
    properties = schema["properties"]
    if isinstance(properties, dict):
        for one in properties.values():
            if isinstance(one, dict):
                one.pop("default", None)


class SceneChange(SceneSettings):
    """What to change of the scene; what is left out stays as it is."""

    model_config = ConfigDict(strict=True, json_schema_extra=_without_defaults)

    background: Annotated[
        _Background,
        Field(
            description="`green`, `color`, `color:R,G,B`, `color:#rrggbb`, `blur`, `blur:1..100`, `image:NAME` or "
            "`video:NAME` of an upload, or what the settings or a profile name, by the last part of its path; with "
            "`,fit=` (cover, contain, stretch, tile) and `,anchor=`. `none`: the room itself.",
            examples=["blur:40"],
        ),
    ] = "blur"
    color: Annotated[_Color, Field(description="What background `color` shows.", examples=["20,60,90"])] = "0,255,0"
    layers: Annotated[
        tuple[_Layer, ...],
        Field(
            max_length=MOST_LAYERS,
            description="Before the person, the last one on top: `text:NAME`, `text:NAME,SECOND LINE`, or `image:NAME` "
            "or `video:NAME` of an upload, or of what is configured; with `,x=`, `,y=`, `,width=`, `,opacity=` (0 to "
            "1), `,anchor=` and, of a picture or video, `,mask=` of another picture.",
            examples=[["text:Ada Lovelace,Analyst"]],
        ),
    ] = ()
    blur: Annotated[
        float, Field(ge=1.0, le=100.0, description="As background `blur:N`, and goes before `background`.")
    ] = 50.0

    def values(self) -> Values:
        """The settings that are asked for, by their keys in Config."""
        asked = given_values(self)
        return {**asked, "background": f"blur:{self.blur:g}"} if "blur" in self.model_fields_set else asked


class SceneView(SceneSettings):
    """The scene in effect."""

    blur: Annotated[float | None, Field(description="Strength; null where the room is not blurred.")]
    room_is_shown: Annotated[bool, Field(description="The camera passes through untouched: background `none`.")]
    profile: Annotated[str | None, Field(description="The profile that was applied, if nothing was changed since.")]

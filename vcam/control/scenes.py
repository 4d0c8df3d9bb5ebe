"""What a scene is called in requests and answers: the settings of vcam.scene_settings, with what strangers may ask."""

from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from vcam.scene_settings import MOST_LAYERS, SceneSettings, Values, given_values

_LEVEL = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_COLOR = rf"(#[0-9a-fA-F]{{6}}|{_LEVEL},{_LEVEL},{_LEVEL})"
_STRENGTH = r"(100|[1-9][0-9]?(\.[0-9]{1,3})?)"
_STEM = r"[a-z0-9][a-z0-9-]{0,59}"
MEDIA = rf"{_STEM}\.(jpg|png|webp|mp4)"
"""An uploaded file's name in the media folder: chosen by us, so that it is no path."""
_ANCHOR = r"(,anchor=(center|left|right|(top|bottom)(-(left|right))?))?"
_PLACING = rf"(,fit=(cover|contain|stretch|tile))?{_ANCHOR}"
_BACKGROUND = (
    rf"^(green|none|color(:{_COLOR})?|blur(:{_STRENGTH})?|image:{_STEM}\.(jpg|png){_PLACING}"
    rf"|video:{_STEM}\.(mp4|webp){_PLACING})$"
)
_SHARE = r"(0(\.[0-9]{1,4})?|1(\.0)?)"
_PLACE = rf"(,x={_SHARE})?(,y={_SHARE})?(,width={_SHARE})?(,opacity={_SHARE})?{_ANCHOR}"
_LINE = r"([^\x00-\x1f\x7f-\xa0\xad,=\\]|\\,){1,80}"
"""Without what begins an option: a font is a path, and no stranger's to name."""
_LAYER = rf"^(text:{_LINE}(,{_LINE})?{_PLACE}|image:{_STEM}\.(jpg|png|webp){_PLACE}(,mask={_STEM}\.(jpg|png))?)$"


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
        str,
        Field(
            pattern=_BACKGROUND,
            description="`green`, `color`, `color:R,G,B`, `color:#rrggbb`, `blur`, `blur:1..100`, `image:NAME` or "
            "`video:NAME` of an upload, `image:NAME,fit=contain,anchor=top`, or `none`: the room itself.",
            examples=["blur:40"],
        ),
    ] = "blur"
    color: Annotated[
        str, Field(pattern=rf"^{_COLOR}$", description="What background `color` shows.", examples=["20,60,90"])
    ] = "0,255,0"
    layers: Annotated[
        tuple[Annotated[str, Field(pattern=_LAYER)], ...],
        Field(
            max_length=MOST_LAYERS,
            description="Before the person, the last one on top: `text:NAME`, `text:NAME,SECOND LINE`, or `image:NAME` "
            "of an upload; with `,x=`, `,y=`, `,width=`, `,opacity=` (0 to 1), `,anchor=` and, of an image, `,mask=` "
            "of another, in this order.",
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

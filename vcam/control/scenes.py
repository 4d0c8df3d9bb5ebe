"""What a scene is called in requests, answers and profiles. The limits are those of vcam.config."""

from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from vcam.config import Config

SCENE_KEYS = ("background", "color", "smoothing", "despill", "refine")

_LEVEL = r"(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_COLOR = rf"(#[0-9a-fA-F]{{6}}|{_LEVEL},{_LEVEL},{_LEVEL})"
_STRENGTH = r"(100|[1-9][0-9]?(\.[0-9]{1,3})?)"
PICTURE = r"[a-z0-9][a-z0-9-]{0,59}\.jpg"
"""A background's name in the media folder: chosen by us, so that it is no path."""
_BACKGROUND = (
    rf"^(green|none|color(:{_COLOR})?|blur(:{_STRENGTH})?|image:{PICTURE}(,fit=(cover|contain|stretch|tile))?)$"
)

_Share = Annotated[float, Field(ge=0.0, le=1.0)]


class SceneChange(BaseModel):
    """What to change of the scene; what is left out, or null, stays as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)

    background: Annotated[
        str | None,
        Field(
            pattern=_BACKGROUND,
            description="`green`, `color`, `color:R,G,B`, `color:#rrggbb`, `blur`, `blur:1..100`, `image:NAME` of an "
            "uploaded background, `image:NAME,fit=contain`, or `none`: the room itself.",
            examples=["blur:40"],
        ),
    ] = None
    color: Annotated[
        str | None,
        Field(pattern=rf"^{_COLOR}$", description="What background `color` shows.", examples=["20,60,90"]),
    ] = None
    blur: Annotated[
        float | None,
        Field(ge=1.0, le=100.0, description="As background `blur:N`, and goes before `background`."),
    ] = None
    smoothing: Annotated[_Share | None, Field(description="Hold soft edges still over time.")] = None
    despill: Annotated[_Share | None, Field(description="Take the room's colour out of soft edges.")] = None
    refine: Annotated[_Share | None, Field(description="Find soft edges anew in the full picture.")] = None

    def values(self) -> dict[str, object]:
        """The settings that are asked for, by their keys in Config."""
        given = {key: value for key in SCENE_KEYS if (value := getattr(self, key)) is not None}
        if self.blur is not None:
            given["background"] = f"blur:{self.blur:g}"
        return given


class SceneView(BaseModel):
    """The scene in effect."""

    background: str
    color: str
    blur: Annotated[float | None, Field(description="Strength; null where the room is not blurred.")]
    smoothing: float
    despill: float
    refine: float
    room_is_shown: Annotated[bool, Field(description="The camera passes through untouched: background `none`.")]
    profile: Annotated[str | None, Field(description="The profile that was applied, if nothing was changed since.")]


class SceneSettings(BaseModel):
    """A scene as a file has it. background: any text that vcam.toml takes too."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    background: Annotated[str | None, Field(min_length=1)] = None
    color: Annotated[str | None, Field(min_length=1)] = None
    smoothing: _Share | None = None
    despill: _Share | None = None
    refine: _Share | None = None

    def values(self) -> dict[str, object]:
        """What it sets, by key of Config."""
        return {key: value for key, value in self if value is not None}


Values: TypeAlias = dict[str, object]


def scene_values(config: Config) -> Values:
    """The settings of the scene, by key."""
    return {key: getattr(config, key) for key in SCENE_KEYS}

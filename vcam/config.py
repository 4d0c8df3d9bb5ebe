"""Settings: defaults < file < VCAM_* environment < command line. What each key means stands in vcam.toml.

A Config is frozen; a change makes a new one, and RELOADABLE says what the running pipeline must do about it. A path
that is relative is so to the working directory.
"""

import math
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from vcam.engine_names import EngineName
from vcam.errors import ConfigError
from vcam.frame import Size
from vcam.places import models_folder
from vcam.scene_settings import SCENE_KEYS, SceneSettings
from vcam.setting_layers import FILE_NAME, Layer, of_assignments, of_file, of_options, of_variables, refuse_unknown
from vcam.words import expanded

SEARCH_PATH = (Path(FILE_NAME), Path("/etc/vcam") / FILE_NAME)
"""Where a file of settings is looked for when none is named; the first one found is the only one read."""

_MAY_BE_EMPTY = frozenset({"layers"})
"""Where an empty variable says something: none of them."""

LogLevel: TypeAlias = Literal["debug", "info", "warning", "error"]
LogFormat: TypeAlias = Literal["console", "json"]


class Quality(StrEnum):
    """How large a picture the network sees; see _INTERNAL_SIZES."""

    FAST = "fast"
    BALANCED = "balanced"
    HIGH = "high"
    ULTRA = "ultra"


class WhileBuilding(StrEnum):
    """What viewers see while an NVIDIA engine's plan is built: the person, found on the processor, or the card."""

    CPU = "cpu"
    SAFE = "safe"


class Pace(StrEnum):
    """REALTIME drops what comes too late; EVERY_FRAME waits instead. AUTO: every frame from a file into files."""

    AUTO = "auto"
    REALTIME = "realtime"
    EVERY_FRAME = "every-frame"


class Reload(StrEnum):
    """What a changed key asks for. RESTART_STAGES: camera and engine are opened anew, under the SAFE card."""

    HOT = "hot"
    RESTART_STAGES = "restart-stages"
    RESTART_PROCESS = "restart-process"


_INTERNAL_SIZES = {
    Quality.FAST: Size(256, 144),
    Quality.BALANCED: Size(384, 216),
    Quality.HIGH: Size(512, 288),
    Quality.ULTRA: Size(960, 540),
}
"""At 16:9. Other shapes keep the area, so that the cost stays the same."""

_INTERNAL_STEP_PX, _INTERNAL_MIN_PX = 4, 32


def _listed(value: object) -> object:
    """One SINK may be written as a text, as in a variable; several with commas, where a next SINK begins."""
    return re.split(r",\s*(?=/dev/|file:|null:)", value) if isinstance(value, str) else value


_Even = Annotated[int, Field(ge=32, le=8192, multiple_of=2)]
_Port = Annotated[int, Field(ge=0, le=65535)]
_Folder = Annotated[Path, AfterValidator(expanded)]
_Text = Annotated[str, Field(min_length=1)]


class Config(SceneSettings, BaseSettings):
    """All settings, checked. Made by ``load_config``; a test may also call it with the keys it cares for."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=())

    input: _Text = "/dev/video0"
    output: Annotated[tuple[_Text, ...], BeforeValidator(_listed), Field(min_length=1)] = ("/dev/video10",)
    width: _Even = 1280
    height: _Even = 720
    fps: Annotated[int, Field(ge=1, le=240)] = 30
    engine: EngineName = EngineName.AUTO
    model: _Text | None = None
    models_dir: _Folder = Field(default_factory=models_folder)
    model_download: bool = True
    plan_dir: _Folder | None = None
    while_building: WhileBuilding = WhileBuilding.CPU
    quality: Quality = Quality.BALANCED
    downsample: Annotated[float, Field(ge=0.05, le=1.0)] | None = None
    fp16: bool = True
    threads: Annotated[int, Field(ge=0, le=1024)] = 0
    frames: Annotated[int, Field(ge=1)] | None = None
    pace: Pace = Pace.AUTO
    loop: bool = False
    wait_for_camera: bool = False
    on_demand: bool = False
    idle_after_s: Annotated[float, Field(ge=0.5, le=86400)] = 5.0
    safe_after_ms: Annotated[int, Field(ge=20, le=10000)] = 250
    max_latency_ms: Annotated[int, Field(ge=20, le=60000)] = 1000
    give_up_after_s: Annotated[float, Field(ge=1, le=86400)] = 60.0
    http_host: _Text = "127.0.0.1"
    http_port: _Port = 9435
    control_host: _Text = "127.0.0.1"
    control_port: _Port = 9436
    control_socket: Literal["none"] | _Folder | None = None
    control_token_file: _Folder | None = None
    control_trust_gateway: bool = False
    media_dir: _Folder | None = None
    profiles_dir: _Folder | None = None
    preview_source: bool = False
    remember: bool = True
    log_level: LogLevel = "info"
    log_format: LogFormat = "console"
    benchmark: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what the caller gives: only the command line reads the environment, by load_config."""
        return (init_settings,)

    def internal_size(self, frame: Size) -> Size:
        """What the network sees of a camera's picture: ``downsample`` of it, else the area of ``quality`` in its shape.

        Never larger than the picture itself.
        """
        if self.downsample is not None:  # floored, as the published network does
            return Size(max(1, int(frame.width * self.downsample)), max(1, int(frame.height * self.downsample)))
        wanted = _INTERNAL_SIZES[self.quality]
        area = wanted.width * wanted.height
        scale = min(1.0, math.sqrt(area / (frame.width * frame.height)))
        return Size(_stepped(frame.width * scale), _stepped(frame.height * scale))


RELOADABLE: Mapping[str, Reload] = MappingProxyType(
    {
        **dict.fromkeys(
            (*SCENE_KEYS, "remember", "log_level", "log_format", "benchmark"),
            Reload.HOT,
        ),
        **dict.fromkeys(
            (
                *("input", "engine", "model", "models_dir", "model_download", "plan_dir", "while_building", "quality"),
                *("downsample", "fp16", "threads", "frames", "pace", "loop", "wait_for_camera", "on_demand"),
                *("idle_after_s", "safe_after_ms", "max_latency_ms", "give_up_after_s", "preview_source"),
            ),
            Reload.RESTART_STAGES,
        ),
        # An output keeps its format for life: applications break when it changes under them.
        **dict.fromkeys(
            (
                *("output", "width", "height", "fps", "http_host", "http_port", "control_host", "control_port"),
                *("control_socket", "control_token_file", "control_trust_gateway", "media_dir", "profiles_dir"),
            ),
            Reload.RESTART_PROCESS,
        ),
    }
)
"""What it takes to put a changed key into effect."""


def changed(old: Config, new: Config) -> dict[str, Reload]:
    """The keys that differ, and what each asks for."""
    return {key: kind for key, kind in RELOADABLE.items() if getattr(old, key) != getattr(new, key)}


def find_config_file(named: Path | None, search: Sequence[Path] = SEARCH_PATH) -> Path | None:
    """The file to read: the one named (it must exist), else the first of ``search``. Raises ConfigError."""
    if named is not None and not named.is_file():
        raise ConfigError(
            f"there is no settings file {named}", hint=f"copy {FILE_NAME} from the repository and edit it"
        )
    return named or next((path for path in search if path.is_file()), None)


_NOTHING: Mapping[str, object] = MappingProxyType({})


def load_config(
    file: Path | None,
    environ: Mapping[str, str] = MappingProxyType({}),
    overrides: Mapping[str, object] = _NOTHING,
    assigned: Mapping[str, object] = _NOTHING,
) -> Config:
    """Settings from a file (None: no file), VCAM_* variables and the command line's options.

    assigned: what --set says, by key as it was typed, with dashes or without. Raises ConfigError: unreadable file,
    unknown key, bad value.
    """
    keys = Config.model_fields.keys()
    layers = [
        of_options(overrides),
        of_assignments(assigned),
        of_variables(environ, keys - _MAY_BE_EMPTY),
        of_file(file),
    ]
    for layer in layers:
        refuse_unknown(layer, keys)
    sources = [InitSettingsSource(Config, dict(layer.values)) for layer in layers]
    sources.append(InitSettingsSource(Config, {"models_dir": models_folder(environ)}))
    try:
        return Config(_build_sources=(tuple(sources), {}))  # type: ignore[call-arg]  # BaseSettings' own; mypy sees keys only
    except ValidationError as error:
        raise _bad_values(error, layers) from None


def _bad_values(error: ValidationError, layers: Sequence[Layer]) -> ConfigError:
    """One sentence per wrong value, with the place it came from."""
    problems: dict[str, str] = {}
    for detail in error.errors(include_url=False, include_context=False):
        key = str(detail["loc"][0])
        layer = next(layer for layer in layers if key in layer.values)
        wanted = re.sub(r"^\w+ should ", "must ", detail["msg"])
        problems.setdefault(layer.names[key], f"{layer.names[key]}: {wanted}, got {layer.values[key]!r}")
    return ConfigError("; ".join(problems.values()), hint=f"change {', '.join(problems)}")


def _stepped(length_px: float) -> int:
    """A side of the internal picture."""
    return max(_INTERNAL_MIN_PX, round(length_px / _INTERNAL_STEP_PX) * _INTERNAL_STEP_PX)

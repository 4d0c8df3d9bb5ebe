"""Options as dataclasses: a field is an option, its name the long one, None what was not typed.

RunOptions has one field for each key of Config, but for those of the scene that --set reaches. The defaults shown are
Config's, held equal by a test: importing Config takes longer than the help itself. Which values are good, Config says.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar, get_args, get_type_hints

from typer import Argument, Option

from vcam.engine_names import EngineName
from vcam.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class Opt:
    """One option. panel: its group in the help. short: its letter, with the dash. default: as the help shows it.

    name: the long one, where it is not the field's.
    """

    panel: str
    text: str
    short: str = ""
    default: str = ""
    metavar: str | None = None
    name: str | None = None


_flow = partial(Opt, "From camera to virtual camera")
_scene = partial(Opt, "Background")
_edge = partial(Opt, "The person's edge, 0 (off) to 1", metavar="X", default="0.0")
_engine = partial(Opt, "Engine: what finds the person")
_time = partial(Opt, "Pace and safety")
_live = partial(Opt, "Live control")
_more = partial(Opt, "Operation")

_SRC = "A camera: /dev/videoN or its path in /dev/v4l/by-id; file:PATH; test:WxH@FPS, a drawn scene."
_SINK = "/dev/videoN, file:PATH or null:. Repeat it for several; ,size=WxH and ,format=NV12 may follow."
_SPEC = "blur\\[:STRENGTH], green, color, image:PATH, video:PATH, slides:FOLDER, or none: the room as it is."
_LAYER = "Before the person: image:PATH, video:PATH, text:NAME or text:NAME,SECOND LINE. Repeat it for several."
_ENGINES = f"{', '.join(EngineName)}. auto takes the best that runs here."
_SIZES = "fast, balanced, high or ultra: the network sees 256x144, 384x216, 512x288, 960x540 (at 16:9)."
_RATIO = "Instead of -q: that part of the camera's width and height, 0.05 to 1."
_BUILDING = "cpu or safe: until a plan is built, run on the processor, or show the card."
_MODEL = "A network: a name from `vcam model status`, or an ONNX file."
_SAFE = "Without a picture of the person for so long, the card appears."
_GIVE_UP = "End when no output has taken a picture for so long."
_SET = "Any setting of vcam.toml, as in --set person_brightness=1.2; repeat it for several."
_TOKEN = "Holds what other computers must send to be let in."
_FILE = "Settings; without it ./vcam.toml, else /etc/vcam/vcam.toml."

EngineOpt: TypeAlias = Annotated[str | None, _engine(_ENGINES, "-e", "auto", "NAME")]
QualityOpt: TypeAlias = Annotated[str | None, _engine(_SIZES, "-q", "balanced", "NAME")]
DownsampleOpt: TypeAlias = Annotated[float | None, _engine(_RATIO, "-d", metavar="RATIO")]
ModelOpt: TypeAlias = Annotated[str | None, _engine(_MODEL, "-m", metavar="MODEL")]
ModelsDirOpt: TypeAlias = Annotated[Path | None, _engine("Where networks are kept.", metavar="DIR")]
PlanDirOpt: TypeAlias = Annotated[Path | None, _engine("Where TensorRT's plans are kept.", metavar="DIR")]
HalfOpt: TypeAlias = Annotated[bool | None, _engine("Half precision where the engine gains by it.", default="yes")]
WidthOpt: TypeAlias = Annotated[int | None, _flow("Width in pixels.", "-W", "1280", "N")]
HeightOpt: TypeAlias = Annotated[int | None, _flow("Height in pixels.", "-H", "720", "N")]
BackgroundOpt: TypeAlias = Annotated[str | None, _scene(_SPEC, "-b", "blur", "SPEC")]
ConfigOpt: TypeAlias = Annotated[Path | None, _more(_FILE, metavar="FILE")]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was typed after ``vcam run``. config, set and force are no settings."""

    input: Annotated[str | None, _flow(_SRC, "-i", "/dev/video0", "SRC")] = None
    output: Annotated[list[str] | None, _flow(_SINK, "-o", "/dev/video10", "SINK")] = None
    force: Annotated[bool, _flow("Replace a file that is there.", metavar="")] = False
    width: WidthOpt = None
    height: HeightOpt = None
    fps: Annotated[int | None, _flow("Pictures a second.", "-F", "30", "N")] = None
    loop: Annotated[bool | None, _flow("Begin a file again at its end.", default="no")] = None
    wait_for_camera: Annotated[bool | None, _flow("Start without the camera, wait for it.", default="no")] = None
    background: BackgroundOpt = None
    color: Annotated[str | None, _scene("For -b color; 0 to 255 each.", "-c", "0,255,0", "R,G,B")] = None
    auto_frame: Annotated[bool | None, _scene("Zoom and pan follow the person.", default="no")] = None
    layers: Annotated[list[str] | None, _scene(_LAYER, metavar="LAYER")] = None
    smoothing: Annotated[float | None, _edge("Hold soft edges still where nothing moves.")] = None
    despill: Annotated[float | None, _edge("Take the room's colour out of soft edges.")] = None
    refine: Annotated[float | None, _edge("Find soft edges anew in the full picture.")] = None
    set: Annotated[list[str] | None, _scene(_SET, metavar="KEY=VALUE")] = None
    engine: EngineOpt = None
    quality: QualityOpt = None
    downsample: DownsampleOpt = None
    model: ModelOpt = None
    models_dir: ModelsDirOpt = None
    model_download: Annotated[bool | None, _engine("Fetch a network that is not here.", default="yes")] = None
    plan_dir: PlanDirOpt = None
    while_building: Annotated[str | None, _engine(_BUILDING, default="cpu", metavar="NAME")] = None
    fp16: HalfOpt = None
    threads: Annotated[int | None, _engine("Processor threads; 0: one a core.", default="0", metavar="N")] = None
    frames: Annotated[int | None, _time("End after so many pictures.", metavar="N")] = None
    pace: Annotated[str | None, _time("auto, realtime or every-frame.", default="auto", metavar="NAME")] = None
    safe_after_ms: Annotated[int | None, _time(_SAFE, default="250", metavar="MS")] = None
    max_latency_ms: Annotated[int | None, _time("An older frame is not shown.", default="1000", metavar="MS")] = None
    on_demand: Annotated[bool | None, _time("Close the camera while nobody looks.", default="no")] = None
    idle_after_s: Annotated[float | None, _time("... so long after the last look.", default="5.0", metavar="S")] = None
    give_up_after_s: Annotated[float | None, _time(_GIVE_UP, default="60.0", metavar="S")] = None
    benchmark: Annotated[bool | None, _more("Print the stages' times every 100 frames.", default="no")] = None
    http_host: Annotated[str | None, _more("Where metrics are served.", default="127.0.0.1", metavar="HOST")] = None
    http_port: Annotated[int | None, _more("/metrics, /healthz; 0: none.", default="9435", metavar="PORT")] = None
    control_host: Annotated[str | None, _live("Where the API is served.", default="127.0.0.1", metavar="HOST")] = None
    control_port: Annotated[int | None, _live("/api/v1; 0: none.", default="9436", metavar="PORT")] = None
    control_socket: Annotated[str | None, _live("The same for `vcam ctl`; none: none.", metavar="PATH")] = None
    control_token_file: Annotated[Path | None, _live(_TOKEN, metavar="FILE")] = None
    control_trust_gateway: Annotated[bool | None, _live("In a container: its gateway is this PC.", default="no")] = None
    media_dir: Annotated[Path | None, _live("Where uploaded backgrounds are kept.", metavar="DIR")] = None
    profiles_dir: Annotated[Path | None, _live("Where named scenes are kept.", metavar="DIR")] = None
    preview_source: Annotated[bool | None, _live("Give out the camera's own picture, too.", default="no")] = None
    remember: Annotated[bool | None, _live("Begin as it was when it ended.", default="yes")] = None
    log_level: Annotated[str | None, _more("debug to error.", default="info", metavar="NAME")] = None
    log_format: Annotated[str | None, _more("console or json.", default="console", metavar="NAME")] = None
    config: ConfigOpt = None


_NO_SETTINGS = frozenset({"config", "set", "force"})
_FROM = "Take this file instead of fetching it: for machines without network."


@dataclass(frozen=True, slots=True)
class PrepareCommandOptions:
    """What was typed after ``vcam model prepare``."""

    model: ModelOpt = None
    from_file: Annotated[Path | None, _engine(_FROM, metavar="FILE", name="from")] = None
    engine: EngineOpt = None
    quality: QualityOpt = None
    downsample: DownsampleOpt = None
    width: WidthOpt = None
    height: HeightOpt = None
    fp16: HalfOpt = None
    models_dir: ModelsDirOpt = None
    plan_dir: PlanDirOpt = None
    config: ConfigOpt = None


@dataclass(frozen=True, slots=True)
class ModelFolderOptions:
    """What was typed after ``vcam model status`` or ``verify``."""

    models_dir: ModelsDirOpt = None
    plan_dir: PlanDirOpt = None
    config: ConfigOpt = None


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What was typed after ``vcam demo``."""

    frames: Annotated[int, _flow("How many pictures, of 8 s up to 240.", default="240", metavar="N")] = 240
    out: Annotated[Path, _flow("Folder of demo.mp4 and demo.png.", default="out", metavar="DIR")] = Path("out")
    background: BackgroundOpt = None
    engine: EngineOpt = None
    quality: QualityOpt = None
    model: ModelOpt = None


@dataclass(frozen=True, slots=True)
class DevicesOptions:
    """What was typed after ``vcam devices``."""

    json: Annotated[bool, _more("For machines.", metavar="")] = False


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What was typed after ``vcam doctor``."""

    json: Annotated[bool, _more("For machines.", metavar="")] = False
    input: Annotated[str | None, _flow(_SRC, "-i", "/dev/video0", "SRC")] = None
    output: Annotated[list[str] | None, _flow(_SINK, "-o", "/dev/video10", "SINK")] = None
    engine: EngineOpt = None
    models_dir: ModelsDirOpt = None
    config: ConfigOpt = None


_SUITES = "compose, pipeline, baseline, engines, scene, soak; gpu, gpu-soak. Without any: all that need no GPU."


@dataclass(frozen=True, slots=True)
class BenchOptions:
    """What was typed after ``vcam bench``."""

    suites: Annotated[list[str] | None, Argument(metavar="[SUITE]...", help=_SUITES)] = None
    json: Annotated[Path | None, _more("Also write SUITE.json into this folder.", metavar="DIR")] = None
    frames: Annotated[int | None, _more("Pictures per figure; else the suite's own number.", metavar="N")] = None
    clip: Annotated[Path | None, _more("An MJPEG video to look at, not the drawn scene.", metavar="FILE")] = None
    model: ModelOpt = None


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What was typed after ``vcam import-lfbw``."""

    path: Annotated[Path, Argument(metavar="CONFIG", help="The file that `lfbw -c` takes.", show_default=False)]
    out: Annotated[Path | None, _more("Write it there; else it is printed.", metavar="FILE")] = None
    force: Annotated[bool, _more("Replace a file that is there.", metavar="")] = False


def typed(options: "DataclassInstance", *, but: frozenset[str] = _NO_SETTINGS) -> dict[str, object]:
    """What was typed, by name of its field; without those in ``but``."""
    values = {field.name: getattr(options, field.name) for field in fields(options) if field.name not in but}
    return {key: value for key, value in values.items() if value is not None and value != []}


def assigned(texts: Sequence[str] | None) -> dict[str, str]:
    """KEY=VALUE each, by key as it was typed; what both mean is for the settings to say. Raises ConfigError."""
    found: dict[str, str] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{text!r} sets nothing", hint="write KEY=VALUE, as in person_brightness=1.2")
        found[key.strip()] = value.strip()
    return found


def takes(options: type[T]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Make a command for Typer out of a function of one dataclass: its fields become options.

    A field that is annotated with Typer's own Argument or Option is left as it is.
    """
    hints = get_type_hints(options, include_extras=True)
    parameters = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=_for_typer(field.name, hints[field.name]),
        )
        for field in fields(options)
    ]

    def command_of(function: Callable[[T], None]) -> Callable[..., None]:
        @wraps(function)
        def command(**values: object) -> None:
            function(options(**values))

        vars(command)["__signature__"] = inspect.Signature(parameters)
        return command

    return command_of


def _for_typer(name: str, hint: object) -> object:
    kind, *metadata = get_args(hint)
    (option,) = metadata
    if not isinstance(option, Opt):
        return hint
    long = f"--{(option.name or name).replace('_', '-')}"
    flag = bool in get_args(kind)  # one that can also be switched off; a plain bool is only ever switched on
    names = [f"{long}/--no-{long.removeprefix('--')}" if flag else long, option.short]
    text = f"{option.text} [dim]\\[{option.default}][/dim]" if option.default else option.text
    metavar = "" if flag else option.metavar
    return Annotated[kind, Option(*filter(None, names), help=text, rich_help_panel=option.panel, metavar=metavar)]

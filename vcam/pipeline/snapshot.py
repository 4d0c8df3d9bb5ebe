"""What a running pipeline tells the outside: one immutable value, safe to read from any thread.

Every label comes from an enum here or from Stage, so that no metric can grow without bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from vcam.stages import EngineInfo, Stage


class State(StrEnum):
    """What the viewers see. IDLE: nobody watches, the camera is closed."""

    STARTING = "starting"
    LIVE = "live"
    SAFE = "safe"
    IDLE = "idle"


class SafeReason(StrEnum):
    """Why the SAFE card is shown instead of the person."""

    STARTING = "starting"
    ENGINE_LOADING = "engine_loading"
    ENGINE_BUILDING = "engine_building"
    ENGINE_ERROR = "engine_error"
    ENGINE_STALL = "engine_stall"
    MATTE_INVALID = "matte_invalid"
    CAMERA_LOST = "camera_lost"
    LATE = "late"
    RELOAD = "reload"
    PAUSED = "paused"
    INTERNAL_ERROR = "internal_error"


class DropReason(StrEnum):
    """Why a captured frame was not shown.

    superseded: a newer one came before it was taken. stale: the camera had a newer one ready.
    corrupt: it could not be decoded. late: it was finished too late to be shown.
    sequence_gap: the driver's counter jumped; the frame never reached us.
    """

    SUPERSEDED = "superseded"
    STALE = "stale"
    CORRUPT = "corrupt"
    LATE = "late"
    SEQUENCE_GAP = "sequence_gap"


class Outcome(StrEnum):
    """What became of a frame that the frame thread took."""

    LIVE = "live"
    SAFE = "safe"
    DROPPED = "dropped"


class TakeoverState(StrEnum):
    """Where the engine stands that shall take over from the one that runs.

    none: there is no better one on its way. preparing: its plan is built, its library loaded. warming: it sees each
    frame, nobody sees its pictures. done: it runs. given_up: it never will; the log says why.
    """

    NONE = "none"
    PREPARING = "preparing"
    WARMING = "warming"
    DONE = "done"
    GIVEN_UP = "given_up"


class TakeoverOutcome(StrEnum):
    """What became of an attempt. disagreed: its matte never came near that of the running engine, or came later."""

    SWAPPED = "swapped"
    DISAGREED = "disagreed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations by bucket. Seconds.

    bounds: upper, inclusive bounds, ascending. counts: one more than bounds, not cumulative; the last one holds what
    is above every bound.
    """

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    sum: float
    count: int


@dataclass(frozen=True, slots=True)
class EngineReason:
    """Why this engine runs, as a sentence. last_resort: see OpenedProcessor."""

    text: str = ""
    last_resort: bool = False


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """One sink. consumers: how many applications read it, None where that cannot be known."""

    name: str
    up: bool
    consumers: int | None
    frames: int
    errors: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The pipeline at one moment. Mappings are read-only and hold every member of their enum from the start.

    frames: by outcome, of the frames that the frame thread took. safe: SAFE cards written. dropped: captured frames
    that were not shown. last_live_age_s, last_write_age_s: seconds since a live frame, since any frame (live or SAFE)
    left; None before the first. fps: live frames a second, over the last two seconds. fps_target: what is
    set, or what a file or test scene has.
    plan_build_s: how long the last plan took to build, None where there was none. plan_build_share: how much of one is
    done, 0 to 1, None while none is built. takeovers: attempts to change to a better engine, by outcome.
    decoder: which one runs, None before the first frame. gpu_graph: whether a GPU's frames are launched as graphs;
    None without a GPU, and before its first frame.
    """

    version: str
    state: State
    safe_reason: SafeReason | None
    camera_up: bool
    engine: EngineInfo | None
    engine_reason: EngineReason
    stages: Mapping[Stage, Histogram]
    frame_latency: Histogram
    frames: Mapping[Outcome, int]
    safe: Mapping[SafeReason, int]
    dropped: Mapping[DropReason, int]
    outputs: tuple[OutputStatus, ...]
    last_live_age_s: float | None
    last_write_age_s: float | None
    plan_build_s: float | None
    plan_build_share: float | None
    takeover: TakeoverState
    takeovers: Mapping[TakeoverOutcome, int]
    decoder: str | None
    gpu_graph: bool | None
    source: str
    fps: float
    fps_target: float

"""A running vcam as an answer: what viewers see, why, how fast, and the scene. For who asks and for who answers."""

from typing import Annotated

from pydantic import BaseModel, Field

from vcam.control.scenes import SceneView
from vcam.pipeline.snapshot import DropReason, Outcome, SafeReason, State, TakeoverOutcome, TakeoverState


class EngineView(BaseModel):
    """What finds the person."""

    engine: str
    model: str
    precision: str
    size: Annotated[str, Field(description="What the network sees, in pixels.", examples=["384x216"])]
    device: str
    reason: Annotated[str, Field(description="Why this one was chosen.")]


class OutputView(BaseModel):
    """Where pictures go."""

    name: str
    up: bool
    consumers: Annotated[int | None, Field(description="Applications that read it; null where that is unknown.")]
    frames: int
    errors: int


class Percentiles(BaseModel):
    """Of the last thousand frames. Milliseconds."""

    p50_ms: float
    p95_ms: float
    p99_ms: float
    count: int


class PlanView(BaseModel):
    """How far the engine's plan is, and the change to it."""

    share: Annotated[float | None, Field(description="How much of a plan is built, 0 to 1; null while none is.")]
    last_build_s: float | None
    takeover: TakeoverState
    takeovers: dict[TakeoverOutcome, int]


class RefusalView(BaseModel):
    """What went wrong, and what to do."""

    problem: str
    hint: str


class StateView(BaseModel):
    """What is true now."""

    version: str
    state: State
    safe_reason: Annotated[SafeReason | None, Field(description="Why the card is shown; null while it is not.")]
    paused: bool
    camera_up: bool
    source: str
    decoder: str | None
    gpu_graph: bool | None
    engine: EngineView | None
    plan: PlanView
    outputs: list[OutputView]
    scene: SceneView
    restart_needed: Annotated[list[str], Field(description="Settings that were read and need a restart.")]
    refused: Annotated[
        RefusalView | None, Field(description="Why the camera or engine asked for last is not used; null where it is.")
    ]
    fps: float
    fps_target: float
    last_live_age_s: float | None
    last_write_age_s: float | None
    frames: dict[Outcome, int]
    safe_cards: dict[SafeReason, int]
    dropped: dict[DropReason, int]
    times: Annotated[
        dict[str, Percentiles], Field(description="By stage; `latency` is from the camera's stamp to the output.")
    ]

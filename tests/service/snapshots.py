"""Snapshots to serve: one of a camera that runs, made by the code that makes the real ones."""

from dataclasses import replace

from vcam.frame import Size
from vcam.pipeline.snapshot import (
    DropReason,
    EngineReason,
    Outcome,
    OutputStatus,
    SafeReason,
    Snapshot,
    State,
    TakeoverOutcome,
    TakeoverState,
)
from vcam.pipeline.statistics import Observed, Statistics
from vcam.stages import EngineInfo, Stage

RUNNING = Observed(
    state=State.LIVE,
    safe_reason=None,
    camera_up=True,
    engine=EngineInfo("openvino", "rvm_mobilenetv3_fp32", "fp32", Size(384, 216), "CPU"),
    engine_reason=EngineReason("the fastest here"),
    outputs=(
        OutputStatus("/dev/video10", up=True, consumers=2, frames=60, errors=0),
        OutputStatus("file:out.mp4", up=True, consumers=None, frames=60, errors=0),
    ),
    last_live_age_s=0.012,
    last_write_age_s=0.012,
    source="/dev/video0",
    fps_target=30.0,
    decoder="turbojpeg",
)

STARTING = replace(
    RUNNING,
    state=State.STARTING,
    safe_reason=SafeReason.ENGINE_LOADING,
    engine=None,
    last_live_age_s=None,
    last_write_age_s=None,
)


def running() -> Snapshot:
    """Three live frames, one late, one corrupt, eleven cards; of binary fractions, so that sums print exactly."""
    statistics = Statistics(lambda: 0.0)
    for infer_s in (0.015625, 0.03125, 2.0):
        times = {Stage.CAPTURE_WAIT: 0.0078125, Stage.INFER: infer_s, Stage.COMPOSE: 0.00390625}
        statistics.frame_done(Outcome.LIVE, times, infer_s + 0.015625)
    statistics.frame_done(Outcome.SAFE, {}, 2.0)
    statistics.frame_done(Outcome.DROPPED, {}, 0.0)
    statistics.dropped(DropReason.CORRUPT)
    statistics.dropped(DropReason.SUPERSEDED, 4)
    for _ in range(11):
        statistics.safe(SafeReason.ENGINE_LOADING)
    statistics.plan_built(41.5)
    statistics.takeover(TakeoverOutcome.SWAPPED)
    return statistics.snapshot(replace(RUNNING, takeover=TakeoverState.DONE, gpu_graph=True))


def observed(what: Observed) -> Snapshot:
    """Nothing counted yet."""
    return Statistics(lambda: 0.0).snapshot(what)

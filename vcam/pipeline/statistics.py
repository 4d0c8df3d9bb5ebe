"""Counting what the threads do: written by all of them, frozen into a Snapshot when somebody asks."""

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from vcam import __version__
from vcam.pipeline.snapshot import (
    DropReason,
    EngineReason,
    Histogram,
    Outcome,
    OutputStatus,
    SafeReason,
    Snapshot,
    State,
    TakeoverOutcome,
    TakeoverState,
)
from vcam.stages import EngineInfo, Stage

BOUNDS_S = (
    *(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.010, 0.017),
    *(0.025, 0.034, 0.050, 0.075, 0.100, 0.200, 0.500, 1.000),
)
"""Bucket bounds: dense where stages live; 0.017 and 0.034 hold one frame interval at 60 and at 30 a second."""

LATENCY = "latency"
"""Name of the row of ``Statistics.table`` that holds capture to write."""

_FPS_WINDOW_S = 2.0
_FPS_FRAMES = 1024
"""Above 512 fps the window of the live rate gets shorter than two seconds; nothing else changes."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a Snapshot holds beyond the counters; see there."""

    state: State
    safe_reason: SafeReason | None
    camera_up: bool
    engine: EngineInfo | None
    engine_reason: EngineReason
    outputs: tuple[OutputStatus, ...]
    last_live_age_s: float | None
    last_write_age_s: float | None
    source: str
    fps_target: float
    plan_build_share: float | None = None
    takeover: TakeoverState = TakeoverState.NONE
    decoder: str | None = None
    gpu_graph: bool | None = None


@dataclass(frozen=True, slots=True)
class TableRow:
    """Percentiles of the last values of one stage, or of LATENCY. count: how many values they come from."""

    name: str
    p50_s: float
    p95_s: float
    p99_s: float
    count: int


class Statistics:
    """Counters, histograms and recent values. Any thread may call any method; writing costs microseconds.

    clock: seconds, monotonic. window: how many recent values per stage the percentiles come from.
    """

    def __init__(self, clock: Callable[[], float], *, window: int = 1000) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._stages = {stage: _Series(window) for stage in Stage}
        self._latency = _Series(window)
        self._frames = dict.fromkeys(Outcome, 0)
        self._safe = dict.fromkeys(SafeReason, 0)
        self._dropped = dict.fromkeys(DropReason, 0)
        self._takeovers = dict.fromkeys(TakeoverOutcome, 0)
        self._plan_build_s: float | None = None
        self._live_at_s: deque[float] = deque(maxlen=_FPS_FRAMES)
        self._first_live_s = self._last_live_s = 0.0

    def frame_done(self, outcome: Outcome, stages: Mapping[Stage, float], latency_s: float) -> None:
        """A frame came to its end. stages: seconds it spent in each. The latency counts for live frames only."""
        now_s = self._clock()
        with self._lock:
            self._frames[outcome] += 1
            for stage, seconds in stages.items():
                self._stages[stage].add(seconds)
            if outcome is Outcome.LIVE:
                self._latency.add(latency_s)
                self._live_at_s.append(now_s)
                self._last_live_s = now_s
                if self._frames[outcome] == 1:
                    self._first_live_s = now_s

    def safe(self, reason: SafeReason) -> None:
        """A SAFE card was written."""
        with self._lock:
            self._safe[reason] += 1

    def dropped(self, reason: DropReason, count: int = 1) -> None:
        """Captured frames will not be shown."""
        with self._lock:
            self._dropped[reason] += count

    def takeover(self, outcome: TakeoverOutcome) -> None:
        """An attempt to change to a better engine came to its end."""
        with self._lock:
            self._takeovers[outcome] += 1

    def plan_built(self, seconds: float) -> None:
        """A plan was built, in so many seconds."""
        self._plan_build_s = seconds

    def fps(self) -> float:
        """Live frames a second over the last two seconds; 0 when fewer than two left in that time."""
        since_s = self._clock() - _FPS_WINDOW_S
        with self._lock:
            recent = [at_s for at_s in self._live_at_s if at_s >= since_s]
        if len(recent) < 2 or recent[-1] <= recent[0]:  # noqa: PLR2004  two points make an interval
            return 0.0
        return (len(recent) - 1) / (recent[-1] - recent[0])

    def mean_fps(self) -> float:
        """Live frames a second from the first to the last one; 0 before the second."""
        with self._lock:
            frames, first_s, last_s = self._frames[Outcome.LIVE], self._first_live_s, self._last_live_s
        return (frames - 1) / (last_s - first_s) if last_s > first_s else 0.0

    def table(self) -> tuple[TableRow, ...]:
        """Percentiles of the recent values: stages in the order a frame meets them, then LATENCY; no empty rows."""
        with self._lock:
            recent = {str(stage): tuple(series.recent) for stage, series in self._stages.items()}
            recent[LATENCY] = tuple(self._latency.recent)
        return tuple(_row(name, values) for name, values in recent.items() if values)

    def snapshot(self, observed: Observed) -> Snapshot:
        """Everything counted so far together with what the supervisor observes."""
        fps = self.fps()
        with self._lock:
            return Snapshot(
                version=__version__,
                state=observed.state,
                safe_reason=observed.safe_reason,
                camera_up=observed.camera_up,
                engine=observed.engine,
                engine_reason=observed.engine_reason,
                stages=MappingProxyType({stage: series.histogram() for stage, series in self._stages.items()}),
                frame_latency=self._latency.histogram(),
                frames=MappingProxyType(dict(self._frames)),
                safe=MappingProxyType(dict(self._safe)),
                dropped=MappingProxyType(dict(self._dropped)),
                outputs=observed.outputs,
                last_live_age_s=observed.last_live_age_s,
                last_write_age_s=observed.last_write_age_s,
                plan_build_s=self._plan_build_s,
                plan_build_share=observed.plan_build_share,
                takeover=observed.takeover,
                takeovers=MappingProxyType(dict(self._takeovers)),
                decoder=observed.decoder,
                gpu_graph=observed.gpu_graph,
                source=observed.source,
                fps=fps,
                fps_target=observed.fps_target,
            )


class _Series:
    """One histogram and its recent values; guarded by the lock of its owner."""

    def __init__(self, window: int) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum = 0.0
        self._count = 0
        self.recent: deque[float] = deque(maxlen=window)

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1
        self._sum += seconds
        self._count += 1
        self.recent.append(seconds)

    def histogram(self) -> Histogram:
        return Histogram(BOUNDS_S, tuple(self._counts), self._sum, self._count)


def _row(name: str, values: Sequence[float]) -> TableRow:
    p50, p95, p99 = (float(value) for value in np.percentile(values, (50, 95, 99)))
    return TableRow(name, p50, p95, p99, len(values))

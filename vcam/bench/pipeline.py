"""The whole pipeline, JPEG to YUYV: what it sustains, how late a picture is, and what stays behind after a long run."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from vcam.bench.clip import Clip, ClipSource
from vcam.bench.footprint import Footprint, footprint
from vcam.bench.report import Row
from vcam.config import Config
from vcam.frame import Image
from vcam.pipeline.assemble import wire
from vcam.pipeline.snapshot import DropReason
from vcam.pipeline.statistics import LATENCY
from vcam.pipeline.supervisor import Pipeline
from vcam.stages import FrameProcessor

CAMERA_FPS = 30.0
_WARM_UP = 30
_SETTLE = 1000
"""Caches, arenas and percentile windows have their size by then; what grows afterwards is a leak."""


@dataclass(frozen=True, slots=True)
class Run:
    """One way to run it. fps: paced like a camera, newest frame wins; None: every frame, as fast as it goes."""

    name: str
    config: Config
    clip: Clip
    frames: int
    fps: float | None


class _Watch:
    """When each picture was composed, and what the process held when it had settled."""

    def __init__(self) -> None:
        self.at_s: list[float] = []
        self.pipeline: Pipeline | None = None
        self.superseded_before = 0
        self.settled: Footprint | None = None
        self.last: Footprint | None = None

    def __call__(self, image: Image, processor: FrameProcessor, results: Sequence[Image]) -> None:
        self.at_s.append(time.perf_counter())
        if len(self.at_s) == _WARM_UP:
            self.superseded_before = self._superseded()
        if len(self.at_s) == _SETTLE:
            self.settled = footprint()
        elif len(self.at_s) % _SETTLE == 0:
            self.last = footprint()

    def _superseded(self) -> int:
        return 0 if self.pipeline is None else self.pipeline.snapshot().dropped[DropReason.SUPERSEDED]

    @property
    def superseded(self) -> int:
        """Frames that a newer one overtook, without those that came while the engine was opened."""
        return self._superseded() - self.superseded_before

    @property
    def fps(self) -> float:
        if len(self.at_s) < _WARM_UP + 2:  # so busy is the machine
            return 0.0
        return (len(self.at_s) - 1 - _WARM_UP) / (self.at_s[-1] - self.at_s[_WARM_UP])


def measure(run: Run) -> Iterator[Row]:
    """A row per stage, then one for the latency with the rate and the drops."""
    watch = _Watch()
    pipeline = _play(run, watch)
    for line in pipeline.statistics.table():
        p50, p95, p99 = (round(1e3 * value, 3) for value in (line.p50_s, line.p95_s, line.p99_s))
        extra: dict[str, float | str] = {"fps": round(watch.fps, 1), "superseded": watch.superseded}
        yield Row(line.name, p50, p95, p99, line.count, extra if line.name == LATENCY else {}, run.name)


def soak(run: Run) -> Row:
    """What the process holds at the end of a long run against what it held when it had settled."""
    watch = _Watch()
    _play(run, watch)
    if watch.settled is None or watch.last is None:
        raise AssertionError(f"a soak needs at least {2 * _SETTLE} frames")
    growth = {
        "frames": float(len(watch.at_s)),
        "fps": round(watch.fps, 1),
        "resident_mib": round(watch.last.resident_kib / 1024, 1),
        "resident_growth_kib": float(watch.last.resident_kib - watch.settled.resident_kib),
        "descriptor_growth": float(watch.last.descriptors - watch.settled.descriptors),
        "thread_growth": float(watch.last.kernel_threads - watch.settled.kernel_threads),
    }
    return Row(run.name, 0.0, 0.0, 0.0, len(watch.at_s), {**growth})


def _play(run: Run, watch: _Watch) -> Pipeline:
    wiring = wire(run.config, observer=watch)
    policy = replace(
        wiring.policy, live=run.fps is not None, frame_interval_s=1.0 / (run.fps or CAMERA_FPS), frames=None
    )
    source = ClipSource(run.clip, frames=run.frames, fps=run.fps)
    pipeline = watch.pipeline = Pipeline(replace(wiring, open_source=lambda: source, policy=policy))
    with pipeline:
        pipeline.run()
    return pipeline

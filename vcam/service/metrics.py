"""A Snapshot as Prometheus metrics. Names and labels are a contract: dashboards and alerts stand on them.

Every label value of a closed set is there from the start, at 0, so that a rate over it is never "no data".
"""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from itertools import accumulate
from typing import TypeVar

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from vcam.pipeline.snapshot import Histogram, Snapshot, State

L = TypeVar("L", bound=StrEnum)


class PipelineCollector(Collector):
    """Asks for a snapshot on each scrape. snapshot: callable from any thread."""

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """All metrics of one and the same snapshot."""
        now = self._snapshot()
        yield from _durations(now)
        yield _counter(
            "vcam_frames", "Frames that were taken for processing, by what became of them.", "outcome", now.frames
        )
        yield _counter("vcam_safe_frames", "SAFE cards written in place of a picture.", "reason", now.safe)
        yield _counter("vcam_dropped_frames", "Captured frames that were not shown.", "reason", now.dropped)
        yield from _states(now)
        yield from _facts(now)


def make_registry(snapshot: Callable[[], Snapshot]) -> CollectorRegistry:
    """The pipeline's metrics and those of the process (memory, CPU, descriptors)."""
    registry = CollectorRegistry()
    registry.register(PipelineCollector(snapshot))
    ProcessCollector(registry=registry)
    return registry


def _durations(now: Snapshot) -> Iterator[Metric]:
    stages = HistogramMetricFamily(
        "vcam_stage_duration_seconds", "Time that a frame spends in each stage.", labels=["stage"]
    )
    for stage, histogram in now.stages.items():
        stages.add_metric([stage], _cumulative(histogram), histogram.sum)
    yield stages
    latency = HistogramMetricFamily("vcam_frame_latency_seconds", "Capture of a live frame to its output.")
    latency.add_metric([], _cumulative(now.frame_latency), now.frame_latency.sum)
    yield latency


def _cumulative(histogram: Histogram) -> list[tuple[str, float]]:
    bounds = [*map(str, histogram.bounds), "+Inf"]
    return list(zip(bounds, accumulate(histogram.counts), strict=True))


def _counter(name: str, text: str, label: str, counts: Mapping[L, int]) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _states(now: Snapshot) -> Iterator[Metric]:
    state = GaugeMetricFamily("vcam_state", "1 for the state that vcam is in, 0 for the others.", labels=["state"])
    for each in State:
        state.add_metric([each], float(each is now.state))
    yield state
    yield GaugeMetricFamily("vcam_camera_up", "Whether the camera delivers frames.", value=float(now.camera_up))
    consumers = GaugeMetricFamily(
        "vcam_consumers", "Applications that read an output, where that can be known.", labels=["output"]
    )
    for output in now.outputs:
        if output.consumers is not None:
            consumers.add_metric([output.name], output.consumers)
    yield consumers


def _facts(now: Snapshot) -> Iterator[Metric]:
    engine = InfoMetricFamily("vcam_engine", "The engine that is running; none while it is being opened.")
    if now.engine is not None:
        facts = {
            "engine": now.engine.engine,
            "model": now.engine.model,
            "precision": now.engine.precision,
            "size": str(now.engine.size),
            "device": now.engine.device,
        }
        engine.add_metric([], facts)
    yield engine
    plan = GaugeMetricFamily("vcam_plan_build_seconds", "How long the engine's plan took to build, if one was built.")
    if now.plan_build_s is not None:
        plan.add_metric([], now.plan_build_s)
    yield plan
    yield InfoMetricFamily("vcam_build", "The vcam that is running.", value={"version": now.version})

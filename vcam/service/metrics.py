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

from vcam.pipeline.snapshot import Histogram, Snapshot, State, TakeoverState

L = TypeVar("L", bound=StrEnum)


class _Launch(StrEnum):
    GRAPH = "graph"
    PLAIN = "plain"


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
        yield _counter(
            "vcam_takeovers", "Attempts to change to a better engine, by what became of them.", "outcome", now.takeovers
        )
        yield from _states(now)
        yield from _facts(now)
        yield from _machinery(now)


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


def _one_of(name: str, text: str, label: str, values: type[StrEnum], now: StrEnum | None) -> Metric:
    """1 for the value that holds, 0 for the others; no sample where none is known to."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for each in values if now is not None else ():
        family.add_metric([each], float(each is now))
    return family


def _states(now: Snapshot) -> Iterator[Metric]:
    yield _one_of("vcam_state", "1 for the state that vcam is in, 0 for the others.", "state", State, now.state)
    yield GaugeMetricFamily("vcam_camera_up", "Whether the camera delivers frames.", value=float(now.camera_up))
    yield GaugeMetricFamily("vcam_frame_rate_target", "Frames a second that are asked for.", value=now.fps_target)
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
    last_resort = None if now.engine is None else float(now.engine_reason.last_resort)
    yield _known(
        "vcam_engine_last_resort", "1 while an engine runs only because no network was to be had.", last_resort
    )
    decoder = InfoMetricFamily("vcam_decoder", "The decoder that is running; none before the first frame.")
    if now.decoder is not None:
        decoder.add_metric([], {"decoder": now.decoder})
    yield decoder
    yield InfoMetricFamily("vcam_build", "The vcam that is running.", value={"version": now.version})


def _machinery(now: Snapshot) -> Iterator[Metric]:
    """How a GPU's engine gets ready, and how it runs."""
    yield _one_of(
        "vcam_takeover_state",
        "1 for how far a better engine is that shall take over, 0 for the others.",
        "state",
        TakeoverState,
        now.takeover,
    )
    yield _known("vcam_plan_build_seconds", "How long the last plan took to build, if one was built.", now.plan_build_s)
    yield _known("vcam_plan_build_ratio", "How much of a plan is done, while one is built.", now.plan_build_share)
    graph = None if now.gpu_graph is None else _Launch.GRAPH if now.gpu_graph else _Launch.PLAIN
    yield _one_of(
        "vcam_gpu_graph", "1 for how a GPU's frames are launched: one graph, or call by call.", "mode", _Launch, graph
    )


def _known(name: str, text: str, value: float | None) -> Metric:
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric([], value)
    return family

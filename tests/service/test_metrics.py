"""The /metrics page, whole, as a golden file; and what must hold for any snapshot."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from tests.service.snapshots import RUNNING, STARTING, observed, running
from vcam import __version__
from vcam.pipeline.snapshot import (
    DropReason,
    EngineReason,
    Outcome,
    SafeReason,
    Snapshot,
    State,
    TakeoverOutcome,
    TakeoverState,
)
from vcam.service.metrics import PipelineCollector, make_registry
from vcam.stages import Stage

GOLDEN = Path(__file__).parent.parent / "golden" / "metrics.txt"

CONTRACT = {
    "vcam_stage_duration_seconds": {"stage"},
    "vcam_frame_latency_seconds": set[str](),
    "vcam_frames": {"outcome"},
    "vcam_safe_frames": {"reason"},
    "vcam_dropped_frames": {"reason"},
    "vcam_state": {"state"},
    "vcam_camera_up": set[str](),
    "vcam_frame_rate_target": set[str](),
    "vcam_consumers": {"output"},
    "vcam_engine_info": {"engine", "model", "precision", "size", "device"},
    "vcam_engine_last_resort": set[str](),
    "vcam_decoder_info": {"decoder"},
    "vcam_plan_build_seconds": set[str](),
    "vcam_plan_build_ratio": set[str](),
    "vcam_takeover_state": {"state"},
    "vcam_takeovers": {"outcome"},
    "vcam_gpu_graph": {"mode"},
    "vcam_build_info": {"version"},
}
"""Names and labels that dashboards stand on."""


def page(snapshot: Snapshot) -> str:
    registry = CollectorRegistry()
    registry.register(PipelineCollector(lambda: snapshot))
    return generate_latest(registry).decode()


def samples(snapshot: Snapshot) -> dict[str, float]:
    """Value by name and labels, as written on the page."""
    lines = [line.rsplit(" ", 1) for line in page(snapshot).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def test_the_page_is_the_golden_one() -> None:
    text = page(running()).replace(f'version="{__version__}"', 'version="VERSION"')
    if os.environ.get("VCAM_UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_names_and_labels_are_the_contract() -> None:
    families = list(text_string_to_metric_families(page(running())))
    found = {
        family.name: {label for sample in family.samples for label in sample.labels} - {"le"} for family in families
    }
    assert found == CONTRACT


def test_every_label_of_a_closed_set_is_there_from_the_start() -> None:
    found = samples(observed(STARTING))
    for name, label, values in (
        ("vcam_frames_total", "outcome", Outcome),
        ("vcam_safe_frames_total", "reason", SafeReason),
        ("vcam_dropped_frames_total", "reason", DropReason),
        ("vcam_stage_duration_seconds_count", "stage", Stage),
        ("vcam_takeovers_total", "outcome", TakeoverOutcome),
    ):
        assert [found[f'{name}{{{label}="{value}"}}'] for value in values] == [0.0] * len(values)


def test_exactly_one_state_is_set() -> None:
    for state in State:
        found = samples(observed(replace(RUNNING, state=state)))
        assert {each: found[f'vcam_state{{state="{each}"}}'] for each in State} == {
            each: float(each is state) for each in State
        }


def test_exactly_one_state_of_a_takeover_is_set() -> None:
    for state in TakeoverState:
        found = samples(observed(replace(RUNNING, takeover=state)))
        assert {each: found[f'vcam_takeover_state{{state="{each}"}}'] for each in TakeoverState} == {
            each: float(each is state) for each in TakeoverState
        }


@pytest.mark.parametrize(("graph", "launched"), [(True, {"graph": 1, "plain": 0}), (False, {"graph": 0, "plain": 1})])
def test_how_a_gpu_is_launched_is_told(graph: bool, launched: dict[str, float]) -> None:
    found = samples(observed(replace(RUNNING, gpu_graph=graph)))
    assert {mode: found[f'vcam_gpu_graph{{mode="{mode}"}}'] for mode in launched} == launched


def test_a_plan_that_is_being_built_tells_how_far_it_is() -> None:
    assert samples(observed(replace(STARTING, plan_build_share=0.43)))["vcam_plan_build_ratio"] == 0.43


@pytest.mark.parametrize("last_resort", [False, True])
def test_an_engine_of_last_resort_is_told(last_resort: bool) -> None:
    found = samples(observed(replace(RUNNING, engine_reason=EngineReason("why", last_resort))))
    assert found["vcam_engine_last_resort"] == last_resort


def test_what_is_not_known_is_left_out() -> None:
    text = page(observed(replace(STARTING, decoder=None)))
    for name in ("vcam_engine_info", "vcam_decoder_info", "vcam_gpu_graph"):
        assert f"{name}{{" not in text
    for name in ("vcam_plan_build_seconds", "vcam_plan_build_ratio", "vcam_engine_last_resort"):
        assert not re.search(rf"^{name} ", text, re.M)
    assert 'vcam_consumers{output="/dev/video10"} 2.0' in text
    assert "file:out.mp4" not in text


def test_buckets_are_cumulative_and_end_in_the_count() -> None:
    found = samples(running())
    buckets = [value for name, value in found.items() if name.startswith("vcam_frame_latency_seconds_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == found["vcam_frame_latency_seconds_count"] == 3
    assert buckets[-2] == 2, "one frame took more than a second"


def test_the_process_is_measured_too() -> None:
    text = generate_latest(make_registry(running)).decode()
    assert "process_resident_memory_bytes" in text
    assert "vcam_camera_up 1.0" in text

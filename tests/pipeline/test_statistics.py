"""Counters under threads, buckets at their bounds, percentiles of the recent past, snapshots that stay as they are."""

import threading
from dataclasses import FrozenInstanceError

import pytest

from tests.support.clock import Clock
from vcam.pipeline.snapshot import DropReason, EngineReason, Outcome, OutputStatus, SafeReason, State
from vcam.pipeline.statistics import BOUNDS_S, LATENCY, Observed, Statistics
from vcam.stages import Stage

OBSERVED = Observed(
    state=State.LIVE,
    safe_reason=None,
    camera_up=True,
    engine=None,
    engine_reason=EngineReason("a test"),
    outputs=(OutputStatus("null:", up=True, consumers=None, frames=3, errors=0),),
    last_live_age_s=0.01,
    last_write_age_s=0.02,
    source="test:64x48@30",
    fps_target=30.0,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def statistics(clock: Clock) -> Statistics:
    return Statistics(clock)


def test_a_snapshot_knows_every_label_before_anything_happened(statistics: Statistics) -> None:
    snapshot = statistics.snapshot(OBSERVED)
    assert snapshot.frames == dict.fromkeys(Outcome, 0)
    assert snapshot.safe == dict.fromkeys(SafeReason, 0)
    assert snapshot.dropped == dict.fromkeys(DropReason, 0)
    assert set(snapshot.stages) == set(Stage)
    assert (snapshot.frame_latency.count, snapshot.frame_latency.sum, snapshot.fps) == (0, 0.0, 0.0)
    assert statistics.table() == ()


def test_a_snapshot_holds_what_was_observed(statistics: Statistics) -> None:
    snapshot = statistics.snapshot(OBSERVED)
    assert (snapshot.state, snapshot.camera_up, snapshot.source) == (State.LIVE, True, "test:64x48@30")
    assert snapshot.outputs == OBSERVED.outputs
    assert (snapshot.last_live_age_s, snapshot.last_write_age_s) == (0.01, 0.02)


def test_frames_are_counted_by_outcome_and_reason(statistics: Statistics) -> None:
    statistics.frame_done(Outcome.LIVE, {Stage.DECODE: 0.004}, 0.03)
    statistics.frame_done(Outcome.SAFE, {Stage.DECODE: 0.004}, 9.0)
    statistics.frame_done(Outcome.DROPPED, {}, 9.0)
    statistics.safe(SafeReason.LATE)
    statistics.dropped(DropReason.SEQUENCE_GAP, 7)
    statistics.dropped(DropReason.CORRUPT)
    snapshot = statistics.snapshot(OBSERVED)
    assert snapshot.frames == {Outcome.LIVE: 1, Outcome.SAFE: 1, Outcome.DROPPED: 1}
    assert snapshot.safe[SafeReason.LATE] == 1
    assert (snapshot.dropped[DropReason.SEQUENCE_GAP], snapshot.dropped[DropReason.CORRUPT]) == (7, 1)
    assert snapshot.stages[Stage.DECODE].count == 2
    assert snapshot.frame_latency.count == 1, "only a live frame has a latency"
    assert snapshot.frame_latency.sum == pytest.approx(0.03)


@pytest.mark.parametrize(
    ("seconds", "bucket"),
    [(0.0, 0), (BOUNDS_S[0], 0), (BOUNDS_S[0] * 1.001, 1), (1.0, len(BOUNDS_S) - 1), (1.001, len(BOUNDS_S))],
)
def test_buckets_include_their_upper_bound(statistics: Statistics, seconds: float, bucket: int) -> None:
    statistics.frame_done(Outcome.LIVE, {Stage.INFER: seconds}, 0.0)
    counts = statistics.snapshot(OBSERVED).stages[Stage.INFER].counts
    assert [index for index, count in enumerate(counts) if count] == [bucket]


def test_buckets_reach_from_a_tenth_of_a_millisecond_to_a_second() -> None:
    assert (BOUNDS_S[0], BOUNDS_S[-1]) == (0.0001, 1.0)
    assert list(BOUNDS_S) == sorted(set(BOUNDS_S))


def test_a_snapshot_does_not_change_later(statistics: Statistics) -> None:
    before = statistics.snapshot(OBSERVED)
    statistics.frame_done(Outcome.LIVE, {Stage.WRITE: 0.001}, 0.01)
    statistics.safe(SafeReason.PAUSED)
    assert before.frames[Outcome.LIVE] == 0
    assert before.stages[Stage.WRITE].count == 0
    assert before.safe[SafeReason.PAUSED] == 0


def test_a_snapshot_cannot_be_changed(statistics: Statistics) -> None:
    snapshot = statistics.snapshot(OBSERVED)
    with pytest.raises(FrozenInstanceError):
        snapshot.fps = 1.0  # type: ignore[misc]  # that is the test
    with pytest.raises(TypeError):
        snapshot.frames[Outcome.LIVE] = 1  # type: ignore[index]  # that is the test


def test_percentiles_come_from_the_recent_values_only(clock: Clock) -> None:
    statistics = Statistics(clock, window=100)
    for _ in range(50):
        statistics.frame_done(Outcome.LIVE, {Stage.INFER: 99.0}, 99.0)
    for value in range(1, 101):
        statistics.frame_done(Outcome.LIVE, {Stage.INFER: value / 1000, Stage.DECODE: 0.002}, 0.05)
    decode, infer, latency = statistics.table()
    assert (decode.name, infer.name, latency.name) == ("decode", "infer", LATENCY)
    assert (infer.p50_s, infer.p95_s, infer.p99_s) == pytest.approx((0.0505, 0.09505, 0.09901))
    assert (infer.count, latency.p99_s) == (100, 0.05)


def test_fps_is_that_of_the_last_two_seconds(statistics: Statistics, clock: Clock) -> None:
    for interval_s, frames in ((0.1, 30), (0.04, 60)):
        for _ in range(frames):
            clock.now_s += interval_s
            statistics.frame_done(Outcome.LIVE, {}, 0.0)
    assert statistics.fps() == pytest.approx(25.0)
    clock.now_s += 5.0
    assert statistics.fps() == 0.0


def test_fps_counts_live_frames_only(statistics: Statistics, clock: Clock) -> None:
    for outcome in (Outcome.LIVE, Outcome.SAFE, Outcome.DROPPED, Outcome.LIVE):
        clock.now_s += 0.1
        statistics.frame_done(outcome, {}, 0.0)
    assert statistics.fps() == pytest.approx(1 / 0.3)


def test_the_mean_rate_is_that_of_the_whole_run(statistics: Statistics, clock: Clock) -> None:
    assert statistics.mean_fps() == 0.0
    for interval_s in (3.0, 0.1, 0.3, 4.6):
        clock.now_s += interval_s
        statistics.frame_done(Outcome.LIVE, {}, 0.0)
    statistics.frame_done(Outcome.SAFE, {}, 0.0)
    assert statistics.mean_fps() == pytest.approx(3 / 5.0), "the time before the first frame does not count"


def test_no_count_is_lost_between_threads(statistics: Statistics) -> None:
    rounds, threads = 500, 8

    def work() -> None:
        for _ in range(rounds):
            statistics.frame_done(Outcome.LIVE, {Stage.COMPOSE: 0.001}, 0.01)
            statistics.dropped(DropReason.SUPERSEDED)
            statistics.snapshot(OBSERVED)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    snapshot = statistics.snapshot(OBSERVED)
    assert snapshot.frames[Outcome.LIVE] == snapshot.dropped[DropReason.SUPERSEDED] == rounds * threads
    assert sum(snapshot.stages[Stage.COMPOSE].counts) == snapshot.stages[Stage.COMPOSE].count == rounds * threads

"""Every fault, at every stage, with a room in a marker colour: no output frame may hold one pixel of it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.pipeline import room
from tests.pipeline.rig import ENGINE_BROKE, INTERVAL_S, LIMIT_S, POLICY, Rig, assert_set, raises, wait_until
from vcam.errors import DeviceError, EngineError, ModelFetchError, SinkError, VcamError
from vcam.fakes import FakeEngine, FakeSink, FakeSource, Fault
from vcam.frame import AffineMatte, EncodedFrame, Image, Stamp, Tensor, allocate_planes
from vcam.pipeline import overdue
from vcam.pipeline.snapshot import DropReason, SafeReason, State
from vcam.pipeline.supervisor import Pipeline

either_intake = pytest.mark.parametrize("ahead", [False, True], ids=["inline", "ahead"])
"""Decoded in the frame thread, or by a thread ahead of it."""


def test_the_check_can_fail() -> None:
    """Negative control: a matte that covers everything lets the marker through, and the check sees it."""
    rig = Rig(mask=np.ones((12, 20), np.float32))
    with rig.running():
        assert rig.sink.wait_for(lambda all_: any(map(room.leaks, all_)), LIMIT_S)


@either_intake
def test_live_shows_the_person_and_nothing_of_the_room(ahead: bool) -> None:
    rig = Rig(ahead=ahead)
    with rig.running() as pipeline:
        rig.wait_live(5)
        assert pipeline.snapshot().state is State.LIVE
    rig.assert_closed()


def test_start_up_shows_the_card_until_the_engine_is_there() -> None:
    gate = threading.Event()
    rig = Rig(before_engine=lambda: assert_set(gate))
    with rig.running() as pipeline:
        assert rig.sink.wait_for(lambda all_: len(all_) > 3, LIMIT_S)
        assert all(map(room.is_card, rig.sink.pictures))
        assert pipeline.snapshot().state is State.STARTING
        gate.set()
        rig.wait_live(1)
    rig.assert_closed()


def spoil_a(value: float) -> Callable[[AffineMatte], AffineMatte]:
    def spoil(matte: AffineMatte) -> AffineMatte:
        matte.a[3, 2, 2] = value
        return matte

    return spoil


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_matte_that_is_not_finite_becomes_the_card(value: float) -> None:
    rig = Rig(spoil={3: spoil_a(value)})
    with rig.running() as pipeline:
        rig.wait_live(8)
        assert pipeline.snapshot().safe[SafeReason.MATTE_INVALID] >= 1
        assert rig.engine.resets >= 1
    assert any(map(room.is_card, rig.sink.pictures))
    rig.assert_closed()


def test_a_matte_of_another_frame_becomes_the_card() -> None:
    rig = Rig(spoil={3: lambda matte: replace(matte, stamp=Stamp(0, 0))})
    with rig.running() as pipeline:
        rig.wait_live(8)
        assert pipeline.snapshot().safe[SafeReason.MATTE_INVALID] >= 1
    rig.assert_closed()


@either_intake
def test_one_engine_error_is_a_card_and_a_reset(ahead: bool) -> None:
    rig = Rig(engine_faults={3: raises(ENGINE_BROKE)}, ahead=ahead)
    with rig.running() as pipeline:
        rig.wait_live(8)
        assert pipeline.snapshot().safe[SafeReason.ENGINE_ERROR] >= 1
        assert rig.engine.resets >= 1
    rig.assert_closed()


@either_intake
def test_an_engine_that_keeps_failing_is_opened_anew(ahead: bool) -> None:
    rig = Rig(engine_faults=dict.fromkeys((3, 4, 5), raises(ENGINE_BROKE)), ahead=ahead)
    opened: list[int] = []
    rig.before_engine = lambda: opened.append(1)
    with rig.running():
        rig.wait_live(8)
    assert len(opened) == 2
    rig.assert_closed()


def test_a_programming_error_in_the_engine_is_a_card_and_a_restart() -> None:
    rig = Rig(engine_faults={3: raises(ValueError("a bug"))})
    with rig.running() as pipeline:
        rig.wait_card(after=3)
        rig.wait_live(8)
        assert pipeline.snapshot().safe[SafeReason.INTERNAL_ERROR] >= 1
    rig.assert_closed()


def test_a_network_that_cannot_be_fetched_is_no_fault_in_vcam() -> None:
    gate = threading.Event()
    fails = raises(ModelFetchError("no network", hint="import it"))
    tries: Iterator[Fault] = iter((fails, lambda: assert_set(gate)))
    rig = Rig(before_engine=lambda: next(tries)())
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().safe_reason is SafeReason.ENGINE_ERROR)
        gate.set()
        rig.wait_live(1)
        assert not pipeline.snapshot().safe[SafeReason.INTERNAL_ERROR]
    rig.assert_closed()


def test_an_engine_that_never_works_ends_the_process() -> None:
    rig = Rig(before_engine=raises(EngineError("no such engine", hint="this is a test")))
    with pytest.raises(EngineError, match="no such engine"), rig.running() as pipeline:
        wait_until(lambda: pipeline.ended)
    rig.assert_closed()


@either_intake
def test_a_stalled_engine_is_covered_by_the_card(ahead: bool) -> None:
    gate = threading.Event()
    rig = Rig(engine_faults={3: lambda: assert_set(gate)}, ahead=ahead)
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.ENGINE_STALL] >= 3)
        gate.set()
        rig.wait_live(8)
    rig.assert_closed()


def test_a_slow_engine_does_not_flicker() -> None:
    slow = dict.fromkeys(range(1000), lambda: time.sleep(0.15))
    rig = Rig(engine_faults=slow)
    with rig.running() as pipeline:
        rig.wait_live(2)
        before = sum(pipeline.snapshot().safe.values())
        rig.wait_live(12)
        # Flicker would be several cards between each two frames; one hiccup of a busy machine is not.
        assert sum(pipeline.snapshot().safe.values()) - before < 20
    rig.assert_closed()


@either_intake
def test_a_late_frame_is_not_shown(ahead: bool) -> None:
    rig = Rig(engine_faults={3: lambda: time.sleep(0.3)}, ahead=ahead)
    rig.policy = replace(rig.policy, max_latency_s=0.15, safe_after_s=5.0)
    with rig.running() as pipeline:
        rig.wait_live(8)
        assert pipeline.snapshot().dropped[DropReason.LATE] >= 1
        assert pipeline.snapshot().safe[SafeReason.LATE] >= 1
    rig.assert_closed()


@either_intake
def test_a_lost_camera_becomes_the_card_and_comes_back(ahead: bool) -> None:
    rig = Rig(
        source_faults=dict.fromkeys(range(5, 8), raises(DeviceError("unplugged", hint="plug it in"))), ahead=ahead
    )
    with rig.running() as pipeline:
        rig.wait_live(3)
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.CAMERA_LOST] >= 1)
        rig.wait_live(12)
        assert rig.engine.resets >= 1
    assert rig.source.opened == 4
    rig.assert_closed()


def test_a_camera_lost_while_frames_are_late_is_told_as_lost() -> None:
    late = dict.fromkeys(range(3, 1000), lambda: time.sleep(0.3))
    gone = dict.fromkeys(range(20, 1000), raises(DeviceError("unplugged", hint="plug it in")))
    rig = Rig(source_faults=gone, engine_faults=late)
    rig.policy = replace(rig.policy, max_latency_s=0.15, safe_after_s=5.0)
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.LATE] >= 1)
        wait_until(lambda: pipeline.snapshot().safe_reason is SafeReason.CAMERA_LOST)
    rig.assert_closed()


def test_a_missing_camera_is_an_error_at_start() -> None:
    rig = Rig(source_faults=dict.fromkeys(range(100), raises(DeviceError("no camera", hint="plug it in"))))
    with pytest.raises(DeviceError, match="no camera"), rig.running() as pipeline:
        wait_until(lambda: pipeline.ended)


def test_a_missing_camera_is_waited_for_when_asked() -> None:
    rig = Rig(source_faults=dict.fromkeys(range(2), raises(DeviceError("no camera", hint="plug it in"))))
    rig.policy = replace(rig.policy, wait_for_camera=True)
    with rig.running():
        rig.wait_card()
        rig.wait_live(3)
    rig.assert_closed()


@either_intake
def test_a_corrupt_frame_is_dropped_and_counted(ahead: bool) -> None:
    rig = Rig(data=room.camera_picture()[:-100], ahead=ahead)
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().dropped[DropReason.CORRUPT] >= 3)
        rig.wait_card()
    assert all(map(room.is_card, rig.sink.pictures))


def test_a_sink_that_fails_is_reopened_and_stops_no_other() -> None:
    broken = FakeSink(
        room.OUTPUT, name="broken:", faults={4: raises(SinkError("gone", hint="this is a test"))}, refuse=0
    )
    rig = Rig(sinks=(FakeSink(room.OUTPUT), broken))
    with rig.running() as pipeline:
        rig.wait_live(10)
        assert broken.wait_for(lambda all_: sum(map(room.shows_person, all_)) >= 8, LIMIT_S)
        status = {output.name: output for output in pipeline.snapshot().outputs}
        assert (status["broken:"].errors, status["fake:"].errors) == (1, 0)
    assert broken.opened == 2
    rig.assert_closed()


def test_a_sink_that_will_not_open_stops_no_other() -> None:
    absent = FakeSink(room.OUTPUT, name="absent:", refuse=1)
    rig = Rig(sinks=(FakeSink(room.OUTPUT), absent))
    with rig.running():
        rig.wait_live(3)
        assert absent.wait_for(lambda all_: len(all_) > 0, LIMIT_S)


def test_no_sink_at_all_is_an_error() -> None:
    with pytest.raises(SinkError, match="refuses"), Rig(sinks=(FakeSink(room.OUTPUT, refuse=1),)).running():
        pass


@either_intake
def test_reload_goes_through_the_card(ahead: bool) -> None:
    rig = Rig(ahead=ahead)
    with rig.running() as pipeline:
        rig.wait_live(5)
        gate = threading.Event()
        rig.before_engine = lambda: assert_set(gate)
        seen = len(rig.sink.pictures)
        pipeline.reload(rig.wiring())
        rig.wait_card(after=seen)
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.RELOAD] >= 1)
        gate.set()
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
    rig.assert_closed()
    assert rig.sink.opened == 1


@either_intake
def test_pause_shows_the_card(ahead: bool) -> None:
    rig = Rig(ahead=ahead)
    with rig.running() as pipeline:
        rig.wait_live(3)
        pipeline.pause(paused=True)
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.PAUSED] >= 3)
        assert room.is_card(rig.sink.pictures[-1])
        pipeline.pause(paused=False)
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
    rig.assert_closed()


def test_after_a_pause_the_camera_is_not_said_to_be_lost() -> None:
    gate = threading.Event()
    gate.set()
    rig = Rig(source_faults=dict.fromkeys(range(1000), lambda: assert_set(gate)))
    with rig.running() as pipeline:
        rig.wait_live(3)
        pipeline.pause(paused=True)
        gate.clear()
        wait_until(lambda: (pipeline.snapshot().last_live_age_s or 0.0) > 2 * POLICY.safe_after_s)
        before = pipeline.snapshot().safe
        pipeline.pause(paused=False)
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.STARTING] > before[SafeReason.STARTING] + 3)
        assert pipeline.snapshot().safe_reason is SafeReason.STARTING
        assert pipeline.snapshot().safe[SafeReason.CAMERA_LOST] == before[SafeReason.CAMERA_LOST]
        gate.set()
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
        pipeline.pause(paused=False)
        assert pipeline.snapshot().last_live_age_s is not None, "there was no pause to end"
    rig.assert_closed()


def test_a_reload_to_a_camera_that_is_not_there_says_so() -> None:
    rig = Rig()
    absent = Rig(source_faults=dict.fromkeys(range(1000), raises(DeviceError("no camera", hint="plug it in"))))
    with rig.running() as pipeline:
        rig.wait_live(3)
        pipeline.reload(replace(absent.wiring(), sinks=rig.sinks))
        wait_until(lambda: pipeline.snapshot().safe_reason is SafeReason.CAMERA_LOST)
    rig.assert_closed()


class Faulty(FakeSink):
    """With a fault of its own, which the frame thread meets, again and again."""

    faulty = False

    def write(self, image: Image) -> None:
        if self.faulty and threading.current_thread().name == "vcam-frame":
            raise RuntimeError("a fault in a sink")
        super().write(image)


def test_no_thread_dies_without_a_word() -> None:
    sink = Faulty(room.OUTPUT)
    rig = Rig(sinks=(sink,))
    sink.faulty = True
    with pytest.raises(RuntimeError, match="a fault in a sink"), Pipeline(rig.wiring()) as pipeline:
        pipeline.run()


def test_a_frame_thread_that_ends_before_the_pictures_is_an_error() -> None:
    def cut_off() -> None:
        with Rig().running() as pipeline:
            pipeline._loops._slot.close()
            wait_until(lambda: pipeline.ended)

    with pytest.raises(VcamError, match="vcam-frame ended before the pictures did"):
        cut_off()


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("by_source", [True, False])
def test_the_end_of_the_pictures_is_none(*, live: bool, by_source: bool) -> None:
    rig = Rig()
    rig.policy = replace(rig.policy, live=live, frames=None if by_source else 5)
    if by_source:
        rig.source = FakeSource(rig.data, room.CAMERA, frames=5, interval_s=INTERVAL_S)
    with Pipeline(rig.wiring()) as pipeline:
        pipeline.run()
    rig.assert_closed()


def test_a_reload_does_not_end_a_pause() -> None:
    rig = Rig()
    with rig.running() as pipeline:
        rig.wait_live(3)
        pipeline.pause(paused=True)
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.PAUSED] >= 1)
        shown, opened = sum(map(room.shows_person, rig.sink.pictures)), rig.source.opened
        pipeline.reload(rig.wiring())
        wait_until(lambda: rig.source.opened > opened and pipeline.snapshot().engine is not None)
        more = len(rig.sink.pictures) + 20
        assert rig.sink.wait_for(lambda all_: len(all_) >= more, LIMIT_S)
        assert sum(map(room.shows_person, rig.sink.pictures)) <= shown + 1, "one may have been on its way"
    rig.assert_closed()


def test_a_reload_does_not_wake_an_idle_camera() -> None:
    rig = Rig()
    rig.policy = replace(rig.policy, idle_after_s=0.05)
    rig.sink.readers = 0
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().state is State.IDLE and not rig.source.is_open)
        opened = rig.source.opened
        pipeline.reload(rig.wiring())
        engine_before = rig.engine.opened
        wait_until(lambda: rig.engine.opened > engine_before)
        time.sleep(0.3)
        assert rig.source.opened == opened


def test_a_reload_that_switches_on_demand_off_wakes_the_camera() -> None:
    rig = Rig()
    rig.policy = replace(rig.policy, idle_after_s=0.05)
    rig.sink.readers = 0
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().state is State.IDLE)
        rig.policy = replace(rig.policy, idle_after_s=None)
        pipeline.reload(rig.wiring())
        wait_until(lambda: pipeline.snapshot().state is State.LIVE)
    rig.assert_closed()


@either_intake
def test_nobody_watching_closes_the_camera(ahead: bool) -> None:
    rig = Rig(ahead=ahead)
    rig.policy = replace(rig.policy, idle_after_s=0.05)
    rig.sink.readers = 1
    with rig.running() as pipeline:
        rig.wait_live(3)
        rig.sink.readers = 0
        wait_until(lambda: pipeline.snapshot().state is State.IDLE and not rig.source.is_open)
        rig.sink.readers = 1
        wait_until(lambda: rig.source.is_open)
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
    rig.assert_closed()


@either_intake
def test_who_comes_while_nobody_watches_finds_the_card_and_not_the_last_picture(ahead: bool) -> None:
    rig = Rig(ahead=ahead)
    rig.policy = replace(rig.policy, idle_after_s=0.05)
    rig.sink.readers = 1
    with rig.running() as pipeline:
        rig.wait_live(3)
        rig.sink.readers = 0
        wait_until(lambda: pipeline.snapshot().state is State.IDLE)
        assert rig.sink.wait_for(lambda all_: not any(map(room.shows_person, all_[-2:])), LIMIT_S)
        wait_until(lambda: not rig.source.is_open)
        assert pipeline.snapshot().state is State.IDLE
        rig.sink.readers = 1
        reasons = set()
        while rig.sink.pictures and not room.shows_person(rig.sink.pictures[-1]):
            reasons.add(pipeline.snapshot().safe_reason)
        assert SafeReason.CAMERA_LOST not in reasons
    rig.assert_closed()


@either_intake
def test_stop_is_clean_within_a_second_even_when_the_engine_hangs(ahead: bool) -> None:
    gate = threading.Event()
    rig = Rig(engine_faults={3: lambda: assert_set(gate)}, ahead=ahead)
    with rig.running() as pipeline:
        wait_until(lambda: rig.engine.mattes == 4)
        pipeline.stop()
        wait_until(lambda: pipeline.ended)
    written = len(rig.sink.pictures)
    gate.set()
    time.sleep(0.05)
    assert len(rig.sink.pictures) == written
    rig.assert_closed()


def give_up_after(limit_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """That soon, and only where it is not this process that was kept from running: a test machine is often busy."""
    monkeypatch.setattr(overdue, "LIMIT_S", limit_s)
    monkeypatch.setattr(overdue, "_AWAY_S", limit_s / 3)


def test_an_engine_that_never_returns_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    give_up_after(0.3, monkeypatch)
    gate = threading.Event()
    rig = Rig(engine_faults={3: lambda: assert_set(gate)})
    with pytest.raises(EngineError, match="has not returned"), rig.running() as pipeline:
        wait_until(lambda: pipeline.ended)
    gate.set()
    rig.assert_closed()


def test_a_driver_that_keeps_its_thread_gets_another(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    give_up_after(0.3, monkeypatch)
    gate = threading.Event()
    rig = Rig(source_faults={5: lambda: assert_set(gate)})
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.CAMERA_LOST] >= 1)
        shown = len(rig.sink.pictures)
        assert rig.sink.wait_for(lambda all_: sum(map(room.shows_person, all_[shown:])) >= 3, LIMIT_S)
        assert pipeline.snapshot().state is State.LIVE
        reads = rig.source.reads
        gate.set()
        wait_until(lambda: rig.source.reads > reads + 5)
    assert (rig.source.opened, rig.engine.resets) == (2, 1), "the one that came back reads no more"
    assert [record.message for record in caplog.records].count("capture.stuck") == 1
    rig.assert_closed()


def test_a_driver_that_keeps_every_thread_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    give_up_after(0.1, monkeypatch)
    gate = threading.Event()
    rig = Rig(source_faults=dict.fromkeys(range(5, 100), lambda: assert_set(gate)))
    with pytest.raises(DeviceError, match="the driver of fake does not answer"), rig.running() as pipeline:
        wait_until(lambda: pipeline.ended)
    gate.set()
    assert rig.source.opened == 9, "eight are given up"
    rig.assert_closed()


class NumberedSource(FakeSource):
    """Each picture is of one grey, which tells its number."""

    def read(self, timeout_s: float) -> EncodedFrame:
        frame = super().read(timeout_s)
        buffer, planes = allocate_planes(room.CAMERA)
        for plane, level in zip(planes, (grey_of(frame.stamp), 128, 128), strict=True):
            plane[:] = level
        return replace(frame, data=buffer)


def grey_of(stamp: Stamp) -> int:
    """Two levels apart, so that the output's narrower range keeps them apart."""
    return 16 + 2 * (stamp.sequence % 112)


class ComparingEngine(FakeEngine):
    """Finds no one in a picture that is not that of its stamp."""

    mistaken = 0

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        if np.abs(small - grey_of(stamp) / 255).max() > 1.5 / 255:
            self.mistaken += 1
        return super().matte(small, stamp)


@either_intake
def test_each_matte_is_of_its_own_frame(ahead: bool) -> None:
    rig = Rig(ahead=ahead, mask=np.ones((12, 20), np.float32))
    rig.source = NumberedSource(b"", room.CAMERA, interval_s=0.005)
    engine = rig.engine = ComparingEngine(rig.mask)
    shown = 60
    with rig.running():
        assert rig.sink.wait_for(lambda all_: len(all_) - sum(map(room.is_card, all_)) >= shown, LIMIT_S)
    greys = [int(picture[0][96, 160]) for picture in rig.sink.pictures if not room.is_card(picture)]
    steps = np.diff(greys)
    assert np.all(steps[steps < 0] < -100), "newer and newer, but where the greys begin again"
    assert not np.any(steps == 0), "no frame leaves twice"
    assert engine.mistaken == 0

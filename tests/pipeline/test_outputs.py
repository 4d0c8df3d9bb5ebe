"""When a picture has left, and when there is no hope left that one will."""

import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from typing import Self

import pytest

from tests.pipeline import room
from tests.pipeline.rig import Rig, raises, wait_until
from tests.support.clock import Clock
from vcam.errors import SinkError, SinkUnusableError
from vcam.fakes import FakeSink, Fault
from vcam.pipeline import outputs as outputs_module
from vcam.pipeline.outputs import REOPEN_S, Outputs
from vcam.pipeline.snapshot import State
from vcam.pipeline.supervisor import Pipeline

GONE = raises(SinkError("gone", hint="plug it in"))
LIMIT_S = 60.0
PICTURE = room.card(room.GreenBackdrop(), room.OUTPUT, None)


class Uncounted(FakeSink):
    """Knows its readers until it loses count, while it is open."""

    counts = True

    def consumers(self) -> int | None:
        assert self.is_open
        if not self.counts:
            GONE()
        return super().consumers()


class Faults(dict[int, Fault]):
    """The same fault at every write from one on."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.first = first

    def __contains__(self, index: object) -> bool:
        return isinstance(index, int) and index >= self.first

    def __missing__(self, index: int) -> Fault:
        return GONE


def dying(first: int, name: str = "dying:") -> FakeSink:
    """A sink whose writes fail from ``first`` on, however often it is opened."""
    sink = FakeSink(room.OUTPUT, name=name)
    sink._faults = Faults(first)
    return sink


def test_a_picture_that_no_output_takes_has_not_left() -> None:
    clock = Clock()
    with Outputs([dying(1), dying(1, "other:")], clock=clock) as outputs:
        outputs.write([PICTURE, PICTURE])
        for _ in range(3):
            clock.now_s += 2.0
            outputs.write([PICTURE, PICTURE])
        assert outputs.last_write_age_s() == 6.0


def test_a_picture_that_one_output_takes_has_left() -> None:
    clock = Clock()
    with Outputs([dying(0), FakeSink(room.OUTPUT)], clock=clock) as outputs:
        clock.now_s += 2.0
        outputs.write([PICTURE, PICTURE])
        clock.now_s += 1.0
        assert outputs.last_write_age_s() == 1.0


def test_outputs_that_open_again_and_take_nothing_are_given_up() -> None:
    clock = Clock()
    with Outputs([dying(1)], clock=clock) as outputs:
        outputs.write([PICTURE])
        outputs.check(LIMIT_S)
        while clock.now_s < 100.0 + LIMIT_S:
            outputs.write([PICTURE])
            outputs.check(LIMIT_S)
            clock.now_s += REOPEN_S
            outputs.tend()
            outputs.check(LIMIT_S)
        outputs.write([PICTURE])
        with pytest.raises(SinkError, match="no output has taken a picture for 60 s: gone") as raised:
            outputs.check(LIMIT_S)
    assert (raised.value.hint, raised.value.exit_code) == ("plug it in", 7)


def test_one_output_that_works_is_enough() -> None:
    clock = Clock()
    with Outputs([dying(0), FakeSink(room.OUTPUT)], clock=clock) as outputs:
        outputs.write([PICTURE, PICTURE])
        clock.now_s += 2 * LIMIT_S
        outputs.check(LIMIT_S)


def test_a_picture_begins_the_count_anew() -> None:
    clock = Clock()
    sink = FakeSink(room.OUTPUT, faults={0: GONE, 2: GONE})
    with Outputs([sink], clock=clock) as outputs:
        for _ in range(2):
            outputs.write([PICTURE])
            clock.now_s += LIMIT_S - 1
            outputs.check(LIMIT_S)
            outputs.tend()
            outputs.write([PICTURE])
        assert len(sink.pictures) == 2


@pytest.mark.parametrize("readers", [0, 2])
def test_an_output_whose_readers_cannot_be_counted_has_failed_and_is_opened_again(readers: int) -> None:
    clock = Clock()
    sink = Uncounted(room.OUTPUT)
    sink.readers = readers
    with Outputs([sink], clock=clock) as outputs:
        outputs.tend()
        sink.counts = False
        assert not outputs.tend()
        (status,) = outputs.status()
        assert (status.up, status.consumers, status.errors) == (False, None, 1)
        assert outputs.watched() is (readers > 0), "as it was before"
        sink.counts, sink.readers = True, 3
        clock.now_s += REOPEN_S
        assert outputs.tend()
        outputs.tend()
        (status,) = outputs.status()
        assert (status.up, status.consumers, status.errors) == (True, 3, 1)


def test_an_output_whose_readers_cannot_be_counted_stops_no_other() -> None:
    broken = Uncounted(room.OUTPUT, name="broken:")
    rig = Rig(sinks=(FakeSink(room.OUTPUT), broken))
    with rig.running() as pipeline:
        rig.wait_live(3)
        broken.counts = False
        wait_until(lambda: not pipeline.snapshot().outputs[1].up)
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
    rig.assert_closed()


class SlowToOpen(FakeSink):
    """Others are written to while it opens, as by another thread."""

    meanwhile: Callable[[], object]

    def __enter__(self) -> Self:
        if self.opened:
            thread = threading.Thread(target=self.meanwhile)
            thread.start()
            thread.join(LIMIT_S)
            assert not thread.is_alive()
        return super().__enter__()


def test_no_picture_waits_for_an_output_that_opens() -> None:
    clock = Clock()
    slow, well = SlowToOpen(room.OUTPUT, faults={0: GONE}), FakeSink(room.OUTPUT)
    with Outputs([slow, well], clock=clock) as outputs:
        slow.meanwhile = lambda: outputs.write([PICTURE, PICTURE])
        outputs.write([PICTURE, PICTURE])
        clock.now_s += REOPEN_S
        assert outputs.tend()
        assert (len(slow.pictures), len(well.pictures)) == (0, 2)
        outputs.write([PICTURE, PICTURE])
        assert (len(slow.pictures), len(well.pictures)) == (1, 3)


FULL = raises(SinkUnusableError("the disk is full", hint="make room"))


def test_a_recording_that_failed_is_never_opened_again_and_the_error_is_told_at_the_end() -> None:
    clock = Clock()
    recording, camera = FakeSink(room.OUTPUT, name="file:", faults={1: FULL}), FakeSink(room.OUTPUT)
    outputs = Outputs([recording, camera], clock=clock)

    def record() -> None:
        for _ in range(5):
            outputs.write([PICTURE, PICTURE])
            clock.now_s += 2 * REOPEN_S
            outputs.tend()
            outputs.check(LIMIT_S)

    with pytest.raises(SinkUnusableError, match="the disk is full"), outputs:
        record()
    assert (recording.opened, len(recording.pictures), len(camera.pictures)) == (1, 1, 5)
    outputs.__exit__(None, None, None)


def test_where_every_output_is_a_recording_that_failed_there_is_nothing_to_wait_for() -> None:
    clock = Clock()
    outputs = Outputs([FakeSink(room.OUTPUT, faults={0: FULL}), FakeSink(room.OUTPUT, faults={1: FULL})], clock=clock)
    outputs.__enter__()
    outputs.write([PICTURE, PICTURE])
    outputs.check(LIMIT_S)
    outputs.write([PICTURE, PICTURE])
    with pytest.raises(SinkUnusableError, match="the disk is full"):
        outputs.check(LIMIT_S)


def test_an_output_that_was_unusable_when_it_was_opened_again_may_be_usable_later() -> None:
    clock = Clock()
    sink = FakeSink(room.OUTPUT, faults={1: GONE})
    with Outputs([sink], clock=clock) as outputs:
        for _ in range(2):
            outputs.write([PICTURE])
        clock.now_s += REOPEN_S
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FakeSink, "__enter__", lambda _: FULL())
            outputs.tend()
        outputs.check(LIMIT_S)
        clock.now_s += REOPEN_S
        assert outputs.tend()


def test_a_lost_recording_keeps_no_camera_awake() -> None:
    device = FakeSink(room.OUTPUT)
    device.readers = 0
    outputs = Outputs([FakeSink(room.OUTPUT, faults={0: FULL}), device], clock=Clock())
    outputs.__enter__()
    outputs.tend()
    assert outputs.watched()
    outputs.write([PICTURE, PICTURE])
    assert not outputs.watched()


def test_a_pipeline_that_lost_its_recording_goes_on_and_ends_with_the_error() -> None:
    rig = Rig(sinks=(FakeSink(room.OUTPUT), FakeSink(room.OUTPUT, name="file:", faults={2: FULL})))
    with pytest.raises(SinkUnusableError, match="the disk is full") as raised, rig.running():
        rig.wait_live(5)
    assert raised.value.exit_code == 7
    rig.assert_closed()


@pytest.mark.parametrize("reopen_s", [0.02, 60.0])
def test_a_pipeline_whose_outputs_stay_dead_ends(reopen_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs_module, "REOPEN_S", reopen_s)
    rig = Rig(sinks=(dying(4),))
    rig.policy = replace(rig.policy, give_up_after_s=0.3)
    with pytest.raises(SinkError, match="no output has taken a picture"), rig.running() as pipeline:
        wait_until(lambda: pipeline.ended)
    assert len(rig.sink.pictures) == 4
    rig.assert_closed()


@pytest.mark.parametrize("idle_after_s", [1.0, None])
def test_nobody_misses_a_dead_output_while_nobody_watches(idle_after_s: float | None) -> None:
    clock = Clock()
    rig = Rig(sinks=(dying(1),))
    rig.policy = replace(rig.policy, idle_after_s=idle_after_s, clock=clock)
    rig.sink.readers = 0
    with Pipeline(rig.wiring()) as pipeline:
        pipeline._tick()
        clock.now_s += 1.0
        rig.sink._refuse = 1
        pipeline._tick()
        assert (pipeline.snapshot().state is State.IDLE) == (idle_after_s is not None)
        clock.now_s += LIMIT_S
        with nullcontext() if idle_after_s else pytest.raises(SinkError, match="no output has taken a picture"):
            pipeline._check_outputs()


def test_an_output_that_comes_back_while_nobody_watches_is_seen_again() -> None:
    clock = Clock()
    rig = Rig(sinks=(dying(1),))
    rig.policy = replace(rig.policy, idle_after_s=1.0, clock=clock)
    rig.sink.readers = 0
    with Pipeline(rig.wiring()) as pipeline:
        pipeline._tick()
        clock.now_s += 1.0
        rig.sink._refuse = 1
        for _ in range(20):
            pipeline._tick()
        assert pipeline.snapshot().state is State.IDLE
        rig.sink._faults = {}
        written = len(rig.sink.pictures)
        clock.now_s += 1.0
        pipeline._tick()
        assert len(rig.sink.pictures) == written + 1

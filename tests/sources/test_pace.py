"""The pace of files and drawn scenes, with a clock that only waiting moves."""

import pytest

from vcam.frame import Stamp
from vcam.sources.pace import Pace, Pacer


class _Clock:
    def __init__(self, now_s: float) -> None:
        self.now_s = now_s
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now_s += seconds


def test_every_frame_neither_waits_nor_reads_the_clock() -> None:
    def forbidden(*_: float) -> float:
        raise AssertionError

    pacer = Pacer(Pace.EVERY_FRAME, 1 / 25, forbidden, forbidden)
    assert [pacer.next() for _ in range(3)] == [Stamp(0, 0), Stamp(40_000_000, 1), Stamp(80_000_000, 2)]


def test_realtime_waits_for_each_frame_and_stamps_its_time() -> None:
    clock = _Clock(100.0)
    pacer = Pacer(Pace.REALTIME, 0.5, clock, clock.wait)
    assert pacer.next() == Stamp(100_000_000_000, 0)
    clock.now_s += 0.125
    assert pacer.next() == Stamp(100_500_000_000, 1)
    assert clock.waits == [pytest.approx(0.375)]


def test_a_late_reader_misses_frames_and_is_not_given_a_burst() -> None:
    clock = _Clock(10.0)
    pacer = Pacer(Pace.REALTIME, 0.5, clock, clock.wait)
    pacer.next()
    clock.now_s += 1.75
    assert pacer.next() == Stamp(11_500_000_000, 3)
    assert clock.waits == [], "frame 3 was due already"
    assert pacer.next() == Stamp(12_000_000_000, 4)
    assert clock.waits == [pytest.approx(0.25)]


def test_a_little_late_loses_nothing() -> None:
    clock = _Clock(0.0)
    pacer = Pacer(Pace.REALTIME, 0.5, clock, clock.wait)
    pacer.next()
    clock.now_s += 0.75
    assert pacer.next().sequence == 1

"""When the next frame of a file or a drawn scene is due."""

import time
from collections.abc import Callable
from enum import StrEnum

from vcam.frame import Stamp

_NS_PER_S = 1_000_000_000


class Pace(StrEnum):
    """realtime: as a camera would deliver; a reader who is late misses frames. every_frame: all, without waiting."""

    REALTIME = "realtime"
    EVERY_FRAME = "every_frame"


class Pacer:
    """Numbers and times the frames of one opening of a source. Used by one thread.

    interval_s: between two frames. clock: seconds of CLOCK_MONOTONIC. wait: blocks for that many seconds.
    """

    def __init__(
        self,
        pace: Pace,
        interval_s: float,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._pace = pace
        self._interval_s = interval_s
        self._clock = clock
        self._wait = wait
        self._next = 0
        self._began_s: float | None = None

    def next(self) -> Stamp:
        """Wait until a frame is due and return its stamp; the first is due at once.

        every_frame: consecutive numbers, pts_ns on the source's own time line from 0. realtime: pts_ns is the time on
        the clock at which the frame was due; frames that are overdue by an interval or more are skipped, which shows
        as a gap in ``sequence``.
        """
        sequence = self._next
        if self._pace is Pace.EVERY_FRAME:
            due_s = sequence * self._interval_s
        else:
            sequence, due_s = self._catch_up(sequence)
        self._next = sequence + 1
        return Stamp(pts_ns=round(due_s * _NS_PER_S), sequence=sequence)

    def _catch_up(self, sequence: int) -> tuple[int, float]:
        now_s = self._clock()
        if self._began_s is None:
            self._began_s = now_s
        newest = int((now_s - self._began_s) / self._interval_s)
        sequence = max(sequence, newest)
        due_s = self._began_s + sequence * self._interval_s
        if due_s > now_s:
            self._wait(due_s - now_s)
        return sequence, due_s

"""What goes on while a processor is made ready: how far its plan is, and whether anybody still wants it."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_log = logging.getLogger(__name__)

_TOLD_PARTS = 10
"""The log hears of a plan build each time that another tenth of it is done."""


def _nobody(_seconds: float) -> None:
    """Nobody counts."""


class Preparation:
    """Given to whoever opens a processor. One thread works under it; any thread may read or cancel it.

    stopping: whether the pipeline ends. built: is told how many seconds a plan took to build.
    """

    def __init__(
        self,
        stopping: Callable[[], bool] = lambda: False,
        built: Callable[[float], None] = _nobody,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stopping = stopping
        self._built = built
        self._clock = clock
        self._cancelled = threading.Event()
        self._told = 0
        self.plan_build_share: float | None = None

    @property
    def cancelled(self) -> bool:
        """Nobody wants the processor any more: whoever works should end at once, and its children too."""
        return self._cancelled.is_set() or self._stopping()

    def cancel(self) -> None:
        """Give up; returns at once."""
        self._cancelled.set()

    def wait(self, seconds: float) -> None:
        """Sleep; ended early by ``cancel``."""
        self._cancelled.wait(seconds)

    @contextmanager
    def plan_build(self) -> Iterator[Callable[[float], None]]:
        """Around the build of a plan; gives what is to be called with the share that is done, 0 to 1."""
        began_s = self._clock()
        self.plan_build_share, self._told = 0.0, 0
        _log.info("plan.building")
        try:
            yield self._progressed
            self._built(self._clock() - began_s)
        finally:
            self.plan_build_share = None

    def _progressed(self, share: float) -> None:
        share = self.plan_build_share = min(max(share, 0.0), 1.0)
        done = int(share * _TOLD_PARTS)
        if done > self._told:
            self._told = done
            _log.info("plan.progress", extra={"share": round(share, 2)})

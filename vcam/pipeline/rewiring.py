"""Which wiring is at work: the one that was asked for, and the one from before until that has shown a frame."""

import logging
import threading
from collections.abc import Callable
from typing import TypeAlias

from vcam.pipeline.wiring import Wiring
from vcam.pipeline.worker import fault, told

_log = logging.getLogger(__name__)

Refused: TypeAlias = Callable[[Exception], None]
"""Told why, in the supervisor's thread, which holds the lock: nobody changes anything meanwhile. It must be quick."""


def nothing(_: Exception) -> None:
    """Nobody wants to know."""


class Rewiring:
    """now: the wiring at work. proving: that one was asked for, and no live frame has left yet.

    lock: held while anything is changed that a user can change; who changes several things may hold it, too. The
    supervisor never waits for it, since viewers would.
    """

    def __init__(self, first: Wiring) -> None:
        self.lock = threading.RLock()
        self.now = first
        self.proving = False
        self._next: Wiring | None = None
        self._earlier: tuple[Wiring, Refused] | None = None

    @property
    def latest(self) -> Wiring:
        """What was asked for last."""
        return self._next or self.now

    def ask(self, wiring: Wiring, refused: Refused, *, sound: bool) -> None:
        """Ask for another. sound: the engine of the one at work is open, so that one may go back to it."""
        with self.lock:
            if self._next is None and (self._earlier is None or sound):
                self._earlier = self.now, refused
            self._next = wiring

    def turn(self, failure: Exception | None) -> bool:
        """Make ``now`` the wiring that was asked for; else, where the present one has failed, the one from before it.

        Whether it is another one now; if the lock is held, it may be so the next time.
        """
        if not self.lock.acquire(blocking=False):
            return False
        try:
            wiring = self._next or self._back(failure)
            if wiring is None:
                return False
            self.now, self._next, self.proving = wiring, None, True
            return True
        finally:
            self.lock.release()

    def can_turn(self) -> bool:
        """Whether there is another wiring than the one at work."""
        return self._next is not None or self._earlier is not None

    def proved(self) -> None:
        """A live frame has left: nothing leads back any more."""
        if self.proving and self.lock.acquire(blocking=False):
            if self._next is None:
                self.proving, self._earlier = False, None
            self.lock.release()

    def _back(self, failure: Exception | None) -> Wiring | None:
        if failure is None or self._earlier is None:
            return None
        (wiring, refused), self._earlier = self._earlier, None
        _log.error("config.rejected", extra=told(failure), exc_info=fault(failure))
        refused(failure)
        return wiring

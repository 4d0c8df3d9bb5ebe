"""Signals as values: the main thread waits for them instead of being interrupted by them."""

import signal
from queue import Empty, SimpleQueue
from types import FrameType, TracebackType
from typing import Self

from vcam.cli.terminal import Terminal

STOP = frozenset({signal.SIGINT, signal.SIGTERM})
RELOAD = signal.SIGHUP
NEXT_PROFILE, PAUSE = signal.SIGUSR1, signal.SIGUSR2
_CAUGHT = (*STOP, RELOAD, NEXT_PROFILE, PAUSE)

KILLED_BY = 128
"""Shell convention for the exit code of work that a signal cut short: this plus the signal's number."""


class SignalBox:
    """Collects SIGINT, SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 while entered. Entered and left by the main thread.

    A handler runs between two instructions of the main thread, whatever that holds at the moment: so it only puts the
    number into a SimpleQueue, which is made to be re-entered; no lock of ours is ever taken in it.
    """

    def __init__(self) -> None:
        self._arrived: SimpleQueue[signal.Signals | None] = SimpleQueue()
        self._before: dict[signal.Signals, object] = {}
        self._terminal: Terminal | None = None

    def __enter__(self) -> Self:
        self._terminal = Terminal()
        for number in _CAUGHT:
            self._before[number] = signal.signal(number, self._put)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what signal.signal returned it takes back
        self._before.clear()

    def wait(self, timeout_s: float) -> signal.Signals | None:
        """The next signal; None after ``timeout_s`` or when woken."""
        try:
            return self._arrived.get(timeout=timeout_s)
        except Empty:
            return None

    def wake(self) -> None:
        """End a ``wait``. Any thread."""
        self._arrived.put(None)

    def stops(self, arrived: signal.Signals | None) -> bool:
        """Whether it asks for the end: SIGINT, SIGTERM, and SIGHUP where the terminal is gone that vcam began in."""
        if arrived is RELOAD:
            return self._terminal is not None and self._terminal.gone()
        return arrived in STOP

    def kill_next_time(self) -> None:
        """From now on SIGINT and SIGTERM end the process at once: the user has asked twice."""
        for number in STOP:
            signal.signal(number, signal.SIG_DFL)

    def _put(self, number: int, _frame: FrameType | None) -> None:
        self._arrived.put(signal.Signals(number))

"""The terminal that a command was started in, and whether its window is still there."""

import errno
import os
import signal
from pathlib import Path

_TERMINAL = "/dev/tty"
_GONE = (errno.ENXIO, errno.EIO)


class Terminal:
    """The controlling terminal as it is when this is made. SIGHUP may tell of its end, or be a wish to reload.

    Who started the command so that it outlives its terminal (nohup, a service) has no terminal here.
    """

    def __init__(self) -> None:
        minded = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        self._was_there = minded and _why_not() is None
        self._descriptors = [number for number in range(3) if os.isatty(number)]

    def gone(self) -> bool:
        """Whether its window was closed, or its connection lost. From then on nothing is read from it or written."""
        if not self._was_there or _why_not() not in _GONE:
            return False
        with Path(os.devnull).open("r+b") as nowhere:  # else whoever tells anything fails
            for number in self._descriptors:
                os.dup2(nowhere.fileno(), number)
        return True


def _why_not() -> int | None:
    """The error number of opening it; None where it can be opened."""
    try:
        os.close(os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError as error:
        return error.errno
    return None

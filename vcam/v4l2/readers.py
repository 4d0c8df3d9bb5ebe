"""How many applications read a v4l2loopback: as it tells (from 0.13 on), or by who keeps it open (0.12)."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from vcam.v4l2 import streaming
from vcam.v4l2.kernel import Descriptor

_NS_PER_S = 1_000_000_000
_A_LOOK_NS = _NS_PER_S // 2
"""Who lists cameras has each of them open for less than that, and is no reader yet."""
_AGAIN_NS = 5 * _NS_PER_S
"""So long after a reader any look is one: some applications look at a camera every three seconds."""
_NODES, _USES = "devices/virtual/video4linux/*/max_openers", "module/v4l2loopback/refcnt"


class Readers(Protocol):
    """The readers of one device."""

    def count(self) -> int:
        """How many there are now. Raises OSError."""
        ...


class ToldReaders:
    """Who streams, as the driver's events tell. One that came and went since the last call counts once."""

    def __init__(self, device: Descriptor, first: int) -> None:
        self._device = device
        self._told = first

    def count(self) -> int:
        told = streaming.next_client_usage(self._device)
        if told is None:
            return self._told
        # The driver keeps its newest word only, and speaks only of changes: none after none was one in between.
        missed = told == 0 and self._told == 0
        self._told = told
        return 1 if missed else told


class Openers:
    """Who has the only v4l2loopback of this computer open, besides its producer, and for longer than a look.

    The module's use count is that of its open descriptors: exact, unlike inotify, which drops equal events, and seen
    from within containers, unlike other processes' descriptors.
    """

    def __init__(self, uses: Path, clock_ns: Callable[[], int]) -> None:
        self._uses = uses
        self._clock_ns = clock_ns
        self._open_since_ns: int | None = None
        self._read_at_ns: int | None = None

    def count(self) -> int:
        others, now_ns = self._others(), self._clock_ns()
        if not others:
            self._open_since_ns = None
            return 0
        if self._open_since_ns is None:
            self._open_since_ns = now_ns
        again = self._read_at_ns is not None and now_ns - self._read_at_ns < _AGAIN_NS
        if not again and now_ns - self._open_since_ns < _A_LOOK_NS:
            return 0
        self._read_at_ns = now_ns
        return others

    def _others(self) -> int:
        try:
            return max(0, int(self._uses.read_text()) - 1)
        except ValueError as error:
            raise OSError(errno.EIO, f"{self._uses} holds no number") from error


def openers(sysfs: Path, clock_ns: Callable[[], int]) -> Openers | None:
    """None where v4l2loopback has several devices: its use count does not say which of them is open."""
    uses = sysfs / _USES
    return Openers(uses, clock_ns) if uses.exists() and len(list(sysfs.glob(_NODES))) == 1 else None

"""Page-locked memory that goes by itself when its last user drops it: what decoders write planes into."""

import threading
import weakref
from collections import deque

import numpy as np

from vcam.cuda.device import Device, PinnedBuffer
from vcam.frame import Plane


class PinnedPool:
    """Lends page-locked memory of a device. Any thread may ask.

    What is lent ends with the device at the latest: its borrowers must be closed before.
    """

    def __init__(self, device: Device) -> None:
        self._device = device
        self._lock = threading.Lock()
        self._lent: dict[int, PinnedBuffer] = {}
        self._dropped: deque[int] = deque()
        self._ranges: tuple[tuple[int, int], ...] = ()

    def allocate(self, nbytes: int) -> Plane:
        """(nbytes,) uint8. Lent until the array and every view of it are gone."""
        with self._lock, self._device.current():
            self._collect()
            buffer = self._device.pinned(nbytes)
            loan = _Loan(buffer.array)
            address = buffer.array.ctypes.data
            self._lent[address] = buffer
            self._note()
        # Not freed there and then: the last view may be dropped in any thread, in the middle of anything.
        weakref.finalize(loan, self._dropped.append, address).atexit = False
        return np.asarray(loan)

    def holds(self, address: int, nbytes: int) -> bool:
        """Whether this memory lies in one piece that is lent."""
        return any(begin <= address and address + nbytes <= end for begin, end in self._ranges)

    def _collect(self) -> None:
        while self._dropped:
            self._lent.pop(self._dropped.popleft()).release()

    def _note(self) -> None:
        self._ranges = tuple((address, address + buffer.array.nbytes) for address, buffer in self._lent.items())


class _Loan:
    """What NumPy keeps as the owner of an array, and of all its views: views of views know only the first array."""

    def __init__(self, array: Plane) -> None:
        self.__array_interface__ = dict(array.__array_interface__)

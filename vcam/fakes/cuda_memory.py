"""The memory of a GPU that is none: host memory that is watched.

Device addresses are addresses of this process, so that kernels compiled for the CPU run on them as they are. Around
each allocation lies a guard that nobody may write; what is freed is kept aside, so that using it later is found out.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vcam.cuda.driver import Bytes
from vcam.cuda.errors import ILLEGAL_ADDRESS, INVALID_VALUE, OUT_OF_MEMORY, failure

Scalar = TypeVar("Scalar", bound=np.generic)

_ALIGNMENT = 256
_UNWRITTEN, _FREED, _GUARD = 0xCD, 0xDD, 0xFD
_INTACT = bytes([_GUARD]) * 3 * _ALIGNMENT


class MisuseError(AssertionError):
    """What a real GPU would do silently: stale or foreign memory read, memory leaked. Not a VcamError: a test fails."""


@dataclass(slots=True)
class _Block:
    usable: Bytes
    before: Bytes
    after: Bytes
    address: int
    freed: bool = False

    def holds(self, address: int, nbytes: int) -> bool:
        return self.address <= address and address + nbytes <= self.address + self.usable.size

    def guards_hold(self) -> bool:
        return all(guard.tobytes() == _INTACT[: guard.size] for guard in (self.before, self.after))


class FakeMemory:
    """Allocations of one kind. Kernels get it to turn addresses into arrays."""

    def __init__(self, kind: str, total_bytes: int) -> None:
        self._kind = kind
        self.total_bytes = total_bytes
        self._blocks: dict[int, _Block] = {}

    @property
    def used_bytes(self) -> int:
        return sum(block.usable.size for block in self._blocks.values() if not block.freed)

    def allocate(self, nbytes: int) -> Bytes:
        if nbytes <= 0:
            raise failure(INVALID_VALUE, "allocate", f"{nbytes} bytes")
        if self.used_bytes + nbytes > self.total_bytes:
            raise failure(OUT_OF_MEMORY, "allocate", f"{nbytes} bytes")
        whole = np.full(nbytes + 3 * _ALIGNMENT, _GUARD, np.uint8)
        offset = _ALIGNMENT + -whole.ctypes.data % _ALIGNMENT
        usable = whole[offset : offset + nbytes]
        block = _Block(usable, whole[:offset], whole[offset + nbytes :], usable.ctypes.data)
        block.usable[:] = _UNWRITTEN
        self._blocks[block.address] = block
        return block.usable

    def free(self, address: int) -> None:
        block = self._blocks.get(address)
        if block is None:
            raise failure(INVALID_VALUE, "free", f"{address:#x} was never allocated")
        if block.freed:
            raise MisuseError(f"{self._kind} memory at {address:#x} is freed twice")
        block.freed = True
        block.usable[:] = _FREED

    def bytes(self, address: int, nbytes: int) -> Bytes:
        """The memory there, to read and write. Raises as a kernel that touches what is not its own."""
        block = self._holding(address, nbytes)
        if block is None or block.freed:
            why = "is freed" if block else "lies outside every allocation"
            raise failure(ILLEGAL_ADDRESS, "kernel", f"{nbytes} bytes at {address:#x}: {why}")
        start = address - block.address
        return block.usable[start : start + nbytes]

    def array(self, address: int, shape: tuple[int, ...], dtype: type[Scalar]) -> npt.NDArray[Scalar]:
        """The memory there as a C-contiguous array, to read and write."""
        size = np.dtype(dtype).itemsize * math.prod(shape)
        return self.bytes(address, size).view(dtype).reshape(shape)

    def check_range(self, address: int, nbytes: int, call: str) -> None:
        """Raises as a copy that is refused when it is queued."""
        block = self._holding(address, nbytes)
        if block is None or block.freed:
            why = "is freed" if block else "lies outside every allocation"
            raise failure(INVALID_VALUE, call, f"{nbytes} bytes at {address:#x}: {why}")

    def owns(self, host: Bytes) -> bool:
        """Whether the array lies in memory of this kind. Raises MisuseError when that was freed."""
        low, high = np.lib.array_utils.byte_bounds(host)
        block = self._holding(low, high - low)
        if block is not None and block.freed:
            raise MisuseError(f"{self._kind} memory at {low:#x} is used after it was freed")
        return block is not None

    def check_guards(self, culprit: str) -> None:
        """Raises MisuseError when something was written just outside an allocation."""
        for block in self._blocks.values():
            if not block.guards_hold():
                raise MisuseError(f"{culprit} wrote outside {block.usable.size} bytes at {block.address:#x}")

    def check_freed(self) -> None:
        """Raises MisuseError when something was written into memory after it was freed."""
        for block in self._blocks.values():
            if block.freed and not (block.usable == _FREED).all():
                raise MisuseError(f"{self._kind} memory at {block.address:#x} was written to after it was freed")

    def leaks(self) -> list[str]:
        living = [block for block in self._blocks.values() if not block.freed]
        return [f"{self._kind} memory of {block.usable.size} bytes" for block in living]

    def _holding(self, address: int, nbytes: int) -> _Block | None:
        return next((block for block in self._blocks.values() if block.holds(address, nbytes)), None)

"""The seam to the kernel: six calls. Tests put a fake driver here; nothing else in vcam touches a device node."""

import fcntl
import mmap
import os
import select
from contextlib import suppress
from ctypes import Structure, c_uint
from pathlib import Path
from typing import Protocol, TypeAlias

POLL_READ, POLL_WRITE, POLL_EVENT = select.POLLIN, select.POLLOUT, select.POLLPRI
POLL_FAILED = select.POLLERR | select.POLLHUP | select.POLLNVAL

Argument: TypeAlias = Structure | c_uint

_MS_PER_S = 1000.0


class Kernel(Protocol):
    """Each call raises OSError as the system call would."""

    def open(self, path: Path) -> int:
        """Read and write, non-blocking, not inherited."""
        ...

    def close(self, fd: int) -> None: ...

    def ioctl(self, fd: int, request: int, argument: Argument) -> None:
        """The driver reads and changes ``argument`` in place."""
        ...

    def mmap(self, fd: int, length: int, offset: int) -> mmap.mmap: ...

    def poll(self, fd: int, events: int, timeout_s: float) -> int:
        """The events that happened, 0 on timeout."""
        ...

    def write(self, fd: int, data: memoryview) -> int:
        """Bytes taken."""
        ...


class LinuxKernel:
    """The kernel this process runs on."""

    def open(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def close(self, fd: int) -> None:
        os.close(fd)

    def ioctl(self, fd: int, request: int, argument: Argument) -> None:
        fcntl.ioctl(fd, request, argument)

    def mmap(self, fd: int, length: int, offset: int) -> mmap.mmap:
        return mmap.mmap(fd, length, offset=offset)

    def poll(self, fd: int, events: int, timeout_s: float) -> int:
        poller = select.poll()
        poller.register(fd, events)
        ready = poller.poll(max(timeout_s, 0.0) * _MS_PER_S)
        return ready[0][1] if ready else 0

    def write(self, fd: int, data: memoryview) -> int:
        return os.write(fd, data)


class Descriptor:
    """One opened node. Closing twice is harmless."""

    def __init__(self, kernel: Kernel, path: Path) -> None:
        self.path = path
        self._kernel = kernel
        self._fd: int | None = kernel.open(path)

    def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            # An unplugged camera may complain here; the descriptor is gone all the same.
            with suppress(OSError):
                self._kernel.close(fd)

    def ioctl(self, request: int, argument: Argument) -> None:
        self._kernel.ioctl(self._number(), request, argument)

    def mmap(self, length: int, offset: int) -> mmap.mmap:
        return self._kernel.mmap(self._number(), length, offset)

    def poll(self, events: int, timeout_s: float) -> int:
        return self._kernel.poll(self._number(), events, timeout_s)

    def write(self, data: memoryview) -> int:
        return self._kernel.write(self._number(), data)

    def _number(self) -> int:
        if self._fd is None:
            raise RuntimeError(f"{self.path} is used after it was closed")
        return self._fd

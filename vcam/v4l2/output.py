"""Frames to v4l2loopback by mapped buffers: unlike write(2) they keep the time at which they were taken."""

import errno
import mmap
from contextlib import ExitStack, suppress
from typing import Any

from vcam.v4l2.abi import IOC, BufType, Memory, raw
from vcam.v4l2.kernel import Descriptor

_NS_PER_S, _NS_PER_US = 1_000_000_000, 1000
_COUNT = 2


def owns_buffers(device: Descriptor) -> bool:
    """Whether buffers belong to who asked for them, as from v4l2loopback 0.14 on.

    Before, to ask takes them from a reader who has them mapped, and it ends with an error.
    """
    try:
        device.ioctl(IOC.QUERYBUF, _buffer(0))
    except OSError as error:
        return error.errno == errno.EINVAL
    return False


class OutputBuffers:
    """The driver's buffers, mapped and streaming; ``close`` gives them back. Raises OSError."""

    def __init__(self, device: Descriptor) -> None:
        self._device = device
        self._maps: list[mmap.mmap] = []
        self._next = 0
        with ExitStack() as stack:
            stack.callback(self.close)
            for index in range(self._request(_COUNT)):
                buffer = _buffer(index)
                device.ioctl(IOC.QUERYBUF, buffer)
                self._maps.append(device.mmap(int(buffer.length), int(buffer.m.offset)))
            device.ioctl(IOC.STREAMON, raw.cuint(BufType.VIDEO_OUTPUT))
            stack.pop_all()

    def close(self) -> None:
        """Stop, unmap, free. Harmless when called again."""
        maps, self._maps = self._maps, []
        with suppress(OSError):
            self._device.ioctl(IOC.STREAMOFF, raw.cuint(BufType.VIDEO_OUTPUT))
        for memory in maps:
            memory.close()
        with suppress(OSError):
            self._request(0)

    def write(self, data: memoryview, pts_ns: int) -> int:
        """Hand one frame out, taken at ``pts_ns`` of CLOCK_MONOTONIC; bytes taken."""
        memory = self._maps[self._next]
        taken = min(data.nbytes, len(memory))
        memory[:taken] = data[:taken]
        buffer = _buffer(self._next)
        buffer.bytesused = taken
        buffer.timestamp.secs, rest_ns = divmod(pts_ns, _NS_PER_S)
        buffer.timestamp.usecs = rest_ns // _NS_PER_US
        self._device.ioctl(IOC.QBUF, buffer)
        done = _buffer(0)
        self._device.ioctl(IOC.DQBUF, done)  # the oldest, whoever may still look at it
        self._next = int(done.index)
        return taken

    def _request(self, count: int) -> int:
        question = raw.v4l2_requestbuffers(count=count, type=BufType.VIDEO_OUTPUT, memory=Memory.MMAP)
        self._device.ioctl(IOC.REQBUFS, question)
        return int(question.count)


def _buffer(index: int) -> Any:
    return raw.v4l2_buffer(index=index, type=BufType.VIDEO_OUTPUT, memory=Memory.MMAP)

"""The part of a fake CUDA driver that moves bytes."""

import numpy as np

from vcam.cuda.driver import Bytes
from vcam.cuda.errors import CAPTURE_UNSUPPORTED, INVALID_VALUE, failure
from vcam.fakes.cuda_memory import FakeMemory, MisuseError
from vcam.fakes.cuda_state import FakeState
from vcam.fakes.cuda_streams import FakeStream, Work


class FakeMemoryCalls:
    """Memory and copies, as Driver has them."""

    def __init__(self, state: FakeState) -> None:
        self._state = state

    @property
    def memory(self) -> FakeMemory:
        """The device's."""
        return self._state.memory

    def free_memory(self) -> tuple[int, int]:
        self._state.enter("free_memory")
        return self.memory.total_bytes - self.memory.used_bytes, self.memory.total_bytes

    def allocate(self, nbytes: int) -> int:
        self._state.enter("allocate", capture=False)
        return self.memory.allocate(nbytes).ctypes.data

    def free(self, address: int) -> None:
        self._state.enter_freeing("free")
        self._state.drain()
        self.memory.free(address)

    def allocate_host(self, nbytes: int) -> Bytes:
        self._state.enter("allocate_host", capture=False)
        return self._state.host_memory.allocate(nbytes)

    def free_host(self, array: Bytes) -> None:
        self._state.enter_freeing("free_host")
        queued = (work for stream in self._state.streams() for work in stream.queue)
        if not self._state.is_lost() and any(_overlap(array, work.host) for work in queued):
            raise MisuseError("page-locked memory is freed while a queued copy uses it")
        self._state.host_memory.free(array.ctypes.data)

    def copy_to_device(self, address: int, host: Bytes, *, cuda_stream: int) -> None:
        self.copy_rows_to_device(address, host.nbytes, _one_row(host), cuda_stream=cuda_stream)

    def copy_to_host(self, host: Bytes, address: int, *, cuda_stream: int) -> None:
        self.copy_rows_to_host(_one_row(host), address, host.nbytes, cuda_stream=cuda_stream)

    def copy_rows_to_device(self, address: int, stride: int, host: Bytes, *, cuda_stream: int) -> None:
        stream, pinned = self._copy("copy_to_device", address, stride, host, cuda_stream)
        # CUDA takes pageable memory aside before it returns; page-locked memory it reads when the copy's turn comes.
        source = host if pinned else host.copy()

        def run() -> None:
            for row, line in enumerate(source):
                self.memory.bytes(address + row * stride, line.size)[:] = line

        stream.add(Work("copy_to_device", run, host if pinned else None))

    def copy_rows_to_host(self, host: Bytes, address: int, stride: int, *, cuda_stream: int) -> None:
        stream, pinned = self._copy("copy_to_host", address, stride, host, cuda_stream)

        def run() -> None:
            for row, line in enumerate(host):
                line[:] = self.memory.bytes(address + row * stride, line.size)

        stream.add(Work("copy_to_host", run, host))
        if not pinned:
            self._state.run(stream)

    def fill(self, address: int, value: int, nbytes: int, *, cuda_stream: int) -> None:
        self._state.enter("fill")
        self.memory.check_range(address, nbytes, "fill")
        byte = np.uint8(value)
        stream = self._stream(cuda_stream, "fill")
        stream.add(Work("fill", lambda: self.memory.bytes(address, nbytes).fill(byte)))

    def _stream(self, number: int, call: str) -> FakeStream:
        return self._state.get(number, FakeStream, call)

    def _copy(self, call: str, address: int, stride: int, host: Bytes, cuda_stream: int) -> tuple[FakeStream, bool]:
        """Check a copy between rows on the device and ``host``. Returns the stream, and whether host is page-locked."""
        self._state.enter(call)
        rows, row_bytes = host.shape
        if row_bytes > stride or host.strides[1] != 1:
            raise failure(INVALID_VALUE, call, f"rows of {row_bytes} bytes, {stride} bytes apart")
        self.memory.check_range(address, (rows - 1) * stride + row_bytes, call)
        stream, pinned = self._stream(cuda_stream, call), self._state.host_memory.owns(host)
        if stream.capture is not None and not pinned:
            stream.capture.spoilt = True
            raise failure(CAPTURE_UNSUPPORTED, call, "the host memory is not page-locked")
        return stream, pinned


def _one_row(host: Bytes) -> Bytes:
    if not host.flags.c_contiguous:
        raise ValueError("the host memory must be contiguous")
    return host.reshape(1, -1)


def _overlap(one: Bytes, other: Bytes | None) -> bool:
    return other is not None and np.may_share_memory(one, other)

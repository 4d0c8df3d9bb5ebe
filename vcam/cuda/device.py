"""One GPU, as its users hold it: memory, events, kernels and copies, all freed in reverse when it closes."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Self

from vcam.cuda.driver import Bytes, DeviceFacts, Dimensions, Driver
from vcam.errors import VcamError

_log = logging.getLogger(__name__)

_MS_PER_S = 1000.0


class Owned:
    """Something of the driver's. Freed once: by its user, or by the Device when that closes."""

    def __init__(self, device: "Device", free: Callable[[], None]) -> None:
        self._device = device
        self._free: Callable[[], None] | None = free
        device.own(self)

    def release(self) -> None:
        """Free it now. Harmless when it was freed before."""
        free, self._free = self._free, None
        if free is not None:
            self._device.disown(self)
            with self._device.current():
                free()


class DeviceBuffer(Owned):
    """Device memory, aligned to 256 bytes; its content is undefined until it is written."""

    def __init__(self, device: "Device", nbytes: int) -> None:
        with device.current():
            self.address = device.driver.allocate(nbytes)
        self.nbytes = nbytes
        super().__init__(device, lambda: device.driver.free(self.address))


class PinnedBuffer(Owned):
    """Page-locked host memory, (nbytes,). Neither ``array`` nor a view of it may be used once it is freed."""

    def __init__(self, device: "Device", nbytes: int) -> None:
        with device.current():
            self.array: Bytes = device.driver.allocate_host(nbytes)
        super().__init__(device, lambda: device.driver.free_host(self.array))


class Event(Owned):
    """A moment on a stream."""

    def __init__(self, device: "Device") -> None:
        with device.current():
            self.handle = device.driver.create_event()
        super().__init__(device, lambda: device.driver.destroy_event(self.handle))

    def record(self, *, cuda_stream: int) -> None:
        """Take the time when the stream gets here; in a capture, each time the graph does."""
        external = self._device.is_capturing(cuda_stream)
        self._device.driver.record_event(self.handle, cuda_stream=cuda_stream, external=external)

    def synchronize(self) -> None:
        """Wait until the stream got there."""
        self._device.driver.synchronize_event(self.handle)

    def elapsed_s(self, since: "Event") -> float:
        """Seconds from ``since`` to this one; both are through. Half a microsecond is what it resolves."""
        return self._device.driver.elapsed_ms(since.handle, self.handle) / _MS_PER_S


class Function:
    """A kernel. Valid as long as its module."""

    def __init__(self, driver: Driver, handle: int) -> None:
        self._driver = driver
        self._handle = handle

    def launch(self, grid: Dimensions, block: Dimensions, arguments: bytes, *, cuda_stream: int) -> None:
        """Queue it. arguments: its parameters as they lie in memory."""
        self._driver.launch(self._handle, grid, block, arguments, cuda_stream=cuda_stream)


class Module(Owned):
    """Loaded kernels."""

    def __init__(self, device: "Device", image: bytes) -> None:
        with device.current():
            self._handle = device.driver.load_module(image)
        super().__init__(device, lambda: device.driver.unload_module(self._handle))

    def function(self, name: str) -> Function:
        with self._device.current():
            return Function(self._device.driver, self._device.driver.function(self._handle, name))


class Device:
    """The primary context of one GPU and a stream of its own. Satisfies Resource; may be opened again.

    Work may be queued from any thread, inside ``with device.current()``; what makes or frees something brings that
    along. Nothing here waits but ``synchronize``, making and freeing.
    """

    def __init__(self, driver: Driver, index: int = 0) -> None:
        """Raises EngineUnavailableError when there is no such GPU."""
        self.driver = driver
        self.facts: DeviceFacts = driver.facts(index)
        self._context: int | None = None
        self._stream: int | None = None
        self._owned: dict[int, Owned] = {}
        self._capturing: set[int] = set()
        self._knows_no_graph = False
        self._depth = threading.local()

    def __enter__(self) -> Self:
        self._context = self.driver.retain_context(self.facts.index)
        try:
            with self.current():
                self._stream = self.driver.create_stream()
        except VcamError:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for what is queued, then frees all that is left, the youngest first."""
        if self._context is None:
            return
        if self._stream is not None:
            self._attempt(self.synchronize)
        for owned in reversed(list(self._owned.values())):
            self._attempt(owned.release)
        stream, self._stream = self._stream, None
        if stream is not None:
            self._attempt(lambda: self._destroy(stream))
        context, self._context = self._context, None
        self._attempt(lambda: self.driver.release_context(context))

    @property
    def cuda_stream(self) -> int:
        """Handle of the device's stream. Raises RuntimeError when the device is not open."""
        if self._stream is None:
            raise RuntimeError("the GPU is used outside its `with` block")
        return self._stream

    def current(self) -> AbstractContextManager[None]:
        """Makes the context current on this thread. Nests; cheap where it is current already."""
        return self._current()

    def buffer(self, nbytes: int) -> DeviceBuffer:
        return DeviceBuffer(self, nbytes)

    def pinned(self, nbytes: int) -> PinnedBuffer:
        return PinnedBuffer(self, nbytes)

    def event(self) -> Event:
        return Event(self)

    def module(self, image: bytes) -> Module:
        """Kernels of a fatbin, cubin or PTX. Raises EngineUnavailableError when they are not for this GPU."""
        return Module(self, image)

    def upload(self, address: int, host: Bytes, *, cuda_stream: int) -> None:
        """Queue a copy of ``host``, C-contiguous. Page-locked memory must stay as it is until the copy is through."""
        self.driver.copy_to_device(address, host, cuda_stream=cuda_stream)

    def download(self, host: Bytes, address: int, *, cuda_stream: int) -> None:
        """Queue a copy into ``host``, C-contiguous; it is there after the next ``synchronize``."""
        self.driver.copy_to_host(host, address, cuda_stream=cuda_stream)

    def upload_rows(self, address: int, stride: int, host: Bytes, *, cuda_stream: int) -> None:
        """Queue a copy of a plane, (rows, row bytes), padded or not, to rows ``stride`` bytes apart."""
        self.driver.copy_rows_to_device(address, stride, host, cuda_stream=cuda_stream)

    def download_rows(self, host: Bytes, address: int, stride: int, *, cuda_stream: int) -> None:
        self.driver.copy_rows_to_host(host, address, stride, cuda_stream=cuda_stream)

    def fill(self, address: int, value: int, nbytes: int, *, cuda_stream: int) -> None:
        """Queue setting each byte to ``value``."""
        self.driver.fill(address, value, nbytes, cuda_stream=cuda_stream)

    def synchronize(self) -> None:
        """Wait for the device's stream. Raises what went wrong on the GPU, GpuLostError among it."""
        with self.current():
            self.driver.synchronize_stream(self.cuda_stream)

    @property
    def allocated_bytes(self) -> int:
        """Device memory held through this Device now."""
        return sum(owned.nbytes for owned in list(self._owned.values()) if isinstance(owned, DeviceBuffer))

    def free_memory(self) -> tuple[int, int]:
        """(free, total) bytes of the GPU, over all processes."""
        with self.current():
            return self.driver.free_memory()

    # For what lives on the device: its buffers, its graphs.

    def own(self, owned: Owned) -> None:
        self._owned[id(owned)] = owned

    def disown(self, owned: Owned) -> None:
        self._owned.pop(id(owned), None)

    def is_capturing(self, cuda_stream: int) -> bool:
        return cuda_stream in self._capturing

    def note_no_graph(self) -> bool:
        """A capture failed. True the first time, which is the one to tell of."""
        known, self._knows_no_graph = self._knows_no_graph, True
        return not known

    @contextmanager
    def capturing(self, cuda_stream: int) -> Iterator[None]:
        """Events recorded inside become nodes of the graph that is captured."""
        self._capturing.add(cuda_stream)
        try:
            yield
        finally:
            self._capturing.discard(cuda_stream)

    @contextmanager
    def _current(self) -> Iterator[None]:
        depth: int = getattr(self._depth, "value", 0)
        if not depth:
            if self._context is None:
                raise RuntimeError("the GPU is used outside its `with` block")
            self.driver.push_context(self._context)
        self._depth.value = depth + 1
        try:
            yield
        finally:
            self._depth.value = depth
            if not depth:
                self.driver.pop_context()

    def _destroy(self, stream: int) -> None:
        with self.current():
            self.driver.destroy_stream(stream)

    def _attempt(self, step: Callable[[], None]) -> None:
        # A GPU that is lost fails every call. Whatever led here is told of by its own error.
        try:
            step()
        except VcamError as error:
            _log.warning("gpu.close_failed", extra={"problem": error.problem})

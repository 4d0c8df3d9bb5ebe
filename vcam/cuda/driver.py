"""The seam to CUDA: every call that vcam makes, one method each. Tests put a fake driver here.

The real one is vcam.cuda.pycuda_driver, the fake one vcam.fakes.cuda. Handles and device addresses are plain ints, as
CUDA's own are. But for ``device_count``, ``facts`` and the three of the context, every call needs a context that is
current on the calling thread. Each call raises GpuError, GpuLostError or EngineUnavailableError (vcam.cuda.errors);
freeing never raises because the GPU is lost. vcam.cuda.device is what other modules use.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
"""Host memory, uint8. Contiguous, but for the row copies: (rows, row bytes), contiguous within a row."""

Dimensions: TypeAlias = tuple[int, int, int]
"""x, y, z."""


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What is known of one GPU. driver_version: the CUDA version that the driver supports, 13000 is 13.0."""

    index: int
    name: str
    compute_capability: tuple[int, int]
    memory_bytes: int
    driver_version: int

    def __str__(self) -> str:
        major, minor = self.compute_capability
        return f"{self.name} (compute capability {major}.{minor})"


class Driver(Protocol):
    """What is queued on a stream happens later, in order, until ``synchronize_stream``.

    Copies are asynchronous for page-locked host memory only, which must not change until they are through.
    """

    def device_count(self) -> int: ...

    def facts(self, index: int) -> DeviceFacts: ...

    # The context of a device, which is also the one that the CUDA runtime and TensorRT use.

    def retain_context(self, index: int) -> int:
        """The primary context. It becomes current nowhere by this."""
        ...

    def release_context(self, context: int) -> None:
        """Undo one ``retain_context``. It must be current nowhere."""
        ...

    def push_context(self, context: int) -> None:
        """Make it current on this thread, until popped."""
        ...

    def pop_context(self) -> None: ...

    # Memory.

    def free_memory(self) -> tuple[int, int]:
        """(free, total) bytes of the device, over all processes."""
        ...

    def allocate(self, nbytes: int) -> int:
        """Device memory, aligned to 256 bytes, its content undefined."""
        ...

    def free(self, address: int) -> None:
        """Waits for what is queued."""
        ...

    def allocate_host(self, nbytes: int) -> Bytes:
        """Page-locked host memory, (nbytes,)."""
        ...

    def free_host(self, array: Bytes) -> None:
        """``array`` is what ``allocate_host`` returned. No queued copy may still use it."""
        ...

    def copy_to_device(self, address: int, host: Bytes, *, cuda_stream: int) -> None: ...

    def copy_to_host(self, host: Bytes, address: int, *, cuda_stream: int) -> None: ...

    def copy_rows_to_device(self, address: int, stride: int, host: Bytes, *, cuda_stream: int) -> None:
        """Rows ``stride`` bytes apart on the device; the host's may be padded too."""
        ...

    def copy_rows_to_host(self, host: Bytes, address: int, stride: int, *, cuda_stream: int) -> None: ...

    def fill(self, address: int, value: int, nbytes: int, *, cuda_stream: int) -> None:
        """Set each byte to ``value``."""
        ...

    # Streams and events.

    def create_stream(self) -> int:
        """It does not wait for the legacy default stream."""
        ...

    def destroy_stream(self, cuda_stream: int) -> None: ...

    def synchronize_stream(self, cuda_stream: int) -> None:
        """Wait for all that is queued. What failed on the GPU is raised here, or by any later call."""
        ...

    def create_event(self) -> int:
        """It takes the time."""
        ...

    def destroy_event(self, event: int) -> None: ...

    def record_event(self, event: int, *, cuda_stream: int, external: bool) -> None:
        """Take the time when the stream gets here. external: in a capture, and only there, as a node of the graph."""
        ...

    def synchronize_event(self, event: int) -> None: ...

    def elapsed_ms(self, start: int, end: int) -> float:
        """Between two recorded events whose work is through."""
        ...

    # Kernels.

    def load_module(self, image: bytes) -> int:
        """A fatbin, cubin or PTX."""
        ...

    def unload_module(self, module: int) -> None: ...

    def function(self, module: int, name: str) -> int:
        """A kernel of the module; valid as long as that is."""
        ...

    def launch(self, function: int, grid: Dimensions, block: Dimensions, arguments: bytes, *, cuda_stream: int) -> None:
        """``arguments`` are laid out as the kernel's parameters are."""
        ...

    # Graphs.

    def begin_capture(self, cuda_stream: int) -> None:
        """From here on what is queued on the stream is recorded and does not run. In thread-local mode: calls that
        are not allowed in a capture fail on this thread only."""
        ...

    def end_capture(self, cuda_stream: int) -> int:
        """The graph. Called by the thread that began; the capture is over even when this raises."""
        ...

    def destroy_graph(self, graph: int) -> None: ...

    def instantiate(self, graph: int) -> int:
        """An executable graph, independent of ``graph`` from now on."""
        ...

    def destroy_executable(self, executable: int) -> None: ...

    def launch_graph(self, executable: int, *, cuda_stream: int) -> None: ...

"""CUDA's driver by pycuda, and by NVIDIA's cuda-bindings where pycuda has nothing: events in graphs, and graphs.

Only a GPU can run this module, so it is thin. What was learned from pycuda's source and matters here:

* Its objects know the pycuda Context that was current when they were made, and free themselves when they are forgotten.
  They do so only while that very object is current on the thread (or on the thread that made it); otherwise they leak.
  So there is one Context for each GPU, whoever retains it, and freeing happens with it current.
* ``Context.detach`` releases a primary context, but leaves it on CUDA's stack of contexts, and does nothing at all on
  another thread than the one that retained it, unless it is current there.
* Frees that fail are printed to stderr and not raised.
* Errors carry CUDA's own words and no number.
"""

import importlib
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from vcam.cuda.driver import Bytes, DeviceFacts, Dimensions
from vcam.cuda.errors import INVALID_HANDLE, SUCCESS, failure, is_lost
from vcam.cuda.probe import gpu_count, gpu_facts
from vcam.errors import EngineError, GpuError, MissingDependencyError
from vcam.installing import how_to_add

# cuda.h: CU_STREAM_NON_BLOCKING, CU_EVENT_DEFAULT, CU_EVENT_RECORD_EXTERNAL
_STREAM_NON_BLOCKING = 1
_EVENT_DEFAULT = 0
_EVENT_RECORD_EXTERNAL = 1


@dataclass(slots=True)
class _Retained:
    context: Any
    count: int = 0


class PycudaDriver:
    """Satisfies Driver. May be shared between threads; one for the process is meant to be."""

    def __init__(self) -> None:
        """Raises EngineUnavailableError without a usable driver, MissingDependencyError without the packages."""
        gpu_count()
        self._pycuda: Any = _load("pycuda.driver")
        self._bindings: Any = _load("cuda.bindings.driver")
        self._opening = threading.Lock()
        self._contexts: dict[int, _Retained] = {}
        self._numbers = itertools.count(1)
        self._allocations: dict[int, Any] = {}
        self._streams: dict[int, Any] = {}
        self._modules: dict[int, Any] = {}
        self._functions: dict[int, tuple[int, Any]] = {}
        with self._errors():
            self._pycuda.init()

    def device_count(self) -> int:
        return gpu_count()

    def facts(self, index: int) -> DeviceFacts:
        return gpu_facts(index)

    def retain_context(self, index: int) -> int:
        with self._opening, self._errors():
            if index not in self._contexts:
                self._contexts[index] = _Retained(self._pycuda.Device(index).retain_primary_context())
            self._contexts[index].count += 1
        return index

    def release_context(self, context: int) -> None:
        with self._opening, self._errors():
            retained = self._contexts[context]
            retained.count -= 1
            if retained.count:
                return
            del self._contexts[context]
            retained.context.push()
            # Taken off CUDA's stack, but still on pycuda's: detach works only on what it thinks is current.
            self._cu("cuCtxPopCurrent")
            retained.context.detach()

    def push_context(self, context: int) -> None:
        with self._errors():
            self._contexts[context].context.push()

    def pop_context(self) -> None:
        with self._errors():
            self._pycuda.Context.pop()

    def free_memory(self) -> tuple[int, int]:
        with self._errors():
            free, total = self._pycuda.mem_get_info()
        return free, total

    def allocate(self, nbytes: int) -> int:
        with self._errors():
            allocation = self._pycuda.mem_alloc(nbytes)
        address = int(allocation)
        self._allocations[address] = allocation
        return address

    def free(self, address: int) -> None:
        with self._errors():
            self._allocations.pop(address).free()

    def allocate_host(self, nbytes: int) -> Bytes:
        with self._errors():
            array: Bytes = self._pycuda.pagelocked_empty(nbytes, np.uint8)
        return array

    def free_host(self, array: Bytes) -> None:
        allocation: Any = array.base
        with self._errors():
            allocation.free()

    def copy_to_device(self, address: int, host: Bytes, *, cuda_stream: int) -> None:
        with self._errors():
            self._pycuda.memcpy_htod_async(address, host, self._stream(cuda_stream))

    def copy_to_host(self, host: Bytes, address: int, *, cuda_stream: int) -> None:
        with self._errors():
            self._pycuda.memcpy_dtoh_async(host, address, self._stream(cuda_stream))

    def copy_rows_to_device(self, address: int, stride: int, host: Bytes, *, cuda_stream: int) -> None:
        with self._errors():
            copy = self._pycuda.Memcpy2D()
            copy.set_src_host(host)
            copy.src_pitch = _pitch(host)
            copy.set_dst_device(address)
            copy.dst_pitch = stride
            copy.height, copy.width_in_bytes = host.shape
            copy(self._stream(cuda_stream))

    def copy_rows_to_host(self, host: Bytes, address: int, stride: int, *, cuda_stream: int) -> None:
        with self._errors():
            copy = self._pycuda.Memcpy2D()
            copy.set_src_device(address)
            copy.src_pitch = stride
            copy.set_dst_host(host)
            copy.dst_pitch = _pitch(host)
            copy.height, copy.width_in_bytes = host.shape
            copy(self._stream(cuda_stream))

    def fill(self, address: int, value: int, nbytes: int, *, cuda_stream: int) -> None:
        with self._errors():
            self._pycuda.memset_d8_async(address, value, nbytes, self._stream(cuda_stream))

    def create_stream(self) -> int:
        with self._errors():
            stream = self._pycuda.Stream(_STREAM_NON_BLOCKING)
        handle: int = stream.handle
        self._streams[handle] = stream
        return handle

    def destroy_stream(self, cuda_stream: int) -> None:
        self._stream(cuda_stream)
        del self._streams[cuda_stream]

    def synchronize_stream(self, cuda_stream: int) -> None:
        with self._errors():
            self._stream(cuda_stream).synchronize()

    def create_event(self) -> int:
        return int(self._cu("cuEventCreate", _EVENT_DEFAULT))

    def destroy_event(self, event: int) -> None:
        self._cu_free("cuEventDestroy", event)

    def record_event(self, event: int, *, cuda_stream: int, external: bool) -> None:
        if external:
            self._cu("cuEventRecordWithFlags", event, cuda_stream, _EVENT_RECORD_EXTERNAL)
        else:
            self._cu("cuEventRecord", event, cuda_stream)

    def synchronize_event(self, event: int) -> None:
        self._cu("cuEventSynchronize", event)

    def elapsed_ms(self, start: int, end: int) -> float:
        return float(self._cu("cuEventElapsedTime", start, end))

    def load_module(self, image: bytes) -> int:
        with self._errors():
            # PTX must end with a zero byte; to other images it means nothing.
            module = self._pycuda.module_from_buffer(image + b"\0")
        number = next(self._numbers)
        self._modules[number] = module
        return number

    def unload_module(self, module: int) -> None:
        # A function keeps its module loaded.
        self._functions = {number: kept for number, kept in self._functions.items() if kept[0] != module}
        del self._modules[module]

    def function(self, module: int, name: str) -> int:
        with self._errors():
            function = self._modules[module].get_function(name)
        number = next(self._numbers)
        self._functions[number] = (module, function)
        return number

    def launch(self, function: int, grid: Dimensions, block: Dimensions, arguments: bytes, *, cuda_stream: int) -> None:
        with self._errors():
            # What pycuda's own calls come to; they set the block's shape by a deprecated function before. No name for
            # the kernel here: the traceback of an error would keep it, and with it the module, from being freed.
            self._functions[function][1]._launch_kernel(  # noqa: SLF001
                grid, block, arguments, 0, self._stream(cuda_stream)
            )

    def begin_capture(self, cuda_stream: int) -> None:
        mode = self._bindings.CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL
        self._cu("cuStreamBeginCapture", cuda_stream, mode)

    def end_capture(self, cuda_stream: int) -> int:
        return int(self._cu("cuStreamEndCapture", cuda_stream))

    def destroy_graph(self, graph: int) -> None:
        self._cu_free("cuGraphDestroy", graph)

    def instantiate(self, graph: int) -> int:
        return int(self._cu("cuGraphInstantiate", graph, 0))

    def destroy_executable(self, executable: int) -> None:
        self._cu_free("cuGraphExecDestroy", executable)

    def launch_graph(self, executable: int, *, cuda_stream: int) -> None:
        self._cu("cuGraphLaunch", executable, cuda_stream)

    def _stream(self, cuda_stream: int) -> Any:
        try:
            return self._streams[cuda_stream]
        except KeyError:
            raise failure(INVALID_HANDLE, "cuda_stream", f"{cuda_stream:#x} is not a stream of vcam's") from None

    def _cu(self, name: str, *arguments: Any) -> Any:
        """Call cuda-bindings, which answers (code, result...)."""
        code, *results = getattr(self._bindings, name)(*arguments)
        if code != SUCCESS:
            raise failure(int(code), name)
        return results[0] if results else None

    def _cu_free(self, name: str, handle: int) -> None:
        code = int(getattr(self._bindings, name)(handle)[0])
        if code != SUCCESS and not is_lost(code):
            raise failure(code, name)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except self._pycuda.Error as error:
            raise self._translated(str(error)) from None

    def _translated(self, words: str) -> EngineError:
        """pycuda says ``cuMemAlloc failed: out of memory``, or that and `` - `` with more."""
        call, _, reason = words.partition(" failed: ")
        for code in self._bindings.CUresult:
            known, text = self._bindings.cuGetErrorString(code)
            if known == SUCCESS and text and (reason + " - ").startswith(text.decode() + " - "):
                return failure(int(code), call, reason[len(text) + len(" - ") :])
        return GpuError(words, hint="restart vcam; if it happens again run `vcam doctor`")


def _load(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError(
            f"{name} cannot be imported: {error}",
            hint=f"{how_to_add('gpu')}; pycuda compiles itself, see scripts/pycuda_wheel.sh",
        ) from error


def _pitch(host: Bytes) -> int:
    # NumPy leaves the stride of a single row undefined; CUDA wants one that holds the row.
    rows, row_bytes = host.shape
    return host.strides[0] if rows > 1 else row_bytes

"""A CUDA driver without a GPU, as strict as a real one, or stricter."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from vcam.cuda.driver import DeviceFacts, Dimensions
from vcam.cuda.errors import (
    INVALID_CONTEXT,
    INVALID_DEVICE,
    INVALID_VALUE,
    NOT_FOUND,
    failure,
)
from vcam.fakes.cuda_calls import FakeMemoryCalls
from vcam.fakes.cuda_memory import FakeMemory, MisuseError
from vcam.fakes.cuda_state import FakeState
from vcam.fakes.cuda_streams import FakeEvent, FakeStream, Work

Kernel: TypeAlias = Callable[[Dimensions, Dimensions, bytes, FakeMemory], None]
"""What runs in place of a kernel: grid, block, the bytes of its arguments, the device's memory."""

FACTS = DeviceFacts(0, "Fake GPU", (8, 6), 1 << 30, 13000)

_PINNED_BYTES = 1 << 30
_MOST_THREADS = 1024


@dataclass(frozen=True, slots=True)
class FakeModule:
    image: bytes


@dataclass(frozen=True, slots=True)
class FakeGraph:
    work: tuple[Work, ...]


@dataclass(frozen=True, slots=True)
class FakeExecutable:
    work: tuple[Work, ...]


class FakeDriver(FakeMemoryCalls):
    """Satisfies Driver. Work that is queued runs only when somebody waits for it, so that a wait that was forgotten
    shows stale bytes.

    What CUDA answers with a result code, this does with the same one; what CUDA would do silently raises MisuseError.
    kernels: by name, for any module.
    """

    def __init__(
        self, kernels: Mapping[str, Kernel] | None = None, *, devices: Sequence[DeviceFacts] = (FACTS,)
    ) -> None:
        super().__init__(FakeState(devices[0].memory_bytes if devices else 0, _PINNED_BYTES))
        self._devices = tuple(devices)
        self._kernels = dict(kernels or {})
        self._functions: dict[int, tuple[int, str]] = {}

    # What a test says and asks.

    @property
    def calls(self) -> Sequence[str]:
        """Every call so far, by its method's name (row copies as plain ones)."""
        return self._state.calls

    @property
    def ran(self) -> Sequence[str]:
        """The work that was done on the GPU so far, by the same names; kernels as ``launch NAME``."""
        return self._state.ran

    def fail(self, call: str, code: int, *, on: int = 1) -> None:
        """Let the ``on``-th such call from now fail. ``run NAME``, with a name of ``ran``: the work itself fails."""
        self._state.plan_fault(call, code, on)

    def enqueue(self, name: str, run: Callable[[FakeMemory], None], *, cuda_stream: int) -> None:
        """Queue work of any kind, as a library with kernels of its own does (TensorRT, nvJPEG)."""
        self._state.enter(name)
        self._stream(cuda_stream, name).add(Work(name, lambda: run(self.memory), foreign=True))

    def leaks(self) -> list[str]:
        """What was made and not freed, in words."""
        return self._state.leaks()

    # Driver: devices and contexts.

    def device_count(self) -> int:
        return len(self._devices)

    def facts(self, index: int) -> DeviceFacts:
        if index not in range(len(self._devices)):
            raise failure(INVALID_DEVICE, "facts", f"number {index}")
        return self._devices[index]

    def retain_context(self, index: int) -> int:
        self._state.calls.append("retain_context")
        self._state.meet_fault("retain_context")
        self._state.retained += 1
        return 1 + self.facts(index).index

    def release_context(self, context: int) -> None:
        self._state.calls.append("release_context")
        if not self._state.retained:
            raise failure(INVALID_CONTEXT, "release_context")
        if self._state.retained == 1 and self._state.is_current_anywhere():
            raise MisuseError("the context is released while it is current on some thread")
        self._state.retained -= 1

    def push_context(self, context: int) -> None:
        if not self._state.retained:
            raise failure(INVALID_CONTEXT, "push_context")
        self._state.push(context)

    def pop_context(self) -> None:
        self._state.pop()

    # Driver: streams and events.

    def create_stream(self) -> int:
        self._state.enter("create_stream")
        return self._state.keep(FakeStream())

    def destroy_stream(self, cuda_stream: int) -> None:
        self._state.enter_freeing("destroy_stream")
        if not self._state.is_lost() and self._stream(cuda_stream, "destroy_stream").queue:
            raise MisuseError("a stream is destroyed while work is queued on it")
        self._state.drop(cuda_stream, FakeStream, "destroy_stream")

    def synchronize_stream(self, cuda_stream: int) -> None:
        self._state.enter("synchronize_stream", capture=False)
        stream = self._stream(cuda_stream, "synchronize_stream")
        stream.refuse_in_capture("synchronize_stream", own_thread_only=False)
        self._state.run(stream)

    def create_event(self) -> int:
        self._state.enter("create_event")
        return self._state.keep(FakeEvent())

    def destroy_event(self, event: int) -> None:
        self._state.enter_freeing("destroy_event")
        self._state.drop(event, FakeEvent, "destroy_event")

    def record_event(self, event: int, *, cuda_stream: int, external: bool) -> None:
        self._state.enter("record_event")
        stream, moment = self._stream(cuda_stream, "record_event"), self._event(event, "record_event")
        captured = stream.capture is not None
        if external and not captured:
            raise failure(INVALID_VALUE, "record_event", "external, but nothing is captured")
        moment.captured = captured and not external
        if not moment.captured:
            stream.add(Work("record_event", lambda: moment.pass_at(self._state.now_ms), event=moment))

    def synchronize_event(self, event: int) -> None:
        self._state.enter("synchronize_event", capture=False)
        moment = self._event(event, "synchronize_event")
        for stream in self._state.streams():
            while any(work.event is moment for work in stream.queue):
                self._state.run(stream, most=1)

    def elapsed_ms(self, start: int, end: int) -> float:
        self._state.enter("elapsed_ms")
        first, last = (self._event(event, "elapsed_ms").passed_ms("elapsed_ms") for event in (start, end))
        return last - first

    # Driver: kernels.

    def load_module(self, image: bytes) -> int:
        self._state.enter("load_module", capture=False)
        return self._state.keep(FakeModule(image))

    def unload_module(self, module: int) -> None:
        self._state.enter_freeing("unload_module")
        self._state.drop(module, FakeModule, "unload_module")

    def function(self, module: int, name: str) -> int:
        self._state.enter("function")
        self._state.get(module, FakeModule, "function")
        if name not in self._kernels:
            raise failure(NOT_FOUND, "function", name)
        number = 1 + len(self._functions)
        self._functions[number] = (module, name)
        return number

    def launch(self, function: int, grid: Dimensions, block: Dimensions, arguments: bytes, *, cuda_stream: int) -> None:
        module, kernel_name = self._functions.get(function, (0, "?"))
        name = f"launch {kernel_name}"
        self._state.enter(name)
        self._state.get(module, FakeModule, name)
        if min(grid + block) < 1 or int(np.prod(block)) > _MOST_THREADS:
            raise failure(INVALID_VALUE, name, f"grid {grid}, block {block}")
        kernel = self._kernels[kernel_name]
        work = Work(name, lambda: kernel(grid, block, arguments, self.memory), foreign=True)
        self._stream(cuda_stream, name).add(work)

    # Driver: graphs.

    def begin_capture(self, cuda_stream: int) -> None:
        self._state.enter("begin_capture")
        self._stream(cuda_stream, "begin_capture").begin()

    def end_capture(self, cuda_stream: int) -> int:
        stream = self._stream(cuda_stream, "end_capture")
        work = stream.end()
        self._state.enter("end_capture")
        return self._state.keep(FakeGraph(work))

    def destroy_graph(self, graph: int) -> None:
        self._state.enter_freeing("destroy_graph")
        self._state.drop(graph, FakeGraph, "destroy_graph")

    def instantiate(self, graph: int) -> int:
        self._state.enter("instantiate", capture=False)
        return self._state.keep(FakeExecutable(self._state.get(graph, FakeGraph, "instantiate").work))

    def destroy_executable(self, executable: int) -> None:
        self._state.enter_freeing("destroy_executable")
        self._state.drop(executable, FakeExecutable, "destroy_executable")

    def launch_graph(self, executable: int, *, cuda_stream: int) -> None:
        self._state.enter("launch_graph")
        stream = self._stream(cuda_stream, "launch_graph")
        for work in self._state.get(executable, FakeExecutable, "launch_graph").work:
            stream.add(work)

    def _event(self, number: int, call: str) -> FakeEvent:
        return self._state.get(number, FakeEvent, call)

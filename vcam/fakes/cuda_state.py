"""What a fake CUDA driver knows: handles, contexts by thread, planned faults, and what is queued."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeVar

from vcam.cuda.errors import INVALID_CONTEXT, INVALID_HANDLE, LAUNCH_FAILED, failure, is_lost
from vcam.errors import GpuLostError
from vcam.fakes.cuda_memory import FakeMemory
from vcam.fakes.cuda_streams import STEP_MS, FakeStream, Work

Kept = TypeVar("Kept")


@dataclass(slots=True)
class _Fault:
    call: str
    code: int
    left: int


class FakeState:
    """calls: every call so far, by its method's name. ran: the work that was done, by the same names."""

    def __init__(self, device_bytes: int, host_bytes: int) -> None:
        self.calls: list[str] = []
        self.ran: list[str] = []
        self.memory = FakeMemory("device", device_bytes)
        self.host_memory = FakeMemory("page-locked", host_bytes)
        self.retained = 0
        self._lost: int | None = None
        self._contexts: dict[int, list[int]] = {}
        self._handles: dict[int, object] = {}
        self._numbers = itertools.count(0x1000, 0x10)
        self._faults: list[_Fault] = []

    def leaks(self) -> list[str]:
        """What was made and not freed, in words."""
        handles = [type(thing).__name__.removeprefix("Fake").lower() for thing in self._handles.values()]
        contexts = ["primary context"] * self.retained
        return self.memory.leaks() + self.host_memory.leaks() + handles + contexts

    # Each call.

    def enter(self, call: str, *, capture: bool = True) -> None:
        """Note the call; raise what it deserves. capture: whether it is allowed while a graph is captured."""
        self.calls.append(call)
        if not self._contexts.get(threading.get_ident()):
            raise failure(INVALID_CONTEXT, call)
        if self._lost is not None:
            raise failure(self._lost, call)
        self.meet_fault(call)
        for stream in () if capture else self.streams():
            stream.refuse_in_capture(call, own_thread_only=True)

    def enter_freeing(self, call: str) -> None:
        """As ``enter``, but a lost GPU is freed without an error."""
        if self._lost is None:
            self.enter(call, capture=False)
        else:
            self.calls.append(call)

    def plan_fault(self, call: str, code: int, on: int) -> None:
        self._faults.append(_Fault(call, code, on))

    def meet_fault(self, call: str) -> None:
        """Raise what was planned for this call."""
        for fault in [fault for fault in self._faults if fault.call == call]:
            fault.left -= 1
            if not fault.left:
                self._faults.remove(fault)
                raise self.lose(failure(fault.code, call, "as planned"), fault.code)

    def lose(self, error: Exception, code: int) -> Exception:
        """The same error; from now on every call fails so, where the code is of that kind."""
        self._lost = code if is_lost(code) else self._lost
        return error

    # Contexts.

    def push(self, context: int) -> None:
        self._contexts.setdefault(threading.get_ident(), []).append(context)

    def pop(self) -> None:
        stack = self._contexts.get(threading.get_ident())
        if not stack:
            raise failure(INVALID_CONTEXT, "pop_context")
        stack.pop()

    def is_current_anywhere(self) -> bool:
        return any(self._contexts.values())

    # Handles.

    def keep(self, thing: object) -> int:
        number = next(self._numbers)
        self._handles[number] = thing
        return number

    def get(self, number: int, kind: type[Kept], call: str) -> Kept:
        thing = self._handles.get(number)
        if not isinstance(thing, kind):
            raise failure(INVALID_HANDLE, call, f"{number:#x} is no {kind.__name__}")
        return thing

    def drop(self, number: int, kind: type[object], call: str) -> None:
        self.get(number, kind, call)
        del self._handles[number]

    def streams(self) -> Iterator[FakeStream]:
        return (thing for thing in list(self._handles.values()) if isinstance(thing, FakeStream))

    # Work.

    @property
    def now_ms(self) -> float:
        return len(self.ran) * STEP_MS

    def run(self, stream: FakeStream, *, most: int | None = None) -> None:
        """Do what is queued, in order. An error loses the GPU, and is raised here: by whoever waits."""
        count = len(stream.queue) if most is None else most
        with ExitStack() as on_error:
            on_error.callback(stream.queue.clear)
            for _ in range(count):
                work = stream.queue.popleft()
                self._do(work)
                self.ran.append(work.name)
            on_error.pop_all()
        for memory in (self.memory, self.host_memory):
            memory.check_freed()

    def drain(self) -> None:
        """What freeing memory waits for."""
        if self._lost is None:
            for stream in self.streams():
                self.run(stream)

    def is_lost(self) -> bool:
        return self._lost is not None

    def _do(self, work: Work) -> None:
        self.meet_fault(f"run {work.name}")
        if work.host is not None:
            self.host_memory.owns(work.host)
        try:
            work.run()
        except GpuLostError as error:
            code = error.context.get("code", LAUNCH_FAILED)
            raise self.lose(error, int(code)) from None
        for memory in (self.memory, self.host_memory) if work.foreign else ():
            memory.check_guards(work.name)

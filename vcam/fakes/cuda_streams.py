"""Streams, events and graphs of a GPU that is none: what is queued waits until somebody synchronises."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from vcam.cuda.driver import Bytes
from vcam.cuda.errors import (
    CAPTURE_INVALIDATED,
    CAPTURE_UNSUPPORTED,
    CAPTURE_WRONG_THREAD,
    CAPTURED_EVENT,
    INVALID_HANDLE,
    INVALID_VALUE,
    NOT_READY,
    failure,
)

STEP_MS = 0.125
"""The fake GPU's clock: each piece of work takes as long as any other."""


@dataclass(slots=True)
class FakeEvent:
    """time_ms: of the fake clock, when it was last passed. captured: recorded in a capture as no node of its own."""

    time_ms: float | None = None
    pending: int = 0
    captured: bool = False

    def pass_at(self, time_ms: float) -> None:
        self.pending -= 1
        self.time_ms = time_ms

    def passed_ms(self, call: str) -> float:
        if self.captured:
            raise failure(CAPTURED_EVENT, call)
        if self.pending:
            raise failure(NOT_READY, call)
        if self.time_ms is None:
            raise failure(INVALID_HANDLE, call, "the event was never recorded")
        return self.time_ms


@dataclass(frozen=True, slots=True)
class Work:
    """One piece. host: page-locked memory that it uses; event: what it records.

    foreign: code of others, which may write where it should not.
    """

    name: str
    run: Callable[[], None]
    host: Bytes | None = None
    event: FakeEvent | None = None
    foreign: bool = False


@dataclass(slots=True)
class Capture:
    thread: int
    recorded: list[Work] = field(default_factory=list)
    spoilt: bool = False


@dataclass(slots=True)
class FakeStream:
    queue: deque[Work] = field(default_factory=deque)
    capture: Capture | None = None

    def add(self, work: Work) -> None:
        """Queue it, or record it while a graph is captured."""
        if self.capture is not None:
            self.capture.recorded.append(work)
            return
        if work.event is not None:
            work.event.pending += 1
        self.queue.append(work)

    def begin(self) -> None:
        if self.capture is not None:
            raise failure(INVALID_VALUE, "begin_capture", "the stream is captured already")
        self.capture = Capture(threading.get_ident())

    def end(self) -> tuple[Work, ...]:
        capture = self.capture
        if capture is None:
            raise failure(INVALID_VALUE, "end_capture", "the stream is not captured")
        if capture.thread != threading.get_ident():
            raise failure(CAPTURE_WRONG_THREAD, "end_capture")
        self.capture = None
        if capture.spoilt:
            raise failure(CAPTURE_INVALIDATED, "end_capture")
        return tuple(capture.recorded)

    def refuse_in_capture(self, call: str, *, own_thread_only: bool) -> None:
        """Raises, and spoils the capture, where CUDA does not allow the call."""
        capture = self.capture
        if capture is None or (own_thread_only and capture.thread != threading.get_ident()):
            return
        capture.spoilt = True
        raise failure(CAPTURE_UNSUPPORTED, call)

"""All sinks behind one door: a picture goes to each, a sink that fails stops no other."""

import logging
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from vcam.errors import SinkError
from vcam.frame import Image, VideoFormat
from vcam.pipeline.snapshot import OutputStatus
from vcam.pipeline.tap import Tap
from vcam.stages import Sink

_log = logging.getLogger(__name__)

REOPEN_S = 1.0
"""A failed sink is tried again this often."""


def _always() -> bool:
    return True


class _Output:
    """One sink and how it fares. consumers: None while it is closed; watched: whether it had any when they were last
    counted. lost: why it takes no picture ever again, see ``Outputs.write``."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.up = False
        self.frames = 0
        self.errors = 0
        self.retry_at_s = 0.0
        self.consumers: int | None = None
        self.watched = True
        self.lost: SinkError | None = None

    def open(self) -> None:
        self.sink.__enter__()
        self.opened()

    def opened(self) -> None:
        self.up = True
        _log.info("output.opened", extra={"output": self.sink.name, "format": _describe(self.sink.format)})

    def close(self) -> None:
        self.up, self.consumers = False, None
        self.sink.__exit__(None, None, None)

    def count(self) -> None:
        self.consumers = self.sink.consumers()
        self.watched = self.consumers is None or self.consumers > 0

    def write(self, image: Image) -> None:
        self.sink.write(image)
        self.frames += 1


class Outputs:
    """Opens, writes and reopens the sinks. Any thread may call it; one picture is written at a time.

    The lock is held while sinks write, so that a SAFE card can never interleave with a live frame: a loopback device
    takes a frame without blocking, and a file that blocks must block the frame thread too. Between entering and leaving
    only ``tend`` opens sinks.
    """

    def __init__(self, sinks: Sequence[Sink], *, clock: Callable[[], float]) -> None:
        self.tap = Tap()
        self._outputs = [_Output(sink) for sink in sinks]
        self._clock = clock
        self._lock = threading.Lock()
        self._last_write_s: float | None = None
        self._dead_since_s: float | None = None
        self._last_error: SinkError | None = None

    @property
    def formats(self) -> tuple[VideoFormat, ...]:
        return tuple(output.sink.format for output in self._outputs)

    def __enter__(self) -> Self:
        """Open every sink. Raises the first sink's SinkError when it can never work, or when none opens."""
        failures: list[SinkError] = []
        for output in self._outputs:
            try:
                output.open()
            except SinkError as error:
                failures.append(error)
                self._failed(output, error)
        unusable = [error for error in failures if not error.retryable]
        if unusable or len(failures) == len(self._outputs):
            self.__exit__(None, None, None)
            raise (unusable or failures)[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close all; then raise what one was lost for, or raised on closing (a file that cannot be finished)."""
        problems: list[SinkError] = []
        with self._lock:
            for output in reversed(self._outputs):
                if output.lost is not None:
                    problems.append(output.lost)
                    output.lost = None
                if not output.up:
                    continue
                try:
                    output.close()
                except SinkError as problem:
                    problems.append(problem)
        if problems and error is None:
            raise problems[0]

    def write(self, images: Sequence[Image], *, shows_room: bool = False, wanted: Callable[[], bool] = _always) -> bool:
        """Hand one picture to each sink, in order. A sink that fails is closed and retried later, unless its error is
        not retryable: it is a recording then, and to open it again would write over what it has.

        shows_room: it is the camera's, untouched, and nothing for the tap. wanted: asked when nothing can come between
        the answer and the writing; whether it left. See ``settle``.
        """
        with self._lock:
            if not wanted():
                return False
            for output, image in zip(self._outputs, images, strict=True):
                if not output.up:
                    continue
                try:
                    output.write(image)
                except SinkError as error:
                    self._failed(output, error)
                    output.lost = None if error.retryable else error
                else:
                    self._last_write_s, self._dead_since_s = self._clock(), None
            if not shows_room:
                self.tap.picture(images[0])
        return True

    def settle(self) -> None:
        """Wait for what is being written: afterwards only what is wanted as things are now leaves."""
        with self._lock:
            pass

    def tend(self) -> bool:
        """Reopen what failed, and count the readers; a sink that cannot, as a device that is gone, has failed, too.
        Called by the supervisor, about once a frame.

        Whether one was opened: applications see it only once a picture was written to it.
        """
        reopened = False
        for output in self._outputs:
            if output.up:
                self._count(output)
            elif output.lost is None and self._clock() >= output.retry_at_s:
                reopened |= self._reopen(output)
        return reopened

    def check(self, limit_s: float) -> None:
        """Raises SinkError when no output is open, and none has taken a picture for ``limit_s`` since the last failed;
        at once when each is lost for good.

        An output that opens and then takes nothing is as dead as one that does not open.
        """
        with self._lock:
            losses = [output.lost for output in self._outputs if output.lost is not None]
            if len(losses) == len(self._outputs):
                raise losses[0]
            since_s, error = self._dead_since_s, self._last_error
            hopeless = since_s is not None and self._clock() - since_s >= limit_s and not self._any_up()
        if hopeless and error is not None:
            raise SinkError(f"no output has taken a picture for {limit_s:.0f} s: {error.problem}", hint=error.hint)

    def watched(self) -> bool:
        """Whether somebody reads, as far as can be known: a sink that cannot tell counts as watched, one that is closed
        as it was before."""
        return any(output.watched and output.lost is None for output in self._outputs)

    def last_write_age_s(self) -> float | None:
        """Seconds since a picture left, which it has when one output took it; None before the first."""
        return None if self._last_write_s is None else self._clock() - self._last_write_s

    def status(self) -> tuple[OutputStatus, ...]:
        return tuple(
            OutputStatus(name=o.sink.name, up=o.up, consumers=o.consumers, frames=o.frames, errors=o.errors)
            for o in self._outputs
        )

    def _count(self, output: _Output) -> None:
        with self._lock:
            try:
                if output.up:
                    output.count()
            except SinkError as error:
                self._failed(output, error)

    def _reopen(self, output: _Output) -> bool:
        """The lock is not held while it opens, which may take long: the pictures of the others do not wait for it."""
        try:
            output.sink.__enter__()
        except SinkError as error:
            with self._lock:
                self._failed(output, error)
            return False
        with self._lock:
            output.opened()
        return True

    def _failed(self, output: _Output, error: SinkError) -> None:
        output.errors += 1
        output.retry_at_s = self._clock() + REOPEN_S
        _log.warning("output.failed", extra={"output": output.sink.name, "problem": error.problem, "hint": error.hint})
        try:
            output.close()
        except SinkError as again:  # it failed already; closing is best effort
            _log.debug("output.close_failed", extra={"output": output.sink.name, "problem": again.problem})
        self._last_error = error
        if self._dead_since_s is None and not self._any_up():
            self._dead_since_s = self._clock()

    def _any_up(self) -> bool:
        return any(output.up for output in self._outputs)


def _describe(fmt: VideoFormat) -> str:
    return f"{fmt.pixel_format} {fmt.size} {fmt.range} {fmt.matrix}"

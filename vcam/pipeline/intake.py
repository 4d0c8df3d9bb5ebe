"""Where the frame thread gets its pictures: decoded by itself, or ahead by a thread that works while the GPU does.

Both give the newest frame. Ahead, a frame that was decoded and not yet taken gives way to a newer one: nothing is
longer than one, and a paced camera's frame is not later than without.
"""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from vcam.errors import DecodeError, SlotClosedError
from vcam.frame import Image
from vcam.pipeline.capture import Captured
from vcam.pipeline.line import FormatDecoder, Line
from vcam.pipeline.snapshot import DropReason, Outcome
from vcam.pipeline.statistics import Statistics
from vcam.pipeline.worker import RetryPolicy, Worker
from vcam.slot import LatestSlot
from vcam.stages import Resource, Stage, StageTimes

_log = logging.getLogger(__name__)

_TAKE_TIMEOUT_S = 0.2
_JOIN_S = 1.0


class Intake(Resource, Protocol):
    """Gives the frame thread its pictures."""

    @property
    def decoder(self) -> str | None:
        """Which one runs; None before the first frame."""
        ...

    @property
    def busy_since_s(self) -> float | None:
        """Since when a thread other than the caller's is at one frame; None while it waits."""
        ...

    def take(self, timeout_s: float) -> Captured:
        """The next frame. What ``picture`` lent before is given back. Raises TimeoutError, SlotClosedError."""
        ...

    def picture(self, captured: Captured, times: StageTimes) -> Image:
        """The picture of the frame just taken, borrowed until the next ``take``. Raises DecodeError."""
        ...


@dataclass(frozen=True, slots=True)
class IntakePolicy:
    """every_frame: wait instead of dropping. wanted: whether pictures are of use now; any thread may ask."""

    every_frame: bool
    wanted: Callable[[], bool]
    clock: Callable[[], float]


def open_intake(line: Line, slot: LatestSlot[Captured], statistics: Statistics, policy: IntakePolicy) -> Intake:
    """The intake that suits a line; not entered yet."""
    if line.opened.ahead:
        return AheadIntake(line.decoders, slot, statistics, policy)
    return InlineIntake(line.decoders[0], slot)


def count_corrupt(error: DecodeError, statistics: Statistics) -> None:
    """A frame is dropped because it could not be decoded."""
    _log.warning("frame.corrupt", extra={"problem": error.problem})
    statistics.dropped(DropReason.CORRUPT)


class InlineIntake:
    """Decodes in the frame thread. Satisfies Intake."""

    busy_since_s = None

    def __init__(self, decoder: FormatDecoder, slot: LatestSlot[Captured]) -> None:
        self._decoder = decoder
        self._slot = slot

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        return None

    @property
    def decoder(self) -> str | None:
        return self._decoder.name

    def take(self, timeout_s: float) -> Captured:
        return self._slot.take(timeout_s)

    def picture(self, captured: Captured, times: StageTimes) -> Image:
        with times.measure(Stage.DECODE):
            return self._decoder.decode(captured.frame)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """image: borrowed from ``decoder`` until that decodes again. seconds: what it took."""

    captured: Captured
    image: Image
    decoder: FormatDecoder
    seconds: float


class AheadIntake:
    """Decodes in the thread "vcam-decode" while entered. Satisfies Intake.

    decoders: AHEAD_DECODERS of them, owned by the caller, each with memory of its own, used in turns. Corrupt frames
    are dropped and counted here.
    """

    def __init__(
        self,
        decoders: tuple[FormatDecoder, ...],
        slot: LatestSlot[Captured],
        statistics: Statistics,
        policy: IntakePolicy,
    ) -> None:
        self._decoders = decoders
        self._free = deque(decoders)
        self._slot = slot
        self._statistics = statistics
        self._policy = policy
        self._ready: LatestSlot[_Decoded] = LatestSlot()
        self._current: _Decoded | None = None
        self._worker = Worker(
            "vcam-decode", self._session, RetryPolicy(0.0, 0.0, failures_limit=1), on_end=self._ready.close
        )
        self.busy_since_s: float | None = None

    def __enter__(self) -> Self:
        self._worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Waits for the thread without a limit, as a decoder in the frame thread would be waited for: its memory may
        be freed next. The supervisor sees ``busy_since_s`` and ends the process."""
        self._worker.stop()
        self._ready.close()
        while not self._worker.join(_JOIN_S):
            pass

    @property
    def decoder(self) -> str | None:
        return self._decoders[0].name

    def take(self, timeout_s: float) -> Captured:
        """Raises what the decoding thread could not go on with, too."""
        self._give_back()
        try:
            self._current = self._ready.take(timeout_s)
        except SlotClosedError:
            if self._worker.failure is not None:
                raise self._worker.failure from None
            raise
        return self._current.captured

    def picture(self, captured: Captured, times: StageTimes) -> Image:
        if self._current is None or self._current.captured is not captured:
            raise RuntimeError("only the picture of the frame just taken can be had")
        times.add(Stage.DECODE, self._current.seconds)
        return self._current.image

    def _give_back(self) -> None:
        # Before the next is taken: else two places were held for a moment, and the decoder would find none.
        current, self._current = self._current, None
        if current is not None:
            self._free.append(current.decoder)

    def _session(self) -> None:
        while not self._worker.stopping:
            try:
                captured = self._slot.take(_TAKE_TIMEOUT_S)
                if self._policy.wanted():
                    self._decode(captured)
            except TimeoutError:
                continue
            except SlotClosedError:
                return

    def _decode(self, captured: Captured) -> None:
        clock = self._policy.clock
        began_s = self.busy_since_s = clock()
        decoder = self._free.popleft()
        try:
            image = decoder.decode(captured.frame)
        except DecodeError as error:
            self._free.append(decoder)
            count_corrupt(error, self._statistics)
            self._statistics.frame_done(Outcome.DROPPED, {Stage.DECODE: clock() - began_s}, 0.0)
            return
        finally:
            self.busy_since_s = None
        self._hand_over(_Decoded(captured, image, decoder, clock() - began_s))

    def _hand_over(self, decoded: _Decoded) -> None:
        if not self._policy.every_frame:
            displaced = self._ready.put(decoded)
            if displaced is not None:
                self._free.append(displaced.decoder)
                self._statistics.dropped(DropReason.SUPERSEDED)
            return
        while not self._worker.stopping and not self._ready.offer(decoded, _TAKE_TIMEOUT_S):
            pass

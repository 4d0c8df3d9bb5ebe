"""The capture thread: opens the source, stamps its epoch, hands the newest frame over."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from vcam.errors import EndOfStreamError, SlotClosedError
from vcam.frame import EncodedFrame
from vcam.pipeline.snapshot import DropReason
from vcam.pipeline.statistics import Statistics
from vcam.pipeline.worker import RetryPolicy, Worker
from vcam.slot import LatestSlot
from vcam.stages import Losses, Source

CAMERA_RETRY_S = 0.25
"""A replugged camera is LIVE within a second: four tries fit, and an open() of a missing node costs nothing."""

_REST_S = 60.0
"""While the camera is closed for lack of readers; ended by the first of them."""

READ_TIMEOUT_S = 2.0
"""A camera that delivers nothing for this long is treated as lost."""


@dataclass(frozen=True, slots=True)
class Captured:
    """A frame and the time, in seconds of the pipeline's clock, at which it reached us."""

    frame: EncodedFrame
    received_s: float


@dataclass(frozen=True, slots=True)
class CapturePolicy:
    """every_frame: wait for the frame thread instead of dropping (file to file).
    wait_for_camera: a camera that cannot be opened at first is waited for instead of being an error.
    """

    every_frame: bool
    wait_for_camera: bool
    clock: Callable[[], float]


class CaptureLoop:
    """Owns the source for as long as it lives; its supervisor (Worker) owns the retries.

    source_ended: it has no more frames.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        slot: LatestSlot[Captured],
        statistics: Statistics,
        policy: CapturePolicy,
        *,
        on_change: Callable[[], None],
    ) -> None:
        """on_change: called in the worker's thread when it fails or ends."""
        self._open_source = open_source
        self._slot = slot
        self._statistics = statistics
        self._policy = policy
        self._on_change = on_change
        self._epoch = 0
        self._called_s: float | None = None
        self._closed_for_idle = False
        self.camera_up = False
        self.source_ended = False
        retry = RetryPolicy(CAMERA_RETRY_S, CAMERA_RETRY_S, first_must_succeed=not policy.wait_for_camera)
        self.worker = Worker("vcam-capture", self._session, retry, on_end=on_change, on_failure=lambda _: on_change())

    def idle(self, *, asleep: bool) -> None:
        """Close the camera while nobody watches (its light goes out), open it when somebody does."""
        self._closed_for_idle = asleep
        self.worker.nudge()

    def silent_s(self) -> float:
        """How long the camera's driver has not come back from a call; a file may take what it takes."""
        called_s = self._called_s
        return 0.0 if called_s is None or self._policy.every_frame else self._policy.clock() - called_s

    def successor(self) -> "CaptureLoop":
        """Another to go on with, not started. This one's thread is left to the driver that keeps it."""
        self.worker.stop()
        patient = replace(self._policy, wait_for_camera=True)
        other = CaptureLoop(self._open_source, self._slot, self._statistics, patient, on_change=self._on_change)
        other._epoch = self._epoch
        other.idle(asleep=self._closed_for_idle)
        return other

    def _session(self) -> None:
        while not self.worker.stopping:
            if self._closed_for_idle:
                self.worker.wait(_REST_S)
                continue
            try:
                self._called_s = self._policy.clock()
                with self._open_source() as source:
                    self._pump(source)
            except EndOfStreamError:
                self.source_ended = True
                self._slot.close()
                return
            except SlotClosedError:
                return
            finally:
                self.camera_up = False
                self._called_s = None

    def _pump(self, source: Source) -> None:
        self._epoch += 1
        expected: int | None = None
        before = source.losses
        while not (self.worker.stopping or self._closed_for_idle):
            self._called_s = self._policy.clock()
            frame = source.read(READ_TIMEOUT_S)
            if not self.camera_up:
                self.camera_up = True
                self.worker.succeeded()
            gap = 0 if expected is None else frame.stamp.sequence - expected
            self._count_losses(before, source.losses, gap)
            expected, before = frame.stamp.sequence + 1, source.losses
            self._hand_over(replace(frame, stamp=replace(frame.stamp, epoch=self._epoch)))

    def _count_losses(self, before: Losses, now: Losses, gap: int) -> None:
        """What the source knows about; what is left of the gap in the sequence was lost before it reached us."""
        stale, corrupt = now.stale - before.stale, now.corrupt - before.corrupt
        for reason, count in (
            (DropReason.STALE, stale),
            (DropReason.CORRUPT, corrupt),
            (DropReason.SEQUENCE_GAP, gap - stale - corrupt),
        ):
            if count > 0:
                self._statistics.dropped(reason, count)

    def _hand_over(self, frame: EncodedFrame) -> None:
        captured = Captured(frame, self._policy.clock())
        if not self._policy.every_frame:
            # A thread that its driver kept, and let go in the end, has a successor whose pictures are newer.
            if not self.worker.stopping and self._slot.put(captured) is not None:
                self._statistics.dropped(DropReason.SUPERSEDED)
            return
        while not self.worker.stopping and not self._slot.offer(captured, CAMERA_RETRY_S):
            pass

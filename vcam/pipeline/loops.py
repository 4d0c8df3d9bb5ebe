"""The threads of one wiring: capture, frames, and the one place between them. Made, started and ended together."""

import logging
from collections.abc import Callable

from vcam.errors import DeviceError, VcamError
from vcam.pipeline.capture import Captured, CaptureLoop, CapturePolicy
from vcam.pipeline.outputs import Outputs
from vcam.pipeline.runner import Control, FrameLoop
from vcam.pipeline.statistics import Statistics
from vcam.pipeline.wiring import Wiring
from vcam.pipeline.worker import FAULT_HINT, told
from vcam.slot import LatestSlot

_log = logging.getLogger(__name__)

_STOP_LIMIT_S = 0.9
"""A stop is clean within a second: the threads get this long, then they are left behind as daemons."""
_KEPT_LIMIT = 8
"""So many threads may be left to drivers that keep them."""


class Loops:
    """Started once, ended once; to end what never began, or has ended, is harmless."""

    def __init__(
        self,
        wiring: Wiring,
        outputs: Outputs,
        statistics: Statistics,
        control: Control,
        *,
        patient: bool,
        on_change: Callable[[], None],
    ) -> None:
        """patient: a camera that is missing is waited for, whatever the policy says. on_change: called in any thread
        when one fails or ends."""
        policy = wiring.policy
        self._clock = policy.clock
        self._source_name = wiring.source_name
        self._kept = 0
        self._slot: LatestSlot[Captured] = LatestSlot()
        how = CapturePolicy(
            every_frame=not policy.live, wait_for_camera=policy.wait_for_camera or patient, clock=policy.clock
        )
        self.capture = CaptureLoop(wiring.open_source, self._slot, statistics, how, on_change=on_change)
        self.frames = FrameLoop(wiring, self._slot, outputs, statistics, control, on_end=on_change)

    def start(self) -> None:
        self.frames.worker.start()
        self.capture.worker.start()

    def end(self) -> None:
        """Within a second."""
        self.capture.worker.stop()
        self.frames.worker.stop()
        self._slot.close()
        deadline = self._clock() + _STOP_LIMIT_S
        for worker in (self.frames.worker, self.capture.worker):
            if not worker.join(max(0.0, deadline - self._clock())):
                _log.warning("worker.left_behind", extra={"worker": worker.name})

    def replace_capture(self) -> None:
        """Let another thread open the camera: its driver keeps the one that did. Raises DeviceError."""
        self._kept += 1
        stuck = DeviceError(
            f"the driver of {self._source_name} does not answer",
            hint="Plug the camera in again; `sudo dmesg | tail` has what the driver says.",
            device=self._source_name,
        )
        if self._kept > _KEPT_LIMIT:
            raise stuck
        _log.error("capture.stuck", extra=told(stuck))
        self.capture = self.capture.successor()
        self.capture.worker.start()

    @property
    def failure(self) -> Exception | None:
        """What ended a thread for good."""
        return self.capture.worker.failure or self.frames.worker.failure

    def over(self) -> bool:
        """Whether no picture will come any more. Raises VcamError where nothing accounts for that."""
        if self.failure is not None:
            return True
        if self.frames.worker.alive:
            return False
        if not (self.frames.complete or self.capture.source_ended):
            raise VcamError(f"{self.frames.worker.name} ended before the pictures did", hint=FAULT_HINT)
        return True

    def busy_s(self) -> float:
        """How long a thread has been at its present frame."""
        since_s = self.frames.busy_since_s
        return 0.0 if since_s is None else self._clock() - since_s

    def live_age_s(self) -> float | None:
        """Since a live frame left; None where none is missed."""
        last_s = self.frames.last_live_s
        return None if last_s is None else self._clock() - last_s

"""What viewers see, and why: derived from what the threads are doing; no state is stored that could be wrong."""

from dataclasses import dataclass

from vcam.pipeline.snapshot import SafeReason, State
from vcam.pipeline.wiring import Policy

_MISSED_FRAMES = 3
"""So many frames in a row must be missing before the card is shown: an engine of 4 fps must not flicker."""
_LONGEST_HOLD_S = 1.0
"""However slow an engine is, a picture is not held for longer; only a source slower than this is waited for."""
_BEFORE_THE_FIRST = (SafeReason.STARTING, SafeReason.ENGINE_LOADING, SafeReason.ENGINE_BUILDING)
"""Why there is no picture yet, while nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What is so at one moment.

    asleep: the camera is closed, since nobody watches. reloading: from a reload to the first live frame.
    camera_lost: it failed, and is not back. engine_up: it is open; building: its plan is being built.
    failing: by what the last frame failed, None when it was shown. live_age_s: since the last live frame left, None
    where none is missed. busy_s: how long a thread has been at one frame. typical_s: what a frame takes.
    """

    asleep: bool
    paused: bool
    reloading: bool
    camera_lost: bool
    engine_up: bool
    building: bool
    failing: SafeReason | None
    live_age_s: float | None
    busy_s: float
    typical_s: float

    def state(self, policy: Policy) -> tuple[State, SafeReason | None]:
        """What viewers see, and the reason for the SAFE card where they see that."""
        if self.asleep:
            return State.IDLE, None
        if self.paused:
            return State.SAFE, SafeReason.PAUSED
        patience_s = self._patience_s(policy)
        age_s = self.live_age_s
        if age_s is not None and (not policy.live or (age_s < patience_s and not self.camera_lost)):
            return State.LIVE, None
        reason = self._why_safe(patience_s)
        started = age_s is not None or reason not in _BEFORE_THE_FIRST
        return (State.SAFE if started else State.STARTING), reason

    def _why_safe(self, patience_s: float) -> SafeReason:
        if self.failing is not None and not self.engine_up:
            return self.failing
        if self.reloading and not self.camera_lost:
            return SafeReason.RELOAD
        if not self.engine_up:
            return SafeReason.ENGINE_BUILDING if self.building else SafeReason.ENGINE_LOADING
        if self.busy_s > patience_s:
            return SafeReason.ENGINE_STALL
        if self.camera_lost:  # which is what to mend first, whatever else there is
            return SafeReason.CAMERA_LOST
        if self.failing is not None:
            return self.failing
        return SafeReason.STARTING if self.live_age_s is None else SafeReason.CAMERA_LOST

    def _patience_s(self, policy: Policy) -> float:
        """How old the last live frame may get: the policy's limit, and longer where camera or engine are that slow."""
        slow_s = _MISSED_FRAMES * max(policy.frame_interval_s, self.typical_s)
        return max(policy.safe_after_s, min(slow_s, max(_LONGEST_HOLD_S, _MISSED_FRAMES * policy.frame_interval_s)))

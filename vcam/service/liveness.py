"""Whether a running vcam is well: one rule for /healthz and for systemd's watchdog."""

import time
from collections.abc import Callable

from vcam.pipeline.snapshot import Snapshot, State

SILENCE_LIMIT_S = 5.0
"""Without a picture, live or SAFE, for so long the process is ill: the card alone would leave at the frame rate."""


class Liveness:
    """Judges snapshots. Start-up, from the making of this object on, counts as silence. clock: seconds, monotonic."""

    def __init__(
        self, *, silence_limit_s: float = SILENCE_LIMIT_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._silence_limit_s = silence_limit_s
        self._clock = clock
        self._began_s = clock()

    def well(self, now: Snapshot) -> bool:
        """Pictures leave, or nobody watches."""
        age_s = self._clock() - self._began_s if now.last_write_age_s is None else now.last_write_age_s
        return now.state is State.IDLE or age_s <= self._silence_limit_s

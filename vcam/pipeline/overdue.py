"""How long others may keep the supervisor waiting before it gives them up."""

from collections.abc import Callable

LIMIT_S = 30.0
"""An engine, or a camera's driver, that has not come back for this long never will. A UVC camera's slowest answers take
5 s each."""
_AWAY_S = 5.0
"""Whoever looks many times a second and did not look for this long was stopped, and so was all that it watches."""


class Overdue:
    """To be asked often. What its own process slept through (Ctrl-Z, a paused container, a frozen computer) is held
    against nobody. Time is what ``clock`` says, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._looked_s = self._awake_since_s = clock()

    def look(self) -> None:
        """Note that the process runs."""
        before_s, self._looked_s = self._looked_s, self._clock()
        if self._looked_s - before_s > _AWAY_S:
            self._awake_since_s = self._looked_s

    def is_so(self, waited_s: float) -> bool:
        """Whether who has been waited for this long, up to the last look, will not come any more."""
        return min(waited_s, self._looked_s - self._awake_since_s) > LIMIT_S

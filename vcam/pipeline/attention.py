"""Whether anybody looks at the virtual camera: the camera sleeps while nobody does."""

from collections.abc import Callable

_COVERS = 8
"""So many cards leave when the camera falls asleep: a driver keeps its last pictures for the next reader's first look,
and one of the person may have been on its way."""
_REST_S = 0.1
"""Soon enough for whoever comes: the camera is to be open within 0.3 s."""


class Attention:
    """Asleep after a time without readers. Time is what ``clock`` says, in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.asleep = False
        self._clock = clock
        self._unwatched_since_s: float | None = None
        self._covers_left = 0

    def look(self, *, watched: bool, limit_s: float) -> bool:
        """Note what is so now; whether that ends or begins a sleep."""
        if watched:
            self._unwatched_since_s = None
        elif self._unwatched_since_s is None:
            self._unwatched_since_s = self._clock()
        asleep = self._unwatched_since_s is not None and self._clock() - self._unwatched_since_s >= limit_s
        changed = asleep is not self.asleep
        if changed:
            self.asleep = asleep
            self.cover()
        return changed

    def tick_s(self, interval_s: float) -> float:
        """When to look again: after a frame's time, but later once nothing is to be done until somebody comes."""
        rests = self.asleep and not self._covers_left
        return max(interval_s, _REST_S) if rests else interval_s

    def cover(self) -> None:
        """Owe cards from now on."""
        self._covers_left = _COVERS

    def owes_card(self) -> bool:
        """Whether one more card is to cover what the drivers keep, while nobody looks."""
        owed = self.asleep and self._covers_left > 0
        self._covers_left -= owed
        return owed

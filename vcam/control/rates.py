"""How often somebody may ask: a bucket of tokens each, that fills steadily."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_MOST_PEERS = 1024


@dataclass(frozen=True, slots=True)
class Rate:
    """burst: so many at once; then per_s a second."""

    burst: float
    per_s: float


class Rates:
    """Buckets by peer; the longest unused goes when there are too many. Used in one thread."""

    def __init__(self, rate: Rate, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait_s(self, peer: str) -> float:
        """Seconds until there is a token; 0 when there is one now."""
        return max(0.0, (1.0 - self._level(peer)) / self._rate.per_s)

    def take(self, peer: str) -> float:
        """Use a token. 0, or, when there is none, the seconds until there is one."""
        wait_s = self.wait_s(peer)
        if wait_s == 0.0:
            self._buckets[peer] = (self._level(peer) - 1.0, self._clock())
            self._buckets.move_to_end(peer)
            if len(self._buckets) > _MOST_PEERS:
                self._buckets.popitem(last=False)
        return wait_s

    def _level(self, peer: str) -> float:
        level, at_s = self._buckets.get(peer, (self._rate.burst, self._clock()))
        return min(self._rate.burst, level + (self._clock() - at_s) * self._rate.per_s)

"""What users set on a camera while vcam runs: a camera that was unplugged, or slept, has forgotten it."""

import threading
from collections.abc import Mapping
from types import MappingProxyType


class WantedControls:
    """Values by key, as in ``controls``, of the camera that had this name last. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._card = ""
        self._values: Mapping[str, int] = MappingProxyType({})

    def add(self, card: str, key: str, value: int) -> None:
        """It was set on the camera that calls itself ``card``; what another one had is forgotten."""
        with self._lock:
            before = self._values if card == self._card else {}
            self._card, self._values = card, MappingProxyType({**before, key: value})

    def of(self, card: str) -> Mapping[str, int]:
        """What to set on that camera."""
        with self._lock:
            return self._values if card == self._card else MappingProxyType({})

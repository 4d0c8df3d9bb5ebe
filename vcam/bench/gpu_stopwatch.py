"""A driver that takes the time of what is not ours: waiting for the GPU, and handing it copies."""

import time
from collections.abc import Callable
from typing import cast

from vcam.cuda.driver import Driver

_NOT_OURS = frozenset(
    {
        "synchronize_stream",
        "synchronize_event",
        "copy_to_device",
        "copy_to_host",
        "copy_rows_to_device",
        "copy_rows_to_host",
    }
)


class StopwatchDriver:
    """seconds: spent so far inside calls that wait or copy; what is left of a frame is our own work."""

    def __init__(self, driver: Driver) -> None:
        self.seconds = 0.0
        for name in vars(Driver):
            if not name.startswith("_"):
                call: Callable[..., object] = getattr(driver, name)
                setattr(self, name, self._timed(call) if name in _NOT_OURS else call)

    @property
    def driver(self) -> Driver:
        """Itself, which has every method of a Driver."""
        return cast(Driver, self)

    def _timed(self, call: Callable[..., object]) -> Callable[..., object]:
        def timed(*arguments: object, **named: object) -> object:
            began = time.perf_counter()
            try:
                return call(*arguments, **named)
            finally:
                self.seconds += time.perf_counter() - began

        return timed

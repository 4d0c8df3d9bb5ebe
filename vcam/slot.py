"""The hand-over between two threads: one place, the newest wins, nothing waits in a queue."""

import threading
from typing import Generic, TypeVar

from vcam.errors import SlotClosedError

T = TypeVar("T")


class LatestSlot(Generic[T]):
    """Holds at most one item. Any thread may call any method."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False

    def put(self, item: T) -> T | None:
        """Store ``item`` without waiting; returns the item it displaced, so that the caller can count it.

        Raises SlotClosedError once closed.
        """
        with self._changed:
            self._check_open()
            displaced, self._item = self._item, item
            self._changed.notify_all()
            return displaced

    def offer(self, item: T, timeout_s: float) -> bool:
        """Store ``item`` once the place is free (for sources where each frame counts); False when it stayed full.

        Raises SlotClosedError once closed.
        """
        with self._changed:
            free = self._changed.wait_for(lambda: self._closed or self._item is None, timeout_s)
            self._check_open()
            if free:
                self._item = item
                self._changed.notify_all()
            return free

    def take(self, timeout_s: float) -> T:
        """Remove and return the item. Raises TimeoutError, and SlotClosedError once closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._item is not None, timeout_s)
            if self._item is None:
                self._check_open()
                raise TimeoutError
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Wake everybody; an item already inside can still be taken. Harmless when called again."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise SlotClosedError

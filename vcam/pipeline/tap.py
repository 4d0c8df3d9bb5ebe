"""Copies of what leaves, for those who ask to see it. While nobody asks, a frame costs one comparison.

The camera's own picture comes here only where the operator has allowed it, and then apart: it is among the pictures
that leave neither when the background ``none`` shows the room, nor from a frame that was not shown.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Generic, TypeVar

from vcam.frame import Image, Plane, allocate_planes

T = TypeVar("T")


class Tray(Generic[T]):
    """Holds the next item for all who wait for it. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: Future[T] | None = None

    @property
    def wanted(self) -> bool:
        return self._asked is not None

    def ask(self) -> Future[T]:
        """The next item; the same for all who ask before it is there. Cancel it when nobody waits any more."""
        with self._lock:
            if self._asked is None or self._asked.cancelled():
                self._asked = Future()
            return self._asked

    def put(self, item: T) -> None:
        with self._lock:
            asked, self._asked = self._asked, None
        if asked is not None and asked.set_running_or_notify_cancel():
            asked.set_result(item)


class Tap:
    """The first output's pictures, live ones and cards, and mattes: (H, W) uint8 at the camera's resolution.

    sources: the camera's own pictures, where ``Policy.preview_source`` lets them come.
    """

    def __init__(self) -> None:
        self.pictures: Tray[Image] = Tray()
        self.mattes: Tray[Plane] = Tray()
        self.sources: Tray[Image] = Tray()

    def picture(self, image: Image) -> None:
        """This one leaves; it is copied if someone asked."""
        if self.pictures.wanted:
            self.pictures.put(_copied(image))

    def source(self, image: Image) -> None:
        """The camera's own picture; one that a GPU decoded into its own memory is left there, and is not given."""
        if self.sources.wanted and not image.device:
            self.sources.put(_copied(image))

    def matte(self, alpha: Callable[[], Plane]) -> None:
        """A frame was shown, and this computes its alpha, as a new array."""
        if self.mattes.wanted:
            self.mattes.put(alpha())


def _copied(image: Image) -> Image:
    _, planes = allocate_planes(image.format)
    for mine, theirs in zip(planes, image.planes, strict=True):
        mine[:] = theirs
    return replace(image, planes=planes, format=replace(image.format, stride=0))

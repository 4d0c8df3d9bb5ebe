"""A sink that counts frames and keeps nothing: for benchmarks and tests."""

from types import TracebackType
from typing import Self

from vcam.frame import Image, VideoFormat


class NullSink:
    """``null:``. frames: how many were written since it was made."""

    def __init__(self, fmt: VideoFormat) -> None:
        self.frames = 0
        self._format = fmt

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        return None

    @property
    def name(self) -> str:
        return "null:"

    @property
    def format(self) -> VideoFormat:
        return self._format

    def write(self, image: Image) -> None:
        """Count it."""
        self.frames += 1

    def consumers(self) -> int | None:
        return None

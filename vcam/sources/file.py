"""A video or picture file as a source."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from vcam.errors import EndOfStreamError
from vcam.frame import EncodedFrame, Stamp, VideoFormat
from vcam.sources.media_reader import MediaReader, Picture, unreadable
from vcam.sources.pace import Pace
from vcam.stages import Losses

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a file holds. frames: None where the container does not say; may be an estimate."""

    format: VideoFormat
    fps: float
    frames: int | None


def probe(path: Path) -> MediaInfo:
    """Look into a file without playing it. Raises MediaError."""
    with MediaReader(path) as reader:
        first = next(reader.pictures(), None)
        if first is None:
            raise unreadable(path, "no picture in it can be decoded")
        return MediaInfo(first.format, 1.0 / reader.frame_interval_s, reader.frame_count)


class _Timeline:
    """Stamps that rise across the passes over a file, from 0, whatever its own stamps do."""

    def __init__(self) -> None:
        self.count = 0
        self._pass_began_ns = 0
        self._first_ns: int | None = None
        self._last_ns = -1

    def begin_pass(self, interval_ns: int) -> None:
        self._pass_began_ns = self._last_ns + interval_ns
        self._first_ns = None

    def stamp(self, pts_ns: int | None, interval_ns: int) -> Stamp:
        if pts_ns is None:
            placed_ns = self._last_ns + interval_ns if self.count else 0
        else:
            if self._first_ns is None:
                self._first_ns = pts_ns
            placed_ns = self._pass_began_ns + pts_ns - self._first_ns
        # Torn files have stamps that go back.
        self._last_ns = max(placed_ns, self._last_ns + 1)
        self.count += 1
        return Stamp(self._last_ns, self.count - 1)


class FileSource:
    """Plays a file. Motion JPEG is delivered undecoded, as a webcam would; a still picture plays at 30 fps.

    every_frame: each frame at once; pts_ns counts from 0. realtime: each frame when it is due; pts_ns is that time on
    the clock; a reader who is late by more than an interval delays the rest of the film, and misses nothing. A gap in
    the film that is longer than the reader waits is cut short: it goes on an interval later.
    loop: begin again at the end; stamps go on rising.
    """

    def __init__(
        self,
        path: Path,
        *,
        pace: Pace,
        loop: bool,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._path = path
        self._pace = pace
        self._loop = loop
        self._clock = clock
        self._wait = wait
        self._stack = ExitStack()
        self._reader: MediaReader | None = None
        self._pictures: Iterator[Picture] = iter(())
        self._pending: EncodedFrame | None = None
        self._format: VideoFormat | None = None
        self._interval_s = 0.0
        self._corrupt_before = 0
        self._timeline = _Timeline()
        self._base_s: float | None = None

    def __enter__(self) -> Self:
        """Open the file and read its first picture. Raises MediaError."""
        self._timeline, self._base_s = _Timeline(), None
        with ExitStack() as stack:
            self._open(stack)
            self._pending = self._next_frame()
            self._stack = stack.pop_all()
        self._format = self._pending.format
        log.info("file.opened", extra={"path": str(self._path), "format": self._format.pixel_format.value})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._pictures, self._pending = iter(()), None
        self._stack.close()

    @property
    def format(self) -> VideoFormat:
        if self._format is None:
            raise RuntimeError("FileSource.format is known once entered")
        return self._format

    @property
    def frame_interval_s(self) -> float:
        return self._interval_s

    @property
    def losses(self) -> Losses:
        """Packets that could not be decoded count as frames."""
        return Losses(corrupt=self._corrupt_packets)

    @property
    def _corrupt_packets(self) -> int:
        """Packets that were skipped since the source was made."""
        return self._corrupt_before + (self._reader.corrupt_packets if self._reader else 0)

    def read(self, timeout_s: float) -> EncodedFrame:
        """The next frame, once it is due, and within ``timeout_s`` in any case. Raises EndOfStreamError at the end,
        MediaError when a file can no longer be read."""
        if self._pending is None:
            self._pending = self._next_frame()
        frame = self._pending if self._pace is Pace.EVERY_FRAME else self._await(self._pending, timeout_s)
        self._pending = None
        return frame

    def _await(self, frame: EncodedFrame, timeout_s: float) -> EncodedFrame:
        now_s = self._clock()
        pts_s = frame.stamp.pts_ns / _NS_PER_S
        if self._base_s is None or now_s - (self._base_s + pts_s) > self._interval_s:
            self._base_s = now_s - pts_s
        due_s = self._base_s + pts_s
        if due_s - now_s > timeout_s:
            gap_s, due_s = due_s - now_s, now_s + min(self._interval_s, timeout_s)
            self._base_s = due_s - pts_s
            if self._interval_s <= timeout_s:  # else each frame of a slow film would be told
                log.info("file.gap", extra={"path": str(self._path), "seconds": round(gap_s, 1)})
        if due_s > now_s:
            self._wait(due_s - now_s)
        return EncodedFrame(frame.data, frame.format, Stamp(round(due_s * _NS_PER_S), frame.stamp.sequence))

    def _next_frame(self) -> EncodedFrame:
        picture = next(self._pictures, None)
        if picture is None:
            picture = self._next_pass()
        stamp = self._timeline.stamp(picture.pts_ns, self._interval_ns)
        return EncodedFrame(picture.data, picture.format, stamp)

    @property
    def _interval_ns(self) -> int:
        return round(self._interval_s * _NS_PER_S)

    def _next_pass(self) -> Picture:
        if not self._timeline.count:
            raise unreadable(self._path, "no picture in it can be decoded")
        if not self._loop:
            raise EndOfStreamError(f"{self._path} is over")
        self._timeline.begin_pass(self._interval_ns)
        self._stack.close()
        with ExitStack() as stack:
            self._open(stack)
            self._stack = stack.pop_all()
        picture = next(self._pictures, None)
        if picture is None:
            raise unreadable(self._path, "it has changed, and no picture in it can be decoded")
        return picture

    def _open(self, stack: ExitStack) -> None:
        self._corrupt_before = self._corrupt_packets
        self._reader = None
        reader = stack.enter_context(MediaReader(self._path))
        self._reader, self._pictures, self._interval_s = reader, reader.pictures(), reader.frame_interval_s
        if reader.is_still and self._loop:
            self._pictures = _again_and_again(self._pictures)


def _again_and_again(pictures: Iterator[Picture]) -> Iterator[Picture]:
    """A still picture has no time line of its own: it is read once and repeated."""
    for picture in pictures:
        still = Picture(picture.data, picture.format, None)
        while True:
            yield still

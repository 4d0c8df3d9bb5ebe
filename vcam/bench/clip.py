"""What the measurements look at: JPEGs as a webcam sends them, held in memory so that no disk is measured."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from turbojpeg import TJSAMP_422, TurboJPEG

from vcam.errors import EndOfStreamError, MediaError
from vcam.frame import EncodedFrame, PixelFormat, Range, Size, Stamp, VideoFormat
from vcam.sources.file import FileSource
from vcam.sources.pace import Pace
from vcam.sources.test_scene import TestScene
from vcam.stages import Losses

_QUALITY = 80
"""What UVC cameras send, by the size of their frames (about 150 KB at 720p)."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Encoded frames of one format, repeated by whoever plays it."""

    jpegs: tuple[bytes, ...]
    format: VideoFormat


def scene_clip(size: Size, *, frames: int = 60) -> Clip:
    """The test scene with the figure in the picture, MJPEG 4:2:2."""
    scene = TestScene(size, 30.0)
    encoder = TurboJPEG()
    first = 120
    pictures = (scene.picture(index) for index in range(first, first + frames))
    jpegs = tuple(encoder.encode(rgb, quality=_QUALITY, pixel_format=0, jpeg_subsample=TJSAMP_422) for rgb in pictures)
    return Clip(jpegs, _mjpg(size))


def file_clip(path: Path, *, frames: int = 300) -> Clip:
    """The packets of an MJPEG file. Raises MediaError when its video is something else."""
    jpegs: list[bytes] = []
    with FileSource(path, pace=Pace.EVERY_FRAME, loop=False) as source:
        fmt = source.format
        if fmt.pixel_format is not PixelFormat.MJPG:
            raise MediaError(f"{path} is not MJPEG", hint="make one with scripts/portrait_clip.py, or leave --clip out")
        try:
            while len(jpegs) < frames:
                jpegs.append(bytes(source.read(1.0).data))
        except EndOfStreamError:
            pass
    return Clip(tuple(jpegs), fmt)


def _mjpg(size: Size) -> VideoFormat:
    return VideoFormat(PixelFormat.MJPG, size.width, size.height, range=Range.FULL)


class ClipSource:
    """Plays a clip to and fro for ``frames`` frames, so that motion never jumps; satisfies Source.

    fps: paced like a camera by ``clock``; None delivers as fast as it is read.
    """

    def __init__(
        self, clip: Clip, *, frames: int, fps: float | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._order = to_and_fro(clip.jpegs)
        self._clip = clip
        self._frames = frames
        self._fps = fps
        self._clock = clock
        self._next = 0
        self._began_s = 0.0

    def __enter__(self) -> Self:
        self._next, self._began_s = 0, self._clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    @property
    def format(self) -> VideoFormat:
        return self._clip.format

    @property
    def frame_interval_s(self) -> float:
        return 1.0 / (self._fps or 30.0)

    @property
    def losses(self) -> Losses:
        return Losses()

    def read(self, timeout_s: float) -> EncodedFrame:
        if self._next >= self._frames:
            raise EndOfStreamError
        if self._fps is not None:
            wait_s = self._began_s + self._next / self._fps - self._clock()
            if wait_s > 0:
                time.sleep(wait_s)
        index, self._next = self._next, self._next + 1
        data = self._order[index % len(self._order)]
        return EncodedFrame(data, self._clip.format, Stamp(time.monotonic_ns(), index))


def to_and_fro(items: Sequence[bytes]) -> tuple[bytes, ...]:
    """Forth and back, without jumps when it is repeated."""
    return (*items, *reversed(items[1:-1]))

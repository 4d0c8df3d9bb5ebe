"""A video file as a sink."""

import logging
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import ClassVar, Self

from vcam.errors import SinkError, SinkUnusableError
from vcam.frame import Image, PixelFormat, Stamp, VideoFormat
from vcam.media_writer import ContainerWriter
from vcam.sinks.spec import unfinished
from vcam.sinks.writers import Writer, Y4mWriter

log = logging.getLogger(__name__)

_MUXERS: Mapping[str, str] = MappingProxyType({".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"})
_Y4M = ".y4m"
SUFFIXES = (*_MUXERS, _Y4M)

_NS_PER_S = 1_000_000_000
_LONGEST_GAP_INTERVALS = 60
_RATE_DENOMINATOR = 1001


class FileSink:
    """Records to .mp4, .mov, .mkv (H.264) or .y4m (raw). Expects I420; even sides for H.264.

    While it records, the file is called NAME.part.SUFFIX; it gets its name when it is finished, which Ctrl-C does too.
    An older file of that name stays until then, and for good if a write fails: what was recorded keeps its other name.
    Time in the file follows the frames' stamps from the first one on; where they jump (another source, a long gap), it
    goes on with one frame interval.
    """

    pixel_format: ClassVar[PixelFormat] = PixelFormat.I420

    def __init__(self, path: Path, fmt: VideoFormat, fps: float) -> None:
        """Raises SinkUnusableError for a suffix, format or size that can never be written."""
        self._path = path
        self._part = unfinished(path)
        self._format = fmt
        self._rate = Fraction(fps).limit_denominator(_RATE_DENOMINATOR)
        self._clock = _FileClock(round(_NS_PER_S / fps))
        self._writer: Writer | None = None
        self._frames = 0
        self._torn = False
        self._check()

    def __enter__(self) -> Self:
        """Create the file. Raises SinkError."""
        import av

        self._frames, self._torn = 0, False
        self._clock = _FileClock(self._clock.interval_ns)
        try:
            self._writer = self._make_writer()
        except (OSError, av.error.FFmpegError) as error:
            raise self._failed("create", error) from error
        log.info("sink.opened", extra={"sink": self.name, "format": self._format.pixel_format.value})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Finish the file and give it its name. Raises SinkError when that fails, unless an error is under way, or was
        told by ``write``: then the file is only closed."""
        import av

        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            writer.close()
            if not self._torn:
                self._name_it()
        except (OSError, av.error.FFmpegError) as failure:
            if error is None and not self._torn:
                raise self._failed("finish", failure) from failure
            self._torn = True
        if self._torn:
            log.warning("sink.unfinished", extra={"sink": self.name, "left": str(self._part)})
        else:
            log.info("sink.closed", extra={"sink": self.name, "frames": self._frames})

    @property
    def name(self) -> str:
        return f"file:{self._path}"

    @property
    def format(self) -> VideoFormat:
        return self._format

    def write(self, image: Image) -> None:
        """Append one frame, copied before this returns.

        Raises SinkUnusableError when the disk refuses it: to open again would write over what was recorded.
        """
        import av

        if self._writer is None:
            raise RuntimeError("FileSink is used outside its with block")
        try:
            self._writer.write(image, self._clock.place(image.stamp))
        except (OSError, av.error.FFmpegError) as error:
            self._torn = True
            raise self._failed("write", error, SinkUnusableError) from error
        self._frames += 1

    def consumers(self) -> int | None:
        return None

    def _name_it(self) -> None:
        if self._frames:
            self._part.replace(self._path)
        else:
            self._part.unlink()

    def _check(self) -> None:
        suffix = self._path.suffix.lower()
        if suffix not in SUFFIXES:
            raise SinkUnusableError(
                f"{self._path}: vcam writes no {suffix or 'file without a suffix'}",
                hint=f"Name the file with one of {', '.join(SUFFIXES)}, as in --output file:out.mp4.",
            )
        if self._format.pixel_format is not self.pixel_format:
            raise SinkUnusableError(
                f"{self._path}: files take {self.pixel_format}, not {self._format.pixel_format}",
                hint="Leave out format= in --output file:...",
            )
        if suffix != _Y4M and (self._format.width % 2 or self._format.height % 2):
            raise SinkUnusableError(
                f"{self._path}: H.264 needs even sides, not {self._format.size}",
                hint=f"Write --output file:{self._path},size={self._format.width // 2 * 2}x"
                f"{self._format.height // 2 * 2}, or choose a .y4m file.",
            )

    def _make_writer(self) -> Writer:
        suffix = self._path.suffix.lower()
        if suffix == _Y4M:
            return Y4mWriter(self._part, self._format, self._rate)
        return ContainerWriter(self._part, _MUXERS[suffix], self._format, self._rate)

    def _failed(self, verb: str, error: Exception, kind: type[SinkError] = SinkError) -> SinkError:
        reason = getattr(error, "strerror", None) or str(error)
        left = f"What was recorded is in {self._part}. " if self._torn else ""
        return kind(
            f"cannot {verb} {self._path}: {reason}",
            hint=f"{left}See `df -h {self._path.parent}` for space and `ls -ld {self._path.parent}` for the rights.",
            path=str(self._path),
        )


class _FileClock:
    """Places stamps on the file's time line, which begins at 0 and always rises."""

    def __init__(self, interval_ns: int) -> None:
        self.interval_ns = interval_ns
        self._previous: Stamp | None = None
        self._placed_ns = 0

    def place(self, stamp: Stamp) -> int:
        if self._previous is not None:
            step_ns = stamp.pts_ns - self._previous.pts_ns
            related = stamp.epoch == self._previous.epoch
            if not related or not 0 < step_ns <= _LONGEST_GAP_INTERVALS * self.interval_ns:
                step_ns = self.interval_ns
            self._placed_ns += step_ns
        self._previous = stamp
        return self._placed_ns

"""One pass over a picture or video file: its pictures in the order of their display."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from vcam.errors import MediaError
from vcam.frame import Matrix, PixelFormat, Plane, Range, VideoFormat, allocate_planes
from vcam.media import LAYOUTS, as_planar, plane_views

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

STILL_RATE = 30.0
"""Frames per second of a picture that is shown as a video."""

_DEFAULT_RATE = 30.0
_NS_PER_S = 1_000_000_000
_DECODER_THREADS = 2
_JPEG_LAYOUTS = frozenset({*LAYOUTS, "gray", "yuvj440p", "yuvj411p"})
"""What our JPEG decoders take; other kinds (CMYK, RGB) are decoded here."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, owned. pts_ns: on the file's own time line, which may begin anywhere; None where it has none."""

    data: bytes | Plane
    format: VideoFormat
    pts_ns: int | None


class MediaReader:
    """Opens the file's first video stream. Motion JPEG comes undecoded, everything else as packed planes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._container: InputContainer | None = None
        self.corrupt_packets = 0
        self.frame_count: int | None = None
        self.frame_interval_s = 1.0 / _DEFAULT_RATE
        self.is_still = False

    def __enter__(self) -> Self:
        """Raises MediaError."""
        import av

        try:
            self._container = av.open(str(self._path.absolute()), "r")
        except (OSError, av.error.FFmpegError) as error:
            raise unreadable(self._path, getattr(error, "strerror", None) or str(error)) from error
        if not self._container.streams.video:
            self.__exit__(None, None, None)
            raise unreadable(self._path, "it has no video")
        self._describe(self._container, self._container.streams.video[0])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        container, self._container = self._container, None
        if container is not None:
            container.close()

    def pictures(self) -> Iterator[Picture]:
        """All pictures from here to the end. Corrupt packets are skipped and counted."""
        if self._container is None:
            raise RuntimeError("MediaReader is used outside its with block")
        stream = self._container.streams.video[0]
        codec = stream.codec_context
        if codec.name == "mjpeg" and codec.pix_fmt in _JPEG_LAYOUTS:
            yield from self._undecoded(self._container, stream)
            return
        stream.thread_type = "AUTO"
        stream.thread_count = _DECODER_THREADS
        for packet in self._packets(self._container, stream):
            for frame in self._decoded(packet):
                yield _picture(frame)

    def _describe(self, container: "InputContainer", stream: "VideoStream") -> None:
        self.is_still = container.format.name.endswith("_pipe") or container.format.name == "image2"
        rate = STILL_RATE if self.is_still else float(stream.average_rate or stream.guessed_rate or _DEFAULT_RATE)
        self.frame_interval_s = 1.0 / rate
        if self.is_still:
            self.frame_count = 1
        elif stream.frames:
            self.frame_count = stream.frames
        elif container.duration is not None:
            self.frame_count = round(container.duration / 1_000_000 * rate)

    def _packets(self, container: "InputContainer", stream: "VideoStream") -> Iterator["Packet[VideoStream]"]:
        import av

        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError:
                # The file is torn here; what came before stands.
                self.corrupt_packets += 1
                return
            yield packet

    def _undecoded(self, container: "InputContainer", stream: "VideoStream") -> Iterator[Picture]:
        size = (stream.codec_context.width, stream.codec_context.height)
        fmt = VideoFormat(PixelFormat.MJPG, *size, range=Range.FULL, matrix=Matrix.BT601)
        for packet in self._packets(container, stream):
            if packet.size:
                pts_ns = None if packet.pts is None else _nanoseconds(packet.pts, packet.time_base)
                yield Picture(bytes(packet), fmt, pts_ns)

    def _decoded(self, packet: "Packet[VideoStream]") -> list["VideoFrame"]:
        import av

        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self.corrupt_packets += 1
            return []
        good = [frame for frame in frames if not frame.is_corrupt]
        self.corrupt_packets += len(frames) - len(good)
        return good


def unreadable(path: Path, reason: str) -> MediaError:
    """The error for a file that gives no picture."""
    return MediaError(
        f"cannot read {path}: {reason}",
        hint=f"Check the path after `file:`, and that `ffprobe {path}` shows a video stream.",
        path=str(path),
    )


def _nanoseconds(ticks: int, unit_s: Fraction) -> int:
    return round(ticks * unit_s * _NS_PER_S)


def _picture(frame: "VideoFrame") -> Picture:
    planar, fmt = as_planar(frame)
    packed, planes = allocate_planes(fmt)
    for target, plane in zip(planes, plane_views(planar, fmt), strict=True):
        np.copyto(target, plane)
    pts_ns = None if frame.pts is None or frame.time_base is None else _nanoseconds(frame.pts, frame.time_base)
    return Picture(packed, fmt, pts_ns)

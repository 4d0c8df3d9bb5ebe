"""Two ways to put frames into a file: a container with H.264, or raw YUV4MPEG2."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vcam.frame import Image, Range, VideoFormat
from vcam.media import AV_MATRIX, AV_RANGE, plane_views

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_TICKS_PER_S = 90_000
_TIME_BASE = Fraction(1, _TICKS_PER_S)
_NS_PER_S = 1_000_000_000
_ENCODER_OPTIONS = {"preset": "veryfast", "crf": "20"}
_ENCODER_THREADS = 2
"""So that recording leaves the processor to the pipeline."""


class Writer(Protocol):
    """Opened on construction. Raises OSError or PyAV's errors, which the sink translates."""

    def write(self, image: Image, pts_ns: int) -> None: ...

    def close(self) -> None: ...


class ContainerWriter:
    """H.264 (yuv420p, constant quality) in MP4, MOV or Matroska; range and matrix are declared in the stream."""

    def __init__(self, path: Path, muxer: str, fmt: VideoFormat, rate: Fraction) -> None:
        import av

        self._format = fmt
        self._container: OutputContainer = av.open(str(path.absolute()), "w", format=muxer)
        with ExitStack() as stack:
            stack.callback(self._container.close)
            self._stream = self._add_stream(rate)
            self._container.start_encoding()
            stack.pop_all()

    def write(self, image: Image, pts_ns: int) -> None:
        import av

        frame = av.VideoFrame(self._format.width, self._format.height, "yuv420p")
        for target, plane in zip(plane_views(frame, self._format), image.planes, strict=True):
            np.copyto(target, plane)
        frame.pts, frame.time_base = round(pts_ns * _TICKS_PER_S / _NS_PER_S), _TIME_BASE
        frame.color_range, frame.colorspace = AV_RANGE[self._format.range], AV_MATRIX[self._format.matrix]
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        with ExitStack() as stack:
            stack.callback(self._container.close)
            self._container.mux(self._stream.encode(None))

    def _add_stream(self, rate: Fraction) -> "VideoStream":
        stream = self._container.add_stream("libx264", rate=rate, options=dict(_ENCODER_OPTIONS))
        stream.width, stream.height, stream.pix_fmt = self._format.width, self._format.height, "yuv420p"
        stream.thread_count = _ENCODER_THREADS
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        matrix = AV_MATRIX[self._format.matrix]
        stream.codec_context.color_range = AV_RANGE[self._format.range]
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_primaries = matrix
        stream.codec_context.color_trc = matrix
        return stream


class Y4mWriter:
    """YUV4MPEG2: every frame as it is, at a constant rate (stamps are not kept), without the matrix.

    Chroma is sited between the lines and columns, hence ``420jpeg``.
    """

    def __init__(self, path: Path, fmt: VideoFormat, rate: Fraction) -> None:
        self._file = path.open("wb")
        colour_range = "FULL" if fmt.range is Range.FULL else "LIMITED"
        self._header = (
            f"YUV4MPEG2 W{fmt.width} H{fmt.height} F{rate.numerator}:{rate.denominator} Ip A1:1 C420jpeg "
            f"XCOLORRANGE={colour_range}\n"
        ).encode()

    def write(self, image: Image, pts_ns: int) -> None:
        self._file.write(self._header + b"FRAME\n")
        self._header = b""
        for plane in image.planes:
            self._file.write(np.ascontiguousarray(plane).data)

    def close(self) -> None:
        self._file.close()

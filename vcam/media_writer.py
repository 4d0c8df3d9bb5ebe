"""Writing a video file: H.264 in a container. Loads PyAV when a file is opened."""

from collections.abc import Mapping
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from vcam.frame import Image, VideoFormat
from vcam.media import AV_MATRIX, AV_RANGE, plane_views

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.video.stream import VideoStream

_TICKS_PER_S = 90_000
_TIME_BASE = Fraction(1, _TICKS_PER_S)
_NS_PER_S = 1_000_000_000
_ENCODER_THREADS = 2
"""So that recording leaves the processor to the pipeline."""


class ContainerWriter:
    """H.264 (yuv420p, constant quality) in MP4, MOV or Matroska; range and matrix are declared in the stream.

    fmt: I420 with even sides. options: of the encoder. Raises OSError or PyAV's errors.
    """

    def __init__(
        self,
        path: Path,
        muxer: str,
        fmt: VideoFormat,
        rate: Fraction,
        options: Mapping[str, str] = MappingProxyType({"preset": "veryfast", "crf": "20"}),
    ) -> None:
        import av

        self._format = fmt
        self._options = options
        self._container: OutputContainer = av.open(str(path.absolute()), "w", format=muxer)
        with ExitStack() as stack:
            stack.callback(self._container.close)
            self._stream = self._add_stream(rate)
            self._container.start_encoding()
            stack.pop_all()

    def write(self, image: Image, pts_ns: int) -> None:
        """Copied before this returns."""
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
        stream = self._container.add_stream("libx264", rate=rate, options=dict(self._options))
        stream.width, stream.height, stream.pix_fmt = self._format.width, self._format.height, "yuv420p"
        stream.thread_count = _ENCODER_THREADS
        stream.time_base = stream.codec_context.time_base = _TIME_BASE
        matrix = AV_MATRIX[self._format.matrix]
        stream.codec_context.color_range = AV_RANGE[self._format.range]
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_primaries = matrix
        stream.codec_context.color_trc = matrix
        return stream

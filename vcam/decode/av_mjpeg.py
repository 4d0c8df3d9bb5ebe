"""JPEG to planes through PyAV: the fallback where libturbojpeg is missing."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from vcam.decode.faults import corrupt
from vcam.frame import EncodedFrame, Image
from vcam.media import as_planar, plane_views

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext


class AvDecoder:
    """FFmpeg's MJPEG decoder, told to refuse what it would conceal. One thread at a time."""

    name = "pyav"

    def __init__(self) -> None:
        self._codec: VideoCodecContext | None = None

    def __enter__(self) -> Self:
        self._codec = _open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._codec = None

    def decode(self, frame: EncodedFrame) -> Image:
        """Planes of FFmpeg's own frame, valid as long as the Image lives. Raises DecodeError."""
        import av

        if self._codec is None:
            raise RuntimeError("AvDecoder is used outside its with block")
        data = np.frombuffer(frame.data, dtype=np.uint8)
        try:
            decoded = self._codec.decode(av.Packet(data.tobytes())) if data.size else []
        except av.error.FFmpegError as error:
            self._codec = _open()
            raise corrupt(str(error), data.size) from error
        if not decoded or decoded[0].is_corrupt:
            raise corrupt("no picture in it", data.size)
        planar, fmt = as_planar(decoded[0])
        return Image(plane_views(planar, fmt), fmt, frame.stamp)


def _open() -> "VideoCodecContext":
    import av

    codec = av.CodecContext.create("mjpeg", "r")
    codec.options = {"err_detect": "explode"}
    codec.thread_count = 1
    return codec

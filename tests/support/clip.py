"""Small files for tests: films and pictures made by PyAV and Pillow on the spot."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tests.support.jpeg import smooth_rgb


@dataclass(frozen=True, slots=True)
class Clip:
    """What to put into a film. colorspace, color_range: AVCOL_* numbers."""

    codec: str = "ffv1"
    pixel_format: str = "yuv420p"
    width: int = 64
    height: int = 48
    frames: int = 5
    rate: int = 25
    colorspace: int = 1
    color_range: int = 1


def write_clip(path: Path, clip: Clip) -> Path:
    """A film whose luma rises by 20 levels a frame, where the codec allows it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(clip.codec, rate=Fraction(clip.rate))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = clip.width, clip.height, clip.pixel_format
        stream.codec_context.colorspace = clip.colorspace
        stream.codec_context.color_range = clip.color_range
        for index in range(clip.frames):
            rgb = smooth_rgb(clip.width, clip.height, phase=index)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            if not clip.pixel_format.startswith(("rgb", "gbr")):
                frame = frame.reformat(
                    format=clip.pixel_format,
                    dst_colorspace=5 if clip.colorspace != 1 else 1,
                    dst_color_range=clip.color_range,
                )
            elif clip.pixel_format != "rgb24":
                frame = frame.reformat(format=clip.pixel_format)
            frame.pts, frame.time_base = index, Fraction(1, clip.rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path

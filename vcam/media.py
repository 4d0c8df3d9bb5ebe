"""What PyAV calls a format, in our words; used wherever a file is read or written.

PyAV is imported by those who call: importing this module loads nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from vcam.frame import Matrix, PixelFormat, Planes, Range, VideoFormat, plane_shapes

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

LAYOUTS: Mapping[str, PixelFormat] = MappingProxyType(
    {
        "yuv420p": PixelFormat.I420,
        "yuvj420p": PixelFormat.I420,
        "yuv422p": PixelFormat.I422,
        "yuvj422p": PixelFormat.I422,
        "yuv444p": PixelFormat.I444,
        "yuvj444p": PixelFormat.I444,
        "nv12": PixelFormat.NV12,
    }
)
"""FFmpeg's pixel formats whose bytes we take as they are."""

AV_RANGE: Mapping[Range, int] = MappingProxyType({Range.LIMITED: 1, Range.FULL: 2})
"""AVCOL_RANGE_* (libavutil/pixfmt.h; ITU-T H.273 section 8.3 numbers the matrices below)."""

AV_MATRIX: Mapping[Matrix, int] = MappingProxyType({Matrix.BT709: 1, Matrix.BT601: 6})
"""AVCOL_SPC_*; primaries and transfer characteristics bear the same numbers for these two."""

_AV_RGB, _AV_UNSPECIFIED = 0, 2
_AV_BT601 = (5, 6)
_SWS_MATRIX: Mapping[Matrix, int] = MappingProxyType({Matrix.BT709: 1, Matrix.BT601: 5})
"""SWS_CS_* (libswscale/swscale.h), which PyAV's reformat takes."""
_SWS_FLAGS = 2 | 0x40000
"""SWS_BILINEAR | SWS_ACCURATE_RND."""

_SD_HEIGHT, _HD_WIDTH = 576, 1280


@dataclass(frozen=True, slots=True)
class Colours:
    """Range and matrix of a picture."""

    range: Range
    matrix: Matrix


def colours_of(frame: "VideoFrame") -> Colours:
    """The declared colours; where nothing is declared, those that players assume (HD is BT.709)."""
    pixel_format = frame.format.name
    full = frame.color_range == AV_RANGE[Range.FULL] or pixel_format.startswith("yuvj")
    if pixel_format.startswith("gray") and frame.color_range != AV_RANGE[Range.LIMITED]:
        full = True
    if frame.colorspace in _AV_BT601:
        matrix = Matrix.BT601
    elif frame.colorspace in (_AV_UNSPECIFIED, _AV_RGB):
        large = frame.width >= _HD_WIDTH or frame.height > _SD_HEIGHT
        matrix = Matrix.BT709 if large and not pixel_format.startswith("yuvj") else Matrix.BT601
    else:
        matrix = Matrix.BT709
    return Colours(Range.FULL if full else Range.LIMITED, matrix)


def as_planar(frame: "VideoFrame") -> tuple["VideoFrame", VideoFormat]:
    """The frame in one of LAYOUTS, converted if need be (RGB, more than 8 bits, alpha, grey, other matrices).

    RGB becomes limited range: swscale's full-range chroma is 0.5 LSB too low on average (measured, FFmpeg 8).
    """
    colours = colours_of(frame)
    layout = LAYOUTS.get(frame.format.name)
    known_matrix = frame.colorspace in (*_AV_BT601, _AV_UNSPECIFIED, _AV_RGB, AV_MATRIX[Matrix.BT709])
    if layout is None or not known_matrix:
        frame, colours = _convert(frame, colours)
        layout = LAYOUTS[frame.format.name]
    return frame, VideoFormat(layout, frame.width, frame.height, range=colours.range, matrix=colours.matrix)


def _convert(frame: "VideoFrame", colours: Colours) -> tuple["VideoFrame", Colours]:
    if frame.format.is_rgb:
        colours = Colours(Range.LIMITED, colours.matrix)
        source_range, source_matrix, wanted = None, None, "yuv444p"
    else:
        source_range = AV_RANGE[colours.range]
        source_matrix = None if frame.colorspace not in (_AV_UNSPECIFIED, _AV_RGB) else _SWS_MATRIX[colours.matrix]
        wanted = _planar_name(frame)
    converted = frame.reformat(
        format=wanted,
        src_colorspace=source_matrix,
        dst_colorspace=_SWS_MATRIX[colours.matrix],
        interpolation=_SWS_FLAGS,
        src_color_range=source_range,
        dst_color_range=AV_RANGE[colours.range],
    )
    return converted, colours


def _planar_name(frame: "VideoFrame") -> str:
    """The 8-bit planar format with at least half the chroma in each direction."""
    components = frame.format.components
    if len(components) == 1 or components[1].height < frame.height:
        return "yuv420p"
    return "yuv444p" if components[1].width == frame.width else "yuv422p"


def plane_views(frame: "VideoFrame", fmt: VideoFormat) -> Planes:
    """Views of the frame's own memory, writable, valid as long as the views live."""
    views = []
    for plane, (rows, row_bytes) in zip(frame.planes, plane_shapes(fmt), strict=True):
        whole = np.frombuffer(memoryview(plane), dtype=np.uint8)
        views.append(whole[: rows * plane.line_size].reshape(rows, plane.line_size)[:, :row_bytes])
    return tuple(views)

"""Colour coefficients, derived once from Kr, Kb and the range. Kernels receive them; none has its own.

Kr and Kb: Rec. ITU-R BT.601-7 section 2.5.1 and BT.709-6 section 3. Ranges: BT.601-7 section 2.5.3 (8 bit); full
range is JFIF (ITU-T T.871 section 7).
"""

from functools import cache, lru_cache

import numpy as np

from vcam.frame import Matrix, PixelFormat, Planes, Range, Tensor, VideoFormat, allocate_planes
from vcam.looks import RoomLook

_LUMA_WEIGHTS = {Matrix.BT601: (0.299, 0.114), Matrix.BT709: (0.2126, 0.0722)}
"""(Kr, Kb) of each matrix."""

_LUMA_CHROMA = frozenset({PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420, PixelFormat.I422, PixelFormat.I444})

_CHROMA_ZERO = 128.0
_MIDDLE_GREY = 0.5
_QUANTISATION = {Range.FULL: (0.0, 255.0, 255.0), Range.LIMITED: (16.0, 219.0, 224.0)}
"""(luma offset, luma excursion, chroma excursion) in 8-bit levels."""


def encode_matrix(matrix: Matrix, range_: Range) -> Tensor:
    """(3, 4) float32 that maps (R, G, B, 1), RGB in [0, 1], to 8-bit levels of (Y, U, V), not yet rounded."""
    return _encode(matrix, range_).astype(np.float32)


def decode_matrix(matrix: Matrix, range_: Range) -> Tensor:
    """(3, 4) float32 that maps 8-bit levels (Y, U, V, 1) to RGB, nominally in [0, 1], not yet clipped."""
    square = np.vstack([_encode(matrix, range_), [0.0, 0.0, 0.0, 1.0]])
    return np.linalg.inv(square)[:3].astype(np.float32)


def encoding(fmt: VideoFormat) -> Tensor:
    """``encode_matrix`` of a format, shared and read-only. RGB24 counts as full range: its levels are 255 * RGB."""
    return _encoding(fmt.pixel_format, fmt.matrix, fmt.range)


def decoding(fmt: VideoFormat) -> Tensor:
    """``decode_matrix`` of a format, shared and read-only. GREY ignores chroma, RGB24 counts as full range."""
    return _decoding(fmt.pixel_format, fmt.matrix, fmt.range)


def black(fmt: VideoFormat) -> Planes:
    """A black picture, in one packed buffer."""
    _, planes = allocate_planes(fmt)
    luma, chroma = (round(float(level)) for level in encoding(fmt)[:2, 3])
    if fmt.pixel_format == PixelFormat.YUYV:
        planes[0][:, 0::2], planes[0][:, 1::2] = luma, chroma
        return planes
    planes[0][:] = luma
    for plane in planes[1:]:
        plane[:] = chroma
    return planes


def same_colour(a: VideoFormat, b: VideoFormat) -> bool:
    """Whether both formats mean the same by a level, so that repacking only moves and averages bytes."""
    if a.pixel_format in _LUMA_CHROMA and b.pixel_format in _LUMA_CHROMA:
        return a.range == b.range and a.matrix == b.matrix
    if a.pixel_format != b.pixel_format:
        return False
    return a.pixel_format == PixelFormat.RGB24 or (a.range == b.range and a.matrix == b.matrix)


def look_matrix(*, brightness: float = 1.0, contrast: float = 1.0, saturation: float = 1.0) -> Tensor:
    """(3, 4) float32 that maps (R, G, B, 1), RGB in [0, 1], to the looked at colour, not yet clipped.

    In this order: ``brightness`` multiplies, ``contrast`` moves away from the middle grey, ``saturation`` from the
    BT.601 luma. Each 1 changes nothing.
    """
    luma = _luma(Matrix.BT601)
    chroma = saturation * np.eye(3) + (1.0 - saturation) * np.tile(luma, (3, 1))
    middle = (1.0 - contrast) * _MIDDLE_GREY
    return np.column_stack([contrast * brightness * chroma, [middle] * 3]).astype(np.float32)


def tinted(matrix: Tensor, amount: float, color: tuple[int, int, int]) -> Tensor:
    """The look ``matrix`` with so much, 0..1, of ``color``, RGB 0..255, mixed into what it makes."""
    result = (1.0 - amount) * matrix.astype(np.float64)
    result[:, 3] += amount * np.array(color) / 255.0
    return result.astype(np.float32)


@lru_cache(maxsize=8)
def room_matrix(look: RoomLook) -> Tensor | None:
    """(3, 4) float32 of ``look_matrix`` and ``tinted``, shared and read-only; None where the look changes nothing."""
    if not look.changes:
        return None
    matrix = look_matrix(brightness=look.brightness, contrast=look.contrast, saturation=look.saturation)
    result = tinted(matrix, look.tint, look.color)
    result.flags.writeable = False
    return result


@cache
def _encoding(pixel_format: PixelFormat, matrix: Matrix, range_: Range) -> Tensor:
    rgb = pixel_format == PixelFormat.RGB24
    result = np.eye(3, 4, dtype=np.float32) * np.float32(255.0) if rgb else encode_matrix(matrix, range_)
    result.flags.writeable = False
    return result


@cache
def _decoding(pixel_format: PixelFormat, matrix: Matrix, range_: Range) -> Tensor:
    if pixel_format == PixelFormat.RGB24:
        result = np.eye(3, 4, dtype=np.float32) / np.float32(255.0)
    else:
        result = decode_matrix(matrix, range_)
    if pixel_format == PixelFormat.GREY:
        result[:, 3] += _CHROMA_ZERO * (result[:, 1] + result[:, 2])
        result[:, 1:3] = 0.0
    result.flags.writeable = False
    return result


def _encode(matrix: Matrix, range_: Range) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    kr, kb = _LUMA_WEIGHTS[matrix]
    offset, luma, chroma = _QUANTISATION[range_]
    y = _luma(matrix)
    u = (np.array([0.0, 0.0, 1.0]) - y) / (2.0 * (1.0 - kb))
    v = (np.array([1.0, 0.0, 0.0]) - y) / (2.0 * (1.0 - kr))
    rows = np.array([luma * y, chroma * u, chroma * v])
    return np.column_stack([rows, [offset, _CHROMA_ZERO, _CHROMA_ZERO]])


def _luma(matrix: Matrix) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    kr, kb = _LUMA_WEIGHTS[matrix]
    return np.array([kr, 1.0 - kr - kb, kb])

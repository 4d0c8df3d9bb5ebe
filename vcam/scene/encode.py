"""RGB pictures in the layout of an output, and back: for backdrops and cards, which are made once and not per frame."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from vcam.color import decode_matrix, encoding
from vcam.errors import ConfigError
from vcam.frame import PixelFormat, Plane, Planes, Size, Tensor, VideoFormat, allocate_planes

_BAND_ROWS = 32
"""Even. So many are worked on at once: whole pictures of floats do not fit the caches, and are slow to come by."""


def encode_rgb(rgb: Plane, fmt: VideoFormat) -> Planes:
    """Planes of ``fmt``, packed in one new buffer, of a picture (H, W, 3) uint8 RGB of its size.

    Rounded to nearest; chroma is the average of its pixels before it is rounded. Odd sizes repeat the last pixel.
    Raises ConfigError for a layout that no output has.
    """
    _, planes = allocate_planes(replace(fmt, stride=0))
    if fmt.pixel_format is PixelFormat.RGB24:
        planes[0][:] = rgb.reshape(fmt.height, -1)
        return planes
    for top in range(0, fmt.height, _BAND_ROWS):
        band = rgb[top : top + _BAND_ROWS]
        color = _even(band).transpose(2, 0, 1).astype(np.float32, order="C")
        color /= 255.0
        part = fmt.resized(Size(fmt.width, len(band)))
        for plane, values in zip(planes, weave(color, encoding(fmt), part), strict=True):
            begin = top if len(plane) == fmt.height else top // 2
            plane[begin : begin + len(values)] = _levels(values)
    return planes


def weave(color: Tensor, matrix: Tensor, fmt: VideoFormat) -> Iterator[Tensor]:
    """What the planes of ``fmt`` hold, float32 and not rounded, of ``matrix`` (3, 4) applied to ``color`` (3, H, W).

    H and W are those of the format, rounded up to even. Chroma is the average of its pixels. Raises ConfigError for a
    layout that no output has.
    """
    h, w = fmt.height, fmt.width
    match fmt.pixel_format:
        case PixelFormat.RGB24:
            yield np.stack([_row(row, color)[:h, :w] for row in matrix], axis=-1).reshape(h, -1)
        case PixelFormat.YUYV:
            packed = np.empty((h, color.shape[2] // 2, 4), np.float32)
            packed[..., 0::2] = _row(matrix[0], color)[:h].reshape(h, -1, 2)
            pairs = _pairs(color)[:, :h]
            for k in (1, 2):
                packed[..., 2 * k - 1] = _row(matrix[k], pairs)
            yield packed.reshape(h, -1)
        case PixelFormat.NV12 | PixelFormat.I420:
            yield _row(matrix[0], color)[:h, :w]
            pairs = _pairs(color)
            quads = (pairs[:, 0::2] + pairs[:, 1::2]) * np.float32(0.5)
            chroma = [_row(row, quads) for row in matrix[1:]]
            if fmt.pixel_format is PixelFormat.NV12:
                yield np.stack(chroma, axis=-1).reshape(quads.shape[1], -1)
            else:
                yield from chroma
        case _:
            raise _no_output(fmt)


def _pairs(color: Tensor) -> Tensor:
    """Averages of two neighbours in a row."""
    return (color[..., 0::2] + color[..., 1::2]) * np.float32(0.5)


def decode_rgb(planes: Planes, fmt: VideoFormat) -> Plane:
    """(H, W, 3) uint8 RGB of planes in a layout that ``encode_rgb`` makes; each pixel takes the nearest chroma."""
    h, w = fmt.height, fmt.width
    match fmt.pixel_format:
        case PixelFormat.RGB24:
            return planes[0].reshape(h, w, 3).copy()
        case PixelFormat.YUYV:
            packed = planes[0].reshape(h, -1, 4)
            luma = packed[..., 0::2].reshape(h, -1)[:, :w]
            chroma = packed[..., 1::2].repeat(2, axis=1)
        case PixelFormat.NV12:
            luma = planes[0]
            chroma = planes[1].reshape(*_halves(fmt), 2).repeat(2, axis=0).repeat(2, axis=1)
        case PixelFormat.I420:
            luma = planes[0]
            chroma = np.stack(planes[1:], axis=-1).repeat(2, axis=0).repeat(2, axis=1)
        case _:
            raise _no_output(fmt)
    matrix = decode_matrix(fmt.matrix, fmt.range) * np.float32(255.0)
    yuv = np.stack([luma, chroma[:h, :w, 0], chroma[:h, :w, 1]]).astype(np.float32)
    return np.stack([_levels(_row(row, yuv)) for row in matrix], axis=-1)


def _row(row: Tensor, planes: Tensor) -> Tensor:
    """One row of a colour matrix (4,) applied to planes (3, h, w)."""
    total: Tensor = planes[0] * row[0]
    total += planes[1] * row[1]
    total += planes[2] * row[2]
    total += row[3]
    return total


def _even(rgb: Plane) -> Plane:
    h, w = rgb.shape[:2]
    return np.pad(rgb, ((0, h % 2), (0, w % 2), (0, 0)), mode="edge")


def _halves(fmt: VideoFormat) -> tuple[int, int]:
    return (fmt.height + 1) // 2, (fmt.width + 1) // 2


def _levels(values: Tensor) -> Plane:
    levels: Plane = np.rint(values).clip(0.0, 255.0).astype(np.uint8)
    return levels


def _no_output(fmt: VideoFormat) -> ConfigError:
    return ConfigError(
        f"no output can be {fmt.pixel_format} ({fmt.pixel_format.name})",
        hint="choose YUYV, NV12, I420 or RGB24 for the output",
    )

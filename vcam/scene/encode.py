"""RGB pictures in the layout of an output, and back: for backdrops and cards, which are made once and not per frame."""

from dataclasses import replace

import numpy as np

from vcam.color import decode_matrix, encode_matrix
from vcam.errors import ConfigError
from vcam.frame import PixelFormat, Plane, Planes, Tensor, VideoFormat, allocate_planes


def encode_rgb(rgb: Plane, fmt: VideoFormat) -> Planes:
    """Planes of ``fmt``, packed in one new buffer, of a picture (H, W, 3) uint8 RGB of its size.

    Rounded to nearest; chroma is the average of its pixels before it is rounded. Odd sizes repeat the last pixel.
    Raises ConfigError for a layout that no output has.
    """
    _, planes = allocate_planes(replace(fmt, stride=0))
    if fmt.pixel_format is PixelFormat.RGB24:
        planes[0][:] = rgb.reshape(fmt.height, -1)
        return planes
    matrix = encode_matrix(fmt.matrix, fmt.range)
    color = _even(rgb).transpose(2, 0, 1).astype(np.float32, order="C")
    color /= 255.0
    luma = _levels(_row(matrix[0], color))[: fmt.height]
    pairs = (color[..., 0::2] + color[..., 1::2]) * np.float32(0.5)
    quads = (pairs[:, 0::2] + pairs[:, 1::2]) * np.float32(0.5)
    match fmt.pixel_format:
        case PixelFormat.YUYV:
            packed = planes[0].reshape(fmt.height, -1, 4)
            packed[..., 0::2] = luma.reshape(fmt.height, -1, 2)
            for k in (1, 2):
                packed[..., 2 * k - 1] = _levels(_row(matrix[k], pairs[:, : fmt.height]))
        case PixelFormat.NV12:
            planes[0][:] = luma[:, : fmt.width]
            for k in (1, 2):
                planes[1][:, k - 1 :: 2] = _levels(_row(matrix[k], quads))
        case PixelFormat.I420:
            planes[0][:] = luma[:, : fmt.width]
            for k in (1, 2):
                planes[k][:] = _levels(_row(matrix[k], quads))
        case _:
            raise _no_output(fmt)
    return planes


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

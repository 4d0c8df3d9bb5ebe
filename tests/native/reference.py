"""Plain NumPy in float64 of what the native loops compute: written for the eye, without any of their shortcuts."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vcam.color import decoding, encoding
from vcam.frame import Image, PixelFormat, Plane, VideoFormat
from vcam.native import Window

Array: TypeAlias = npt.NDArray[np.float64]


def components(image: Image) -> Array:
    """(3, H, W) levels, chroma replicated; GREY has no chroma and gives zeros there."""
    fmt = image.format
    w, h = fmt.width, fmt.height
    first, *rest = (plane.astype(np.float64) for plane in image.planes)
    match fmt.pixel_format:
        case PixelFormat.YUYV:
            y = np.stack([first[:, 0::4], first[:, 2::4]], axis=-1).reshape(h, -1)[:, :w]
            return np.stack([y, _spread(first[:, 1::4], w, h), _spread(first[:, 3::4], w, h)])
        case PixelFormat.NV12:
            return np.stack([first, _spread(rest[0][:, 0::2], w, h), _spread(rest[0][:, 1::2], w, h)])
        case PixelFormat.GREY:
            return np.stack([first, np.zeros((h, w)), np.zeros((h, w))])
        case PixelFormat.RGB24:
            return np.moveaxis(first.reshape(h, w, 3), 2, 0)
        case _:
            return np.stack([first, _spread(rest[0], w, h), _spread(rest[1], w, h)])


def rgb(image: Image) -> Array:
    """(3, H, W) in [0, 1]."""
    return np.clip(_matmul(decoding(image.format), components(image)), 0.0, 1.0)


def encoded(colour: Array, fmt: VideoFormat) -> Array:
    """(3, H, W) levels of the format for every pixel, not rounded."""
    return _matmul(encoding(fmt), colour)


def packed(levels: Array, fmt: VideoFormat) -> tuple[Plane, ...]:
    """Planes of the format: chroma averaged over the pixels that exist, then rounded."""
    w, h = fmt.width, fmt.height
    y = _round(levels[0])
    match fmt.pixel_format:
        case PixelFormat.GREY:
            return (y,)
        case PixelFormat.RGB24:
            return (np.moveaxis(_round(levels), 0, 2).reshape(h, 3 * w),)
        case PixelFormat.I444:
            return (y, _round(levels[1]), _round(levels[2]))
        case PixelFormat.I420 | PixelFormat.NV12:
            u, v = (_round(_mean(c, 2)) for c in levels[1:])
        case _:
            u, v = (_round(_mean(c, 1)) for c in levels[1:])
    if fmt.pixel_format == PixelFormat.NV12:
        return (y, np.stack([u, v], axis=-1).reshape(u.shape[0], -1))
    if fmt.pixel_format == PixelFormat.YUYV:
        even = np.pad(y, ((0, 0), (0, w % 2)), mode="edge").reshape(h, -1, 2)
        return (np.stack([even[..., 0], u, even[..., 1], v], axis=-1).reshape(h, -1),)
    return (y, u, v)


def resized(values: Array, height: int, width: int, window: Window | None = None) -> Array:
    """(C, h, w) to (C, height, width): bilinear, half-pixel centres, taps clamped at the border."""
    _, h, w = values.shape
    part = window or Window(0, 0, w, h)
    rows, next_rows, ty = _taps(height, part.y, part.height, h)
    columns, next_columns, tx = _taps(width, part.x, part.width, w)
    upper, lower = values[:, rows], values[:, next_rows]
    mixed = upper + ty[None, :, None] * (lower - upper)
    left, right = mixed[:, :, columns], mixed[:, :, next_columns]
    return left + tx * (right - left)


def matte_at(image: Image, a: Array, b: Array, window: Window | None = None) -> tuple[Array, Array]:
    """alpha (H, W) and foreground (3, H, W) of AffineMatte at the picture's resolution."""
    colour = rgb(image)
    h, w = image.format.height, image.format.width
    big_a, big_b = resized(a, h, w, window), resized(b, h, w, window)
    alpha = np.clip(big_a[3] * colour.mean(axis=0) + big_b[3], 0.0, 1.0)
    return alpha, np.clip(colour + big_a[:3] * colour + big_b[:3], 0.0, 1.0)


def composed(image: Image, a: Array, b: Array, background: Image, window: Window | None = None) -> tuple[Plane, ...]:
    """The blend in the background's space, before packing averages its chroma."""
    alpha, foreground = matte_at(image, a, b, window)
    over, under = encoded(foreground, background.format), components(background)
    return packed(alpha * over + (1.0 - alpha) * under, background.format)


def _matmul(matrix: npt.NDArray[np.float32], values: Array) -> Array:
    m = matrix.astype(np.float64)
    mixed: Array = np.einsum("ij,jhw->ihw", m[:, :3], values)
    return mixed + m[:, 3][:, None, None]


def _spread(chroma: Array, w: int, h: int) -> Array:
    tall = chroma if chroma.shape[0] == h else np.repeat(chroma, 2, axis=0)[:h]
    return tall if tall.shape[1] == w else np.repeat(tall, 2, axis=1)[:, :w]


def _mean(values: Array, rows: int) -> Array:
    h, w = values.shape
    padded = np.pad(values, ((0, h % rows), (0, w % 2)), mode="edge")
    mean: Array = padded.reshape(padded.shape[0] // rows, rows, -1, 2).mean(axis=(1, 3))
    return mean


def _round(values: Array) -> Plane:
    return np.floor(np.clip(values, 0.0, 255.0) + 0.5).astype(np.uint8)


def _taps(
    out: int, origin: float, extent: float, size: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Array]:
    position = np.clip(origin + (np.arange(out) + 0.5) * extent / out - 0.5, 0.0, size - 1.0)
    first = position.astype(np.intp)
    return first, np.minimum(first + 1, size - 1), position - first

"""One picture of something that moves, and how it becomes the planes of an output: by native loops, for it is often."""

from dataclasses import dataclass

import numpy as np

from vcam import native
from vcam.frame import Image, PixelFormat, Plane, Planes, Size, Stamp, VideoFormat, Window, allocate_planes
from vcam.scene.fit import Fit, Placing, contained, cover_window, tile_corners

STILL = Stamp(pts_ns=0, sequence=0)


@dataclass(frozen=True, slots=True)
class Picture:
    """Upright. shown: the shape that it is meant to have, another than its own where pixels are not square."""

    image: Image
    shown: Size


def rgb_picture(rgb: Plane) -> Picture:
    """Of (H, W, 3) uint8, which must stay as it is."""
    height, width = rgb.shape[:2]
    packed = np.ascontiguousarray(rgb).reshape(height, -1)
    fmt = VideoFormat(PixelFormat.RGB24, width, height)
    return Picture(Image((packed,), fmt, STILL), fmt.size)


def as_rgb(picture: Picture) -> Plane:
    """(H, W, 3) uint8, a new array."""
    fmt = picture.image.format
    target = VideoFormat(PixelFormat.RGB24, fmt.width, fmt.height)
    _, planes = allocate_planes(target)
    native.convert(picture.image, planes, target)
    return planes[0].reshape(fmt.height, fmt.width, 3)


def drawn(picture: Picture, target: VideoFormat, placing: Placing) -> Planes:
    """New planes of the target, packed. Bilinear, averaged over the area where it becomes less than half as large."""
    size = target.size
    match placing.fit:
        case Fit.COVER:
            window = cover_window(picture.image.format.size, picture.shown, size, placing.anchor)
            return _converted(_scaled(picture.image, size, window), target)
        case Fit.STRETCH:
            return _converted(_scaled(picture.image, size), target)
        case Fit.CONTAIN:
            x, y, inner = contained(picture.shown, size, placing.anchor)
            corners = [(x, y)]
        case Fit.TILE:
            inner = picture.shown
            corners = tile_corners(inner, size, placing.anchor)
    part = as_rgb(Picture(_scaled(picture.image, inner), inner))
    canvas = np.empty((size.height, size.width, 3), np.uint8)
    canvas[:] = placing.fill
    for x, y in corners:
        _put(part, canvas, x, y)
    return _converted(rgb_picture(canvas).image, target)


def _scaled(image: Image, size: Size, window: Window | None = None) -> Image:
    whole = window is None or (window.width, window.height) == (image.format.width, image.format.height)
    if whole and image.format.size == size:
        return image
    fmt = image.format.resized(size)
    _, planes = allocate_planes(fmt)
    native.scale(image, planes, fmt, window)
    return Image(planes, fmt, image.stamp)


def _converted(image: Image, target: VideoFormat) -> Planes:
    packed = target.resized(target.size)
    _, planes = allocate_planes(packed)
    native.convert(image, planes, packed)
    return planes


def _put(part: Plane, canvas: Plane, x: int, y: int) -> None:
    """What of ``part`` lies inside the canvas, with its upper left corner at (x, y), which may be outside."""
    height, width = canvas.shape[:2]
    there = canvas[max(y, 0) : min(y + part.shape[0], height), max(x, 0) : min(x + part.shape[1], width)]
    left, top = max(-x, 0), max(-y, 0)
    there[:] = part[top : top + there.shape[0], left : left + there.shape[1]]

"""Drawing for the test scene: smooth outlines, soft shading, supersampled."""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from vcam.frame import Size, Tensor

Point: TypeAlias = tuple[float, float]
Rgb: TypeAlias = tuple[int, int, int]
Box: TypeAlias = tuple[int, int, int, int]

_SUPERSAMPLING = 3
_POINTS_PER_SPAN = 12


def smooth(points: Sequence[Point]) -> list[Point]:
    """A closed outline through ``points``: centripetal in spirit, uniform Catmull-Rom in fact."""
    count = len(points)
    return [
        _catmull_rom([points[(i + k - 1) % count] for k in range(4)], step / _POINTS_PER_SPAN)
        for i in range(count)
        for step in range(_POINTS_PER_SPAN)
    ]


def curve(points: Sequence[Point]) -> list[Point]:
    """An open line through ``points``."""
    padded = [points[0], *points, points[-1]]
    line = [
        _catmull_rom(padded[i : i + 4], step / _POINTS_PER_SPAN)
        for i in range(len(points) - 1)
        for step in range(_POINTS_PER_SPAN)
    ]
    return [*line, points[-1]]


def mirrored(points: Sequence[Point]) -> list[Point]:
    """Close the right half of a symmetric outline, given from top to bottom, with its mirror image at x = 0."""
    return [*points, *[(-x, y) for x, y in reversed(points) if x]]


def oval(x: float, y: float, rx: float, ry: float) -> list[Point]:
    """An ellipse around (x, y)."""
    angles = [2.0 * math.pi * k / 64 for k in range(64)]
    return [(x + rx * math.cos(angle), y + ry * math.sin(angle)) for angle in angles]


def rectangle(left: float, top: float, right: float, bottom: float) -> list[Point]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


class Canvas:
    """A transparent sheet; coordinates are in picture heights, y down, (0, 0) at ``origin`` of the sheet.

    Everything drawn is turned by ``angle`` (radians, clockwise) around ``pivot``.
    """

    def __init__(
        self, size: Size, unit_px: float, origin: Point = (0.0, 0.0), *, angle: float = 0.0, pivot: Point = (0.0, 0.0)
    ) -> None:
        self._size = size
        self._scale = unit_px * _SUPERSAMPLING
        self._origin = origin
        self._turn = (math.cos(angle), math.sin(angle))
        self._pivot = pivot
        self._sheet = Image.new("RGBA", (size.width * _SUPERSAMPLING, size.height * _SUPERSAMPLING))

    def fill(self, points: Sequence[Point], color: Rgb, opacity: float = 1.0) -> None:
        """Fill the polygon."""
        self.shade(points, color, opacity=opacity)

    def shade(
        self,
        points: Sequence[Point],
        color: Rgb,
        *,
        opacity: float,
        blur: float = 0.0,
        inside: Sequence[Point] | None = None,
    ) -> None:
        """Fill the polygon with an outline softened over ``blur``; nothing falls outside of the polygon ``inside``."""
        box = self._box(points, 3.0 * blur)
        if inside is not None:
            box = _intersection(box, self._box(inside, 0.0))
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        mask = self._mask(points, box)
        if blur:
            mask = mask.filter(ImageFilter.GaussianBlur(blur * self._scale))
        if inside is not None:
            mask = ImageChops.multiply(mask, self._mask(inside, box))
        layer = Image.new("RGBA", mask.size, color)
        layer.putalpha(mask.point([round(level * opacity) for level in range(256)]))
        self._sheet.alpha_composite(layer, box[:2])

    def stroke(self, points: Sequence[Point], color: Rgb, width: float, *, tip: float | None = None) -> None:
        """Draw a line whose width goes from ``width`` to ``tip`` (the same when None)."""
        line = np.asarray(points)
        along = np.gradient(line, axis=0)
        across = np.column_stack([-along[:, 1], along[:, 0]]) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
        half = np.linspace(width, width if tip is None else tip, len(line))[:, None] / 2.0
        self.fill(
            [(float(x), float(y)) for x, y in np.concatenate([line + across * half, (line - across * half)[::-1]])],
            color,
        )
        if tip is None:
            for x, y in (points[0], points[-1]):
                self.fill(oval(x, y, width / 2.0, width / 2.0), color)

    def pixels(self, soften_px: float = 0.0) -> Tensor:
        """What was drawn, at its final size: (4, h, w) float32, premultiplied RGB in levels and alpha in [0, 1]."""
        small = self._sheet.convert("RGBa").reduce(_SUPERSAMPLING)
        if soften_px:
            small = small.filter(ImageFilter.GaussianBlur(soften_px))
        rgba = np.asarray(small).transpose(2, 0, 1).astype(np.float32)
        rgba[3] /= 255.0
        return rgba

    def _place(self, point: Point) -> Point:
        x, y = point[0] - self._pivot[0], point[1] - self._pivot[1]
        cos, sin = self._turn
        x, y = cos * x - sin * y + self._pivot[0], sin * x + cos * y + self._pivot[1]
        return (x + self._origin[0]) * self._scale, (y + self._origin[1]) * self._scale

    def _box(self, points: Sequence[Point], margin: float) -> Box:
        placed = np.asarray([self._place(point) for point in points])
        low = np.floor(placed.min(axis=0) - margin * self._scale).astype(int) - 1
        high = np.ceil(placed.max(axis=0) + margin * self._scale).astype(int) + 2
        return _intersection((int(low[0]), int(low[1]), int(high[0]), int(high[1])), (0, 0, *self._sheet.size))

    def _mask(self, points: Sequence[Point], box: Box) -> Image.Image:
        mask = Image.new("L", (box[2] - box[0], box[3] - box[1]))
        placed = [self._place(point) for point in points]
        ImageDraw.Draw(mask).polygon([(x - box[0], y - box[1]) for x, y in placed], fill=255)
        return mask


def _intersection(one: Box, other: Box) -> Box:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _catmull_rom(p: Sequence[Point], t: float) -> Point:
    x, y = (
        0.5 * (2.0 * b + (c - a) * t + (2.0 * a - 5.0 * b + 4.0 * c - d) * t * t + (3.0 * b - a - 3.0 * c + d) * t**3)
        for a, b, c, d in zip(*p, strict=True)
    )
    return x, y

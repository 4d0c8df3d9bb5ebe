"""Parts of the test scene's figure: what they share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vcam.frame import Size, Tensor
from vcam.sources.canvas import Canvas, Point, Rgb

SKIN: Rgb = (232, 182, 152)
SKIN_SHADE: Rgb = (196, 132, 104)
SKIN_LIGHT: Rgb = (250, 214, 188)

_SOFT_PX_PER_HEIGHT = 0.8 / 720.0
"""A lens never draws an edge harder than this."""


@dataclass(frozen=True, slots=True)
class Sprite:
    """A part of the figure. rgb: (3, h, w) premultiplied, levels; clear: (h, w) = 1 - alpha.

    x, y: its top left corner in pixels when the figure stands at column 0.
    """

    rgb: Tensor
    clear: Tensor
    x: int
    y: int


class Sheet:
    """A canvas for one sprite. box: left, top, right, bottom in picture heights, with the figure at x = 0.

    The drawing is turned by ``angle`` (radians, clockwise) around ``pivot``.
    """

    def __init__(
        self, height_px: int, box: tuple[float, float, float, float], *, angle: float = 0.0, pivot: Point = (0.0, 0.0)
    ) -> None:
        left, top, right, bottom = box
        size = Size(math.ceil((right - left) * height_px), math.ceil((bottom - top) * height_px))
        self._height_px = height_px
        self._x, self._y = round(left * height_px), round(top * height_px)
        origin = (-self._x / height_px, -self._y / height_px)
        self.canvas = Canvas(size, height_px, origin, angle=angle, pivot=pivot)

    def sprite(self) -> Sprite:
        """What was drawn, cut to where something is."""
        rgba = self.canvas.pixels(_SOFT_PX_PER_HEIGHT * self._height_px)
        rows, columns = np.flatnonzero(rgba[3].any(axis=1)), np.flatnonzero(rgba[3].any(axis=0))
        rgba = rgba[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        return Sprite(
            rgb=np.ascontiguousarray(rgba[:3]),
            clear=np.float32(1.0) - rgba[3],
            x=self._x + int(columns[0]),
            y=self._y + int(rows[0]),
        )


def flipped(side: float, points: Sequence[Point]) -> list[Point]:
    """The points on their own side (1) or mirrored at x = 0 (-1)."""
    return [(side * x, y) for x, y in points]

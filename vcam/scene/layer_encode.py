"""A picture with alpha, in the layout of an output, at its place in it: drawn once per change, painted every frame."""

from collections.abc import Iterator

import numpy as np

from vcam.color import encoding
from vcam.frame import Overlay, Patch, Plane, Size, Tensor, VideoFormat, plane_shapes
from vcam.scene.encode import weave

_EACH = np.eye(3, 4, dtype=np.float32)
"""For ``weave``: what is given is already what the planes hold."""


def encode_overlay(rgba: Plane, left: int, top: int, target: VideoFormat) -> Overlay | None:
    """rgba: (h, w, 4) uint8, alpha straight. Its upper left corner is at (left, top) of the picture, maybe outside.

    None where nothing of it is seen. Chroma is the average of its pixels weighted by their alpha, so that what lies
    under alpha 0 colours nothing. Raises ConfigError for a layout that no output has.
    """
    box = _Box.of(rgba, left, top, target.size)
    if box is None:
        return None
    part = box.cut(rgba, left, top, target.size)
    alpha = part[..., 3].astype(np.float32) / np.float32(255.0)
    color = part[..., :3].transpose(2, 0, 1).astype(np.float32) / np.float32(255.0)
    matrix = encoding(target)
    levels = np.einsum("ij,jyx->iyx", matrix[:, :3], color) + matrix[:, 3, None, None]
    fmt = target.resized(Size(box.right - box.left, box.bottom - box.top))
    premultiplied = weave(np.ascontiguousarray(levels * alpha), _EACH, fmt)
    opacity = weave(np.stack([alpha] * 3), _EACH, fmt)
    return Overlay(tuple(_patches(box, fmt, target, premultiplied, opacity)))


class _Box:
    """Where the visible part lies in the picture, with even sides; may reach beyond odd sides of the picture by 1."""

    def __init__(self, left: int, top: int, right: int, bottom: int) -> None:
        self.left, self.top, self.right, self.bottom = left, top, right, bottom

    @classmethod
    def of(cls, rgba: Plane, left: int, top: int, size: Size) -> "_Box | None":
        """The smallest one; None where nothing is visible."""
        seen = rgba[max(0, -top) : max(0, size.height - top), max(0, -left) : max(0, size.width - left), 3] > 0
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        if not rows.size:
            return None
        x, y = max(0, left), max(0, top)
        first_x, first_y = (x + int(columns[0])) & ~1, (y + int(rows[0])) & ~1
        end_x, end_y = x + int(columns[-1]) + 1, y + int(rows[-1]) + 1
        return cls(first_x, first_y, end_x + end_x % 2, end_y + end_y % 2)

    def cut(self, rgba: Plane, left: int, top: int, size: Size) -> Plane:
        """The pixels of the box, clear where there are none; beyond odd sides of the picture the last repeat."""
        part = np.zeros((self.bottom - self.top, self.right - self.left, 4), np.uint8)
        x, y = max(self.left, left), max(self.top, top)
        right = min(self.right, left + rgba.shape[1], size.width)
        bottom = min(self.bottom, top + rgba.shape[0], size.height)
        part[y - self.top : bottom - self.top, x - self.left : right - self.left] = rgba[
            y - top : bottom - top, x - left : right - left
        ]
        if self.right > size.width:
            part[:, -1] = part[:, -2]
        if self.bottom > size.height:
            part[-1] = part[-2]
        return part


def _patches(
    box: _Box, fmt: VideoFormat, target: VideoFormat, premultiplied: Iterator[Tensor], opacity: Iterator[Tensor]
) -> Iterator[Patch]:
    """fmt: the target's, at the size of the box."""
    for (rows, size), (in_rows, in_size), color, alpha in zip(
        plane_shapes(target), plane_shapes(fmt), premultiplied, opacity, strict=True
    ):
        row, column = box.top * in_rows // fmt.height, box.left * in_size // fmt.width
        inside = np.s_[: rows - row, : size - column]
        color, alpha = color[inside], alpha[inside]
        keep = np.rint(np.float32(255.0) * (np.float32(1.0) - alpha)).clip(0.0, 255.0).astype(np.uint8)
        level = np.divide(color, alpha, out=np.zeros_like(color), where=alpha > 0.0).clip(0.0, 255.0)
        yield Patch(row, column, np.rint(level * (255 - keep)).astype(np.uint16), keep)

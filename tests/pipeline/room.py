"""A room painted in one marker colour with a grey person in it: if the marker leaves, the room leaked."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vcam.frame import Image, PixelFormat, Plane, Range, Stamp, Tensor, VideoFormat, allocate_planes
from vcam.stages import Backdrop

CAMERA = VideoFormat(PixelFormat.I420, 320, 192, range=Range.FULL)
OUTPUT = VideoFormat(PixelFormat.I420, 320, 192)

_MARKER_U, _MARKER_V = 212, 235
"""Magenta-like chroma, far from the grey person (128, 128) and from the green backdrop (below 100)."""
_PERSON = (slice(64, 160), slice(128, 192))
_MASK_CELLS = (slice(5, 9), slice(9, 11))
"""Inside _PERSON by a cell of 16 px on each side, so that the soft edge of the matte stays on the person."""


def camera_picture() -> bytes:
    """One raw I420 frame: marker everywhere, a grey person in the middle."""
    buffer, (y, u, v) = allocate_planes(CAMERA)
    y[:], u[:], v[:] = 105, _MARKER_U, _MARKER_V
    rows, columns = _PERSON
    half = (slice(rows.start // 2, rows.stop // 2), slice(columns.start // 2, columns.stop // 2))
    y[_PERSON], u[half], v[half] = 190, 128, 128
    return buffer.tobytes()


def mask() -> Tensor:
    """(12, 20) float32: 1 on the person, 0 elsewhere."""
    cells = np.zeros((12, 20), np.float32)
    cells[_MASK_CELLS] = 1.0
    return cells


def leaks(picture: Sequence[Plane]) -> bool:
    """Whether an I420 picture holds any pixel nearer to the marker than to what may be shown."""
    _, u, v = picture
    return bool(np.any((u.astype(int) > 150) & (v.astype(int) > 150)))


def shows_person(picture: Sequence[Plane]) -> bool:
    """Whether the grey person stands in the middle."""
    y, u, v = picture
    return bool(abs(int(u[56, 80]) - 128) < 4 and abs(int(v[56, 80]) - 128) < 4 and int(y[112, 160]) > 150)


class GreenBackdrop:
    """One green picture per target; satisfies Backdrop."""

    def __init__(self) -> None:
        self._rendered: dict[VideoFormat, Image] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        if target not in self._rendered:
            self._rendered[target] = paint(target, (120, 60, 50))
        return self._rendered[target]


def paint(target: VideoFormat, yuv: tuple[int, int, int]) -> Image:
    """A picture of one colour in an I420 target."""
    _, planes = allocate_planes(target)
    for plane, level in zip(planes, yuv, strict=True):
        plane[:] = level
    return Image(planes, target, Stamp(0, 0))


def card(backdrop: Backdrop, target: VideoFormat, reason: object) -> Image:
    """A SAFE card that a test can tell from the backdrop: darker."""
    return paint(target, (30, 60, 50))


def is_card(picture: Sequence[Plane]) -> bool:
    levels: npt.NDArray[np.uint8] = np.asarray(picture[0])
    return bool(np.all(levels == 30))

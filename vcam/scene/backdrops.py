"""Still backdrops: one colour, or a picture. A moving one is another class with the same one method."""

from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image as Pillow

from vcam.frame import Image, Plane, Size, Stamp, VideoFormat
from vcam.scene.encode import encode_rgb
from vcam.scene.fit import Fit, fitted
from vcam.scene.picture_file import load_picture

Rgb: TypeAlias = tuple[int, int, int]
"""Each 0..255."""

_STILL = Stamp(pts_ns=0, sequence=0)


class SolidBackdrop:
    """One colour."""

    def __init__(self, rgb: Rgb) -> None:
        self._rgb = rgb
        self._rendered: dict[VideoFormat, Image] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        """See stages.Backdrop: the same object at each call for a target."""
        if target not in self._rendered:
            rgb = np.empty((target.height, target.width, 3), np.uint8)
            rgb[:] = self._rgb
            self._rendered[target] = _still(rgb, target)
        return self._rendered[target]


class PictureBackdrop:
    """A picture file, fitted to each target. The file is read here and not again.

    fill: what shows where the picture is transparent or does not reach. Raises MediaError; see load_picture.
    """

    def __init__(self, path: Path, fit: Fit = Fit.COVER, fill: Rgb = (0, 0, 0)) -> None:
        self._fit = fit
        self._fill = fill
        self._picture: Pillow.Image = load_picture(path, fill)
        self._rendered: dict[VideoFormat, Image] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        """See stages.Backdrop: the same object at each call for a target."""
        if target not in self._rendered:
            size = Size(target.width, target.height)
            self._rendered[target] = _still(np.asarray(fitted(self._picture, size, self._fit, self._fill)), target)
        return self._rendered[target]


def _still(rgb: Plane, target: VideoFormat) -> Image:
    return Image(encode_rgb(rgb, target), target.resized(target.size), _STILL)

"""Still backdrops: one colour, or a picture. What moves is in moving.py, with the same one method."""

from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from vcam.frame import Image, Plane, VideoFormat
from vcam.scene.encode import encode_rgb
from vcam.scene.fit import Placing, Rgb, fitted
from vcam.scene.picture import STILL
from vcam.scene.picture_file import load_picture


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
    """A picture file, fitted to each target. The file is read here and not again. Raises MediaError."""

    def __init__(self, path: Path, placing: Placing = Placing()) -> None:
        self._placing = placing
        self._picture: Pillow.Image = load_picture(path, placing.fill)
        self._rendered: dict[VideoFormat, Image] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        """See stages.Backdrop: the same object at each call for a target."""
        if target not in self._rendered:
            self._rendered[target] = _still(np.asarray(fitted(self._picture, target.size, self._placing)), target)
        return self._rendered[target]


def _still(rgb: Plane, target: VideoFormat) -> Image:
    return Image(encode_rgb(rgb, target), target.resized(target.size), STILL)

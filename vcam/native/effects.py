"""What happens beside compose: the matte with the person larger or smaller, and the light around the person."""

import numpy as np

from vcam.frame import AffineMatte, Image, Levels, Size, Tensor, Window
from vcam.native import _pixels, sample
from vcam.native.arguments import matte_of


class MatteGrower:
    """For mattes of one size; see grow.h. All memory is allocated here."""

    def __init__(self, size: Size) -> None:
        self._rows: Tensor = np.zeros((1, size.height, size.width), np.float32)
        self._a: Tensor = np.zeros((4, size.height, size.width), np.float32)
        self._b: Tensor = np.zeros((4, size.height, size.width), np.float32)

    def grow(self, small: Tensor, matte: AffineMatte, strength: float, levels: Levels) -> AffineMatte:
        """The matte with the person larger (strength up to 1: 3 % of its longer side) or smaller (down to -1).

        small: (3, h, w) float32 RGB, what the matte was made of. ``levels`` are in the result already. It is borrowed
        until the next call.
        """
        _pixels.grow(small, matte_of(matte, levels, None), strength, self._rows, self._a, self._b)
        return AffineMatte(self._a, self._b, matte.stamp)


class SurroundingLight:
    """The background's light around the person, for views of one size; see look.h. All memory is allocated here."""

    def __init__(self, size: Size) -> None:
        cells = min(1.0, _pixels.LIGHT_CELLS / max(size.width, size.height))
        rows, columns = max(1, round(cells * size.height)), max(1, round(cells * size.width))
        self._camera: Tensor = np.zeros((3, rows, columns), np.float32)
        self._background: Tensor = np.zeros((3, rows, columns), np.float32)
        self._cells: Tensor = np.zeros((4, rows, columns), np.float32)
        self._light: Tensor = np.zeros((3, rows, columns), np.float32)

    def gather(self, image: Image, background: Image, matte: AffineMatte, levels: Levels, window: Window) -> Tensor:
        """(3, rows, columns) float32 RGB in [0, 1], spread over the view; borrowed until the next call.

        image: the view. window: the part of the matte that covers it.
        """
        sample(image, self._camera)
        sample(background, self._background)
        model = matte_of(matte, levels, window)
        _pixels.light(self._camera, self._background, model, self._cells, self._light)
        return self._light

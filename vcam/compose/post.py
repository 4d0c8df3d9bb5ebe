"""What is done to a frame's matte before it composes, on the CPU: memory only where it is asked for."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vcam import native
from vcam.compose.look import matte_levels
from vcam.frame import AffineMatte, Image, Levels, Planes, Size, Tensor, Window
from vcam.native.effects import MatteGrower
from vcam.stages import MatteControls


@dataclass(frozen=True, slots=True)
class ShapedMatte:
    """One frame's matte as it composes. Borrowed until the next frame.

    edge: what corrects it where it is uncertain, if that was asked for.
    """

    matte: AffineMatte
    levels: Levels
    edge: native.PersonEdge | None

    def compose(
        self, image: Image, background: Image, out: Planes, *, window: Window, look: native.Look | None = None
    ) -> None:
        """As ``native.compose``."""
        if self.edge is not None:
            self.edge.compose(image, background, out, window=window, look=look)
        elif look is not None:
            look.compose(image, self.matte, background, out, levels=self.levels, window=window)
        else:
            native.compose(image, self.matte, background, out, levels=self.levels, window=window)

    def alpha(self, image: Image, out: npt.NDArray[np.uint8]) -> None:
        """As ``native.alpha``, of the whole picture."""
        if self.edge is not None:
            self.edge.alpha(image, out)
        else:
            native.alpha(image, self.matte, out, levels=self.levels)


class MatteShaper:
    """For mattes of one size. What smoothing remembers is forgotten as soon as a frame comes without it."""

    def __init__(self, size: Size, levels: Levels) -> None:
        """levels: of alpha, before the controls."""
        self._size = size
        self._levels = levels
        self._edge: native.PersonEdge | None = None
        self._grower: MatteGrower | None = None

    def shape(self, small: Tensor, matte: AffineMatte, controls: MatteControls) -> ShapedMatte:
        """The next frame's. small: (3, h, w), what the matte was made of. Borrows both until the next call."""
        levels = matte_levels(self._levels, controls)
        if controls.grow:
            if self._grower is None:
                self._grower = MatteGrower(self._size)
            matte, levels = self._grower.grow(small, matte, controls.grow, levels), Levels()
        if not (controls.smoothing or controls.refine or controls.despill):
            self._edge = None
            return ShapedMatte(matte, levels, None)
        if self._edge is None:
            self._edge = native.PersonEdge(self._size)
        self._edge.prepare(small, matte, controls, levels=levels)
        return ShapedMatte(matte, levels, self._edge)

    def reset(self) -> None:
        """Forget earlier frames."""
        if self._edge is not None:
            self._edge.reset()

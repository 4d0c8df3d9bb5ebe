"""Corrections of the matte along the person's edge, on the CPU: memory only where they are asked for."""

from vcam import native
from vcam.frame import AffineMatte, Levels, Size, Tensor
from vcam.stages import MatteControls

OFF = MatteControls()


class EdgeCorrections:
    """For mattes of one size. What smoothing remembers is forgotten as soon as a frame comes without it."""

    def __init__(self, size: Size, levels: Levels) -> None:
        self._size = size
        self._levels = levels
        self._edge: native.PersonEdge | None = None

    def prepare(self, small: Tensor, matte: AffineMatte, controls: MatteControls) -> native.PersonEdge | None:
        """What composes this frame instead of ``native.compose``; None where nothing is to be corrected.

        small: (3, h, w), what the matte was made of. Borrows both until the next call.
        """
        if controls == OFF:
            self._edge = None
            return None
        if self._edge is None:
            self._edge = native.PersonEdge(self._size)
        self._edge.prepare(small, matte, controls, levels=self._levels)
        return self._edge

    def reset(self) -> None:
        """Forget earlier frames."""
        if self._edge is not None:
            self._edge.reset()

"""Whether the camera still looks at what was learned."""

import numpy as np
import numpy.typing as npt

from vcam.frame import Tensor

_EDGE_SHARE = 0.05
"""The strongest edges of each direction, as a share of the picture."""

_EDGE_CONTRAST = 0.06
"""Difference between the two neighbours of a pixel below which there is no edge."""

_SAME = (0.5, 1.6)
"""An edge is still there if its contrast is within these multiples of what it was."""


class View:
    """The edges of a scene, upright and level ones apart: moving the camera sideways leaves level edges in place."""

    def __init__(self, gray: Tensor) -> None:
        width = gray.shape[1]
        slope_x, slope_y = np.zeros_like(gray), np.zeros_like(gray)
        slope_x[1:-1, 1:-1] = gray[1:-1, 2:] - gray[1:-1, :-2]
        slope_y[1:-1, 1:-1] = gray[2:, 1:-1] - gray[:-2, 1:-1]
        self._upright = _Edges(slope_x, 1)
        self._level = _Edges(slope_y, width)

    def fit(self, gray: Tensor) -> float:
        """Share of the edges that are where they were, of the direction that fits worse; 1 where there are none.

        A person hides some; a camera that was moved displaces nearly all of one direction.
        """
        flat = gray.ravel()
        return min(self._upright.fit(flat), self._level.fit(flat))


class _Edges:
    """Edges across one direction. step: from a pixel to its neighbour in that direction, in the flattened picture."""

    def __init__(self, slope: Tensor, step: int) -> None:
        strength = np.abs(slope)
        strong = strength > max(_EDGE_CONTRAST, float(np.quantile(strength, 1.0 - _EDGE_SHARE)))
        self._at: npt.NDArray[np.intp] = np.flatnonzero(strong)
        self._slope = slope.ravel()[self._at]
        self._step = step

    def fit(self, flat: Tensor) -> float:
        if not self._at.size:
            return 1.0
        ratio = (flat[self._at + self._step] - flat[self._at - self._step]) / self._slope
        return float(np.mean((ratio > _SAME[0]) & (ratio < _SAME[1])))

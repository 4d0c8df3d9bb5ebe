"""The numbers of native/look.h: those that the person's look and a background's have in common."""

import numpy as np
import numpy.typing as npt

from vcam.color import encode_matrix
from vcam.colormaps import colors_of
from vcam.frame import Matrix, Range, Tensor
from vcam.looks import ColorMap

CURVE = 1024
LOOK_FLOATS = 34 + 3 * CURVE
"""Of a ``look::Look``."""

OPACITY, WRAP = 24, 25
_GRADE, _TINT, _LINES, _BAND, _CURVED, _TABLES = 0, 12, 26, 30, 33, 34

LUMA: npt.NDArray[np.float64] = encode_matrix(Matrix.BT601, Range.FULL)[0, :3].astype(np.float64) / 255.0
"""Weights of R, G, B in the brightness of a colour."""

_HOLOGRAM = 0.9
_DARK, _BRIGHT = (0.02, 0.17, 0.34), (0.62, 1.2, 1.42)
_LINES_ON_SCREEN = 160.0
_LEAST_ROWS = 3.0
_ROWS_PER_S = 14.0
_SWEEP_S = 4.0


def look_numbers(
    grade: Tensor,
    *,
    tint: Tensor | None = None,
    colormap: ColorMap = ColorMap.NONE,
    gamma: float = 1.0,
    hologram: float = 0.0,
) -> Tensor:
    """(LOOK_FLOATS,) float32, a ``look::Look`` that is opaque and has no scan lines yet.

    grade, tint: (3, 4), what is done to R, G, B before and after gamma and map; see color.look_matrix.
    """
    numbers = np.zeros(LOOK_FLOATS, np.float32)
    after = np.eye(4)
    if tint is not None:
        after[:3] = tint
    coloured = (1.0 - hologram * _HOLOGRAM) * np.eye(3, 4) + hologram * _HOLOGRAM * _monochrome(_DARK, _BRIGHT)
    numbers[_GRADE:_TINT] = grade.ravel()
    numbers[_TINT:OPACITY] = (coloured @ after).ravel()
    numbers[OPACITY] = 1.0
    numbers[_CURVED] = colormap != ColorMap.NONE or gamma != 1.0
    numbers[_TABLES:] = _tables(colormap, gamma).ravel()
    return numbers


def set_lines(numbers: Tensor, strength: float, height: int, pts_ns: int, *, cover: bool) -> None:
    """The scan lines of a hologram for a picture of that height, at this moment.

    cover: they take of the picture's cover, too, so that what is behind shows through.
    """
    period = max(_LEAST_ROWS, height / _LINES_ON_SCREEN)
    taken = 0.45 * strength if cover else 0.0
    numbers[_LINES:_BAND] = (1.0 / period, phase(pts_ns, period / _ROWS_PER_S), 0.4 * strength, taken)
    numbers[_BAND:_CURVED] = (0.8 / height, phase(pts_ns, _SWEEP_S), 0.45 * strength)


def phase(pts_ns: int, period_s: float) -> float:
    """Which part of the current period has passed, [0, 1)."""
    period_ns = max(1, round(period_s * 1e9))
    return (pts_ns % period_ns) / period_ns


def _tables(colormap: ColorMap, gamma: float) -> Tensor:
    """(3, CURVE): gamma, then the map, straight between its 256 colours."""
    levels = np.linspace(0.0, 1.0, CURVE) ** (1.0 / gamma)
    if colormap == ColorMap.NONE:
        return np.tile(levels, (3, 1)).astype(np.float32)
    colors = colors_of(colormap)
    places = np.linspace(0.0, 1.0, len(colors))
    return np.stack([np.interp(levels, places, channel) for channel in colors.T]).astype(np.float32)


def _monochrome(dark: tuple[float, float, float], bright: tuple[float, float, float]) -> npt.NDArray[np.float64]:
    """(3, 4): by luma from one colour, RGB nominally in [0, 1], to another."""
    low, high = np.array(dark), np.array(bright)
    return np.column_stack([np.outer(high - low, LUMA), low])

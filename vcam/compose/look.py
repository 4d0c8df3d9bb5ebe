"""From how the person shall look to the numbers of native/look.h, once for the CPU and the GPU."""

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from vcam.color import encode_matrix, look_matrix
from vcam.colormaps import colors_of
from vcam.frame import Levels, Matrix, Range, Size, Tensor
from vcam.looks import ColorMap, MatteControls, PersonLook

CURVE = 1024
LOOK_FLOATS = 34 + 3 * CURVE
"""Of a ``look::Look``."""

Vector: TypeAlias = npt.NDArray[np.float64]

_LUMA: Vector = encode_matrix(Matrix.BT601, Range.FULL)[0, :3].astype(np.float64) / 255.0
_WARMTH = 0.3
"""Share that red gains and blue loses at full warmth."""

_GRADE, _TINT, _OPACITY, _WRAP, _LINES, _BAND, _CURVED, _TABLES = 0, 12, 24, 25, 26, 30, 33, 34

_HOLOGRAM = 0.9
_DARK, _BRIGHT = (0.0, 0.08, 0.2), (0.5, 1.12, 1.4)
_LINES_ON_SCREEN = 160.0
_LEAST_ROWS = 3.0
_ROWS_PER_S = 14.0
_SWEEP_S = 4.0
_GHOST_SWAY_S = 3.1


@dataclass(frozen=True, slots=True)
class Ghost:
    """The person once more, moved by so many pairs of pixels (below 0: to the left) under the person.

    opacity is a factor of the person's own.
    """

    pairs: int
    opacity: float


class LookNumbers:
    """The numbers of one look; what does not move is computed once."""

    def __init__(self, person: PersonLook) -> None:
        self.person = person
        self._numbers = _still_numbers(person)

    @property
    def plain(self) -> bool:
        """Whether the person is shown as the matte has it: nothing of look.h is needed."""
        return self.person == PersonLook()

    def at(self, size: Size, pts_ns: int) -> Tensor:
        """(LOOK_FLOATS,) float32, a ``look::Look`` for an output of this size at this moment. Borrowed until the next
        call."""
        strength = self.person.hologram
        if strength > 0.0:
            period = max(_LEAST_ROWS, size.height / _LINES_ON_SCREEN)
            lines = (1.0 / period, _phase(pts_ns, period / _ROWS_PER_S), 0.4 * strength, 0.45 * strength)
            sweep = (0.8 / size.height, _phase(pts_ns, _SWEEP_S), 0.45 * strength)
            self._numbers[_LINES:_BAND] = lines
            self._numbers[_BAND:_CURVED] = sweep
            self._numbers[_OPACITY] = self.person.opacity * (1.0 - strength * (0.14 + 0.05 * _flicker(pts_ns)))
        return self._numbers

    def ghosts(self, size: Size, pts_ns: int) -> tuple[Ghost, ...]:
        """From the lowest one up."""
        strength = self.person.hologram
        if strength == 0.0:
            return ()
        sway = 1.0 + 0.5 * math.sin(2.0 * math.pi * _phase(pts_ns, _GHOST_SWAY_S))
        pairs = max(1, round(0.5 * 0.018 * size.width * strength * sway))
        return (Ghost(pairs, 0.3 * strength), Ghost(-pairs, 0.22 * strength))


def haunted(numbers: Tensor, ghost: Ghost) -> Tensor:
    """A copy of a look's numbers for one of its ghosts."""
    copy = numbers.copy()
    copy[_OPACITY] *= ghost.opacity
    return copy


def matte_levels(base: Levels, controls: MatteControls) -> Levels:
    """The levels of alpha for threshold and softness; what ``base`` makes 0 stays 0, so nothing is uncovered.

    Without any change, exactly ``base``. The threshold becomes one half; softness scales the ramp around it, which ends
    within ``base``.
    """
    if (controls.threshold, controls.softness) == (0.5, 1.0):
        return base
    room = min(controls.threshold - base.black, base.white - controls.threshold)
    half = controls.softness * max(room, 0.0)
    black = min(max(controls.threshold - half, base.black), base.white - _LEAST_RAMP)
    return Levels(black, max(controls.threshold + half, black + _LEAST_RAMP))


_LEAST_RAMP = 1.0 / 255.0


def _still_numbers(person: PersonLook) -> Tensor:
    numbers = np.zeros(LOOK_FLOATS, np.float32)
    mapped = person.colormap != ColorMap.NONE
    look = look_matrix(
        brightness=person.brightness, contrast=person.contrast, saturation=0.0 if mapped else person.saturation
    )
    look[:, :3] *= _warmth_gains(person.temperature)
    hologram = _HOLOGRAM * person.hologram
    numbers[_GRADE:_TINT] = look.ravel()
    numbers[_TINT:_OPACITY] = ((1.0 - hologram) * np.eye(3, 4) + hologram * _monochrome(_DARK, _BRIGHT)).ravel()
    numbers[_OPACITY] = person.opacity
    numbers[_WRAP] = person.light_wrap
    numbers[_CURVED] = mapped or person.gamma != 1.0
    numbers[_TABLES:] = _tables(person).ravel()
    return numbers


def _tables(person: PersonLook) -> Tensor:
    """(3, CURVE): gamma, then the map, straight between its 256 colours."""
    levels = np.linspace(0.0, 1.0, CURVE) ** (1.0 / person.gamma)
    if person.colormap == ColorMap.NONE:
        return np.tile(levels, (3, 1)).astype(np.float32)
    colors = colors_of(person.colormap)
    places = np.linspace(0.0, 1.0, len(colors))
    return np.stack([np.interp(levels, places, channel) for channel in colors.T]).astype(np.float32)


def _warmth_gains(temperature: float) -> Vector:
    """Of R, G, B: red and blue change against each other, the luma of a grey stays."""
    gains = np.array([1.0 + _WARMTH * temperature, 1.0, 1.0 - _WARMTH * temperature])
    return np.asarray(gains / (_LUMA @ gains))


def _monochrome(dark: tuple[float, float, float], bright: tuple[float, float, float]) -> Vector:
    """(3, 4): by luma from one colour, RGB nominally in [0, 1], to another."""
    low, high = np.array(dark), np.array(bright)
    return np.column_stack([np.outer(high - low, _LUMA), low])


def _phase(pts_ns: int, period_s: float) -> float:
    """Which part of the current period has passed, [0, 1)."""
    period_ns = max(1, round(period_s * 1e9))
    return (pts_ns % period_ns) / period_ns


def _flicker(pts_ns: int) -> float:
    """-1..1, restless."""
    return 0.5 * math.sin(2.0 * math.pi * _phase(pts_ns, 0.31)) + 0.5 * math.sin(2.0 * math.pi * _phase(pts_ns, 0.173))

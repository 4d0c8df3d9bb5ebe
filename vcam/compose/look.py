"""From how the person shall look to the numbers of native/look.h, once for the CPU and the GPU."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vcam.color import look_matrix
from vcam.frame import Levels, Size, Tensor
from vcam.looks import ColorMap, MatteControls, PersonLook
from vcam.native.look import LUMA, OPACITY, WRAP, look_numbers, phase, set_lines

_WARMTH = 0.3
"""Share that red gains and blue loses at full warmth."""

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
            set_lines(self._numbers, strength, size.height, pts_ns, cover=True)
            self._numbers[OPACITY] = self.person.opacity * (1.0 - strength * (0.14 + 0.05 * _flicker(pts_ns)))
        return self._numbers

    def ghosts(self, size: Size, pts_ns: int) -> tuple[Ghost, ...]:
        """From the lowest one up."""
        strength = self.person.hologram
        if strength == 0.0:
            return ()
        sway = 1.0 + 0.5 * math.sin(2.0 * math.pi * phase(pts_ns, _GHOST_SWAY_S))
        pairs = max(1, round(0.5 * 0.018 * size.width * strength * sway))
        return (Ghost(pairs, 0.3 * strength), Ghost(-pairs, 0.22 * strength))


def haunted(numbers: Tensor, ghost: Ghost) -> Tensor:
    """A copy of a look's numbers for one of its ghosts."""
    copy = numbers.copy()
    copy[OPACITY] *= ghost.opacity
    return copy


def matte_levels(base: Levels, controls: MatteControls) -> Levels:
    """The levels of alpha for threshold and softness; what ``base`` makes 0 stays 0, so nothing is uncovered.

    Without any change, exactly ``base``. The threshold becomes one half; softness scales the ramp around it, which ends
    within ``base``.
    """
    if (controls.threshold, controls.softness) == (0.5, 1.0):
        return base
    room = min(controls.threshold - base.black, base.white - controls.threshold)
    half = max(controls.softness * room, _LEAST_RAMP / 2.0)
    black = min(max(controls.threshold - half, base.black), base.white - _LEAST_RAMP)
    return Levels(black, min(max(controls.threshold + half, black + _LEAST_RAMP), base.white))


_LEAST_RAMP = 1.0 / 255.0


def _still_numbers(person: PersonLook) -> Tensor:
    mapped = person.colormap != ColorMap.NONE
    grade = look_matrix(
        brightness=person.brightness, contrast=person.contrast, saturation=0.0 if mapped else person.saturation
    )
    grade[:, :3] *= _warmth_gains(person.temperature)
    numbers = look_numbers(grade, colormap=person.colormap, gamma=person.gamma, hologram=person.hologram)
    numbers[OPACITY] = person.opacity
    numbers[WRAP] = person.light_wrap
    return numbers


def _warmth_gains(temperature: float) -> npt.NDArray[np.float64]:
    """Of R, G, B: red and blue change against each other, the luma of a grey stays."""
    gains = np.array([1.0 + _WARMTH * temperature, 1.0, 1.0 - _WARMTH * temperature])
    return np.asarray(gains / (LUMA @ gains))


def _flicker(pts_ns: int) -> float:
    """-1..1, restless."""
    return 0.5 * math.sin(2.0 * math.pi * phase(pts_ns, 0.31)) + 0.5 * math.sin(2.0 * math.pi * phase(pts_ns, 0.173))

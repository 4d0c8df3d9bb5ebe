"""How the figure of the test scene moves: a loop of fourteen seconds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

LOOP_S = 14.0
"""After this the motion repeats."""

EMPTY_S = 2.0
"""The room is empty from the start of each loop until then."""

_GONE_S = 13.5
"""From then to the end of the loop it is empty again."""

_LIFT: tuple[tuple[float, float], ...] = ((4.8, 0.0), (5.5, 1.0), (7.6, 1.0), (8.2, 0.0))
"""(seconds, how far the hand is raised)."""

_WAVE_HZ = 1.5


@dataclass(frozen=True, slots=True)
class Pose:
    """x, bob: shift from the middle, in picture heights. lift: of the hand, 0 (out of sight) to 1.

    tilt, wave: of head and forearm, -1..1.
    """

    x: float
    bob: float
    tilt: float
    lift: float
    wave: float


def pose(time_s: float, out_x: float) -> Pose | None:
    """Where the figure is; None while the room is empty. out_x: the shift that takes it out of the picture."""
    t = time_s % LOOP_S
    if t < EMPTY_S or t >= _GONE_S:
        return None
    walk = ((EMPTY_S, out_x), (3.6, 0.0), (8.0, 0.0), (9.2, -0.34), (10.9, 0.34), (12.0, 0.10), (_GONE_S, out_x))
    inside = _between(((2.8, 0.0), (3.8, 1.0), (12.0, 1.0), (13.0, 0.0)), t)
    speed = abs(_between(walk, t + 0.05) - _between(walk, t - 0.05)) / 0.1
    return Pose(
        x=_between(walk, t) + inside * 0.022 * math.sin(2.0 * math.pi * 0.45 * t),
        bob=0.004 * math.sin(2.0 * math.pi * 0.28 * t) + min(speed, 0.5) * 0.022 * math.sin(2.0 * math.pi * 1.7 * t),
        tilt=0.75 * math.sin(2.0 * math.pi * 0.23 * t + 0.8) + 0.25 * math.sin(2.0 * math.pi * 0.61 * t),
        lift=_between(_LIFT, t),
        wave=math.sin(2.0 * math.pi * _WAVE_HZ * (t - _LIFT[1][0])),
    )


def _between(keys: Sequence[tuple[float, float]], t: float) -> float:
    """Smooth interpolation between keys of (time, value), held before the first and after the last."""
    for (begin, before), (end, after) in pairwise(keys):
        if t < begin:
            return before
        if t < end:
            along = (t - begin) / (end - begin)
            return before + (after - before) * along * along * (3.0 - 2.0 * along)
    return keys[-1][1]

"""Which part of the camera's picture shows the person best, and how to get there without anybody noticing.

A shot is a window of the output's shape: its middle and its height, in pixels of the camera's picture. Those that lie
inside the picture are a convex set. The shot in effect follows the one that is wanted as a critically damped spring
does, whose answer to anything is a weighted mean of what was wanted before: so it never leaves the picture, never
overshoots, and never moves faster than STIFFNESS / e of the way that there is, in a second.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

from vcam.frame import Plane, Size, Stamp
from vcam.looks import Framing

MOST_ZOOM = 2.0
STIFFNESS = 2.2
"""Of the spring, per second: a move is nine tenths done after 1.8 s."""

_HEAD_ROOM = 0.10
_FOOT_ROOM = 0.04
_SIDE_ROOM = 0.07
"""Left free above, below and beside the person, as shares of the shot."""
_OF_CUT = 0.75
"""Of one whom the picture itself cuts below, so much must be seen, from the top: head and shoulders."""

_OFF_CENTRE = 0.08
_TOO_WIDE = 1.06
"""The dead zone: a shot is kept while the best one is moved by less than this share, and not smaller than by this."""
_PATIENCE_S = 1.5
"""So long a smaller shot must be the better one before it is taken: who waves is not pumped in and out."""

_ABSENCE_S = 1.5
_RETURN_S = 2.5
"""Nobody there: after this time the shot grows to the whole picture, by two thirds in this time."""

_INSIDE = 128
_LEAST_AREA = 0.004
_LEAST_LINE = 0.012
"""Shares of the picture, and of a row or column of it, below which alpha is not taken for a person."""
_SAMPLES = 160

_LONGEST_STEP_S = 0.2
_OTHER_TIME_S = 2.0
_SETTLED_PX = 0.2


@dataclass(frozen=True, slots=True)
class Box:
    """Where the person is, in pixels of the camera's picture."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Shot:
    """The middle and the height of a window."""

    x: float
    y: float
    height: float


_Motion: TypeAlias = tuple[float, float]
"""Place and speed, in pixels and pixels per second."""


def person_box(alpha: Plane) -> Box | None:
    """Of (H, W) uint8; None where nobody is. Specks are left out."""
    step = max(1, min(alpha.shape) // _SAMPLES)
    inside = alpha[::step, ::step] >= _INSIDE
    if inside.mean() < _LEAST_AREA:
        return None
    columns = (inside.mean(axis=0) > _LEAST_LINE).nonzero()[0]
    rows = (inside.mean(axis=1) > _LEAST_LINE).nonzero()[0]
    if not (columns.size and rows.size):
        return None
    height, width = alpha.shape
    right, bottom = min(width, (int(columns[-1]) + 1) * step), min(height, (int(rows[-1]) + 1) * step)
    return Box(float(columns[0] * step), float(rows[0] * step), float(right), float(bottom))


class Stage:
    """A camera's picture and the shape of the shots to be taken of it."""

    def __init__(self, picture: Size, shape: Size) -> None:
        self.picture = picture
        self._aspect = shape.width / shape.height
        self._highest = min(float(picture.height), picture.width / self._aspect)
        self.whole = Shot(picture.width / 2.0, picture.height / 2.0, self._highest)

    def best(self, box: Box, least: float = 0.0) -> Shot:
        """The person in the middle, with room above; all of them as long as that fits. least: of its height."""
        tall = (self._lowest(box) - box.top) / (1.0 - _HEAD_ROOM - _FOOT_ROOM)
        wide = (box.right - box.left) / (1.0 - 2.0 * _SIDE_ROOM) / self._aspect
        height = min(max(tall, wide, self._highest / MOST_ZOOM, least), self._highest)
        y = box.top - _HEAD_ROOM * height + height / 2.0
        return self._inside((box.left + box.right) / 2.0, y, height)

    def shows(self, shot: Shot, box: Box) -> bool:
        """Whether all of the person is to be seen that must be."""
        half = shot.height * self._aspect / 2.0
        across = shot.x - half <= box.left and box.right <= shot.x + half
        above = shot.y - shot.height / 2.0 <= box.top
        return across and above and self._lowest(box) <= shot.y + shot.height / 2.0

    def is_near(self, shot: Shot, best: Shot) -> bool:
        """Whether it shows the person nearly as well as the best one, but for its size."""
        across = abs(shot.x - best.x) <= _OFF_CENTRE * shot.height * self._aspect
        return across and abs(shot.y - best.y) <= _OFF_CENTRE * shot.height

    def shot(self, framing: Framing) -> Shot:
        """What a framing shows; ``framing`` is the way back."""
        height = self._highest / max(1.0, framing.zoom)
        width = height * self._aspect
        pan_x = -framing.pan_x if framing.mirror else framing.pan_x
        pan_y = -framing.pan_y if framing.flip else framing.pan_y
        x = (self.picture.width + pan_x * (self.picture.width - width)) / 2.0
        y = (self.picture.height + pan_y * (self.picture.height - height)) / 2.0
        return self._inside(x, y, height)

    def loose(self, shot: Shot) -> Shot:
        """It, or as near as the greatest zoom allows."""
        return self._inside(shot.x, shot.y, max(shot.height, self._highest / MOST_ZOOM))

    def framing(self, shot: Shot, turned: Framing) -> Framing:
        """The shot as a Framing, mirrored and flipped as ``turned`` is."""
        width = shot.height * self._aspect
        pan_x = _pan(shot.x - width / 2.0, self.picture.width - width)
        pan_y = _pan(shot.y - shot.height / 2.0, self.picture.height - shot.height)
        return Framing(
            mirror=turned.mirror,
            flip=turned.flip,
            zoom=max(1.0, self._highest / shot.height),
            pan_x=-pan_x if turned.mirror else pan_x,
            pan_y=-pan_y if turned.flip else pan_y,
        )

    def _lowest(self, box: Box) -> float:
        """What of the person must be seen ends there."""
        cut = box.bottom >= self.picture.height - 1
        return box.top + (_OF_CUT if cut else 1.0) * (box.bottom - box.top)

    def _inside(self, x: float, y: float, height: float) -> Shot:
        half = height * self._aspect / 2.0
        x = min(max(x, half), self.picture.width - half)
        return Shot(x, min(max(y, height / 2.0), self.picture.height - height / 2.0), height)


def _pan(begin: float, room: float) -> float:
    return min(max(2.0 * begin / room - 1.0, -1.0), 1.0) if room > _SETTLED_PX else 0.0


class AutoFrame:
    """The shot in effect, by the time stamps of the frames. For one thread. begin: the first one."""

    def __init__(self, stage: Stage, begin: Shot) -> None:
        self.stage = stage
        self._wanted = stage.loose(begin)
        self._motions = _at_rest(begin)
        self._now: Stamp | None = None
        self._absent_s = 0.0
        self._tighter_s = 0.0

    @property
    def shot(self) -> Shot:
        return Shot(*(place for place, _ in self._motions))

    def advance(self, stamp: Stamp) -> None:
        """Go on to the time of this frame; one that is older than the last changes nothing."""
        step_s = self._step_s(stamp)
        if step_s == 0.0:
            return
        self._absent_s += step_s
        self._tighter_s += step_s
        if self._absent_s > _ABSENCE_S:
            self._wanted = _towards(self._wanted, self.stage.whole, 1.0 - math.exp(-step_s / _RETURN_S))
        ways = list(zip(self._motions, _parts(self._wanted), strict=True))
        if all(abs(place - part) < _SETTLED_PX and abs(speed) < _SETTLED_PX for (place, speed), part in ways):
            self._motions = _at_rest(self._wanted)  # all at once, or it would leave the picture
        else:
            self._motions = tuple(_spring(motion, part, step_s) for motion, part in ways)

    def see(self, alpha: Plane) -> None:
        """The alpha of the frame at hand, (H, W) uint8."""
        box = person_box(alpha)
        if box is None:
            self._tighter_s = 0.0
            return
        self._absent_s = 0.0
        stage, wanted = self.stage, self._wanted
        best = stage.best(box)
        tighter = best.height * _TOO_WIDE < wanted.height
        if not tighter:
            self._tighter_s = 0.0
        elif self._tighter_s < _PATIENCE_S:
            tighter, best = False, stage.best(box, least=wanted.height)
        shows = stage.shows(wanted, box) or not stage.shows(best, box)
        if tighter or not shows or not stage.is_near(wanted, best):
            self._wanted = best

    def _step_s(self, stamp: Stamp) -> float:
        last, step_s = self._now, 0.0
        if last is not None and last.epoch == stamp.epoch:
            step_s = (stamp.pts_ns - last.pts_ns) / 1e9
            if -_OTHER_TIME_S < step_s <= 0.0:
                return 0.0
        self._now = stamp
        return min(max(step_s, 0.0), _LONGEST_STEP_S)


def _towards(shot: Shot, other: Shot, share: float) -> Shot:
    return Shot(*(a + share * (b - a) for a, b in zip(_parts(shot), _parts(other), strict=True)))


def _parts(shot: Shot) -> tuple[float, float, float]:
    return shot.x, shot.y, shot.height


def _at_rest(shot: Shot) -> tuple[_Motion, ...]:
    return tuple((part, 0.0) for part in _parts(shot))


def _spring(motion: _Motion, wanted: float, step_s: float) -> _Motion:
    """A critically damped spring, exactly, whatever the step."""
    away, speed = motion[0] - wanted, motion[1]
    pull = speed + STIFFNESS * away
    fade = math.exp(-STIFFNESS * step_s)
    return wanted + (away + pull * step_s) * fade, (speed - STIFFNESS * pull * step_s) * fade

"""The plate engine: matting against a learned picture of the empty room. Needs no network and no GPU."""

import logging
from types import TracebackType
from typing import Self

import numpy as np
from scipy.ndimage import uniform_filter

from vcam.engines.guided import guided_coefficients
from vcam.engines.plate_model import Difference, Plate, PlateLearner
from vcam.engines.shape import Mask, grown, shrunk, without_small_parts
from vcam.errors import MatteInvalidError
from vcam.frame import AffineMatte, Size, Stamp, Tensor
from vcam.stages import EngineInfo

_log = logging.getLogger(__name__)

PLATE_SIZE = Size(320, 180)
"""Default internal size; a person's outline is found to a fraction of these pixels."""

_GUIDE_RADIUS = 1
_GUIDE_EPS = 1e-4
"""The mask already knows partial coverage, so the window need not be wider. Mean error on the test scene at 1280x720:
0.004 with this radius and masks made frame by frame, 0.005 with radius 2, 0.008 with radius 4."""

_SMALLEST_PERSON = 0.002
_LARGEST_HOLE = 0.0002
_LARGEST_PATCH = 0.005
"""Shares of the picture. Smaller islands are noise; smaller holes are the person's; smaller patches are closed where
they differ from the room at all. The room shows through gaps between hair and arm: larger limits would keep those."""

_PERSON_WINDOW = 7
"""Side of the window, in pixels, over which the person's own colour is averaged at the outline."""

_LARGEST_PERSON = 0.85
_FIT_TO_TRUST = 0.5
_FIT_TO_DOUBT = 0.35
_DOUBT_S = 2.0
"""A plate that fits worse is not used, and is learned anew after so long; see Plate.fit."""


class PlateEngine:
    """Learns the empty scene from the first still ``learn_s`` seconds, then finds what differs from it.

    While it learns, and while the scene does not fit what was learned (the camera was moved), alpha is 0 everywhere:
    the viewer sees the background only.
    """

    def __init__(self, size: Size = PLATE_SIZE, *, learn_s: float = 1.5) -> None:
        self._size = size
        self._learn_s = learn_s
        self._learner: PlateLearner | None = None
        self._plate: Plate | None = None
        self._trusted = False
        self._doubted_since_s: float | None = None
        self._disturbed = False
        self._a = np.zeros((4, size.height, size.width), np.float32)
        self._b = np.zeros_like(self._a)

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(engine="plate", model="plate", precision="fp32", size=self._size, device="cpu")

    @property
    def input_size(self) -> Size:
        return self._size

    @property
    def learning(self) -> bool:
        """The empty scene is not known yet: nobody is shown."""
        return self._plate is None

    def __enter__(self) -> Self:
        self.learn()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._learner = self._plate = None

    def learn(self) -> None:
        """Forget the scene and learn it again: the person should step out of the picture."""
        self._plate = None
        self._learner = PlateLearner(self._learn_s)
        self._disturbed = False
        _log.info("plate.learning", extra={"still_s": self._learn_s})

    def reset(self) -> None:
        """After a gap or a new camera: what was learned is used again once the scene is seen to fit it."""
        self._trusted = False
        self._doubted_since_s = None

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        """See MattingEngine. Raises MatteInvalidError when ``small`` is not finite."""
        if not np.isfinite(small.sum()):
            raise MatteInvalidError(
                "the picture given to the plate engine is not finite",
                hint="report this with the log of `vcam run`: the camera or the decoder gave impossible pixels",
                sequence=stamp.sequence,
            )
        now_s = stamp.pts_ns / 1e9
        mask = self._person(small, now_s)
        if mask is None:
            self._a.fill(0.0)
            self._b.fill(0.0)
        else:
            gray: Tensor = small.mean(axis=0)
            guided_coefficients(gray, mask, radius=_GUIDE_RADIUS, eps=_GUIDE_EPS, a=self._a, b=self._b)
        return AffineMatte(self._a, self._b, stamp)

    def _person(self, small: Tensor, now_s: float) -> Tensor | None:
        """(h, w) alpha in [0, 1]; None while the scene is not known."""
        if self._plate is None:
            self._learn_from(small, now_s)
            return None
        difference = self._plate.difference(small)
        person = _cleaned(difference)
        if not self._fits(self._plate.fit(small), person, now_s):
            return None
        self._plate.update(small, person, now_s)
        return _coverage(small, difference, person)

    def _learn_from(self, small: Tensor, now_s: float) -> None:
        if self._learner is None:
            self.learn()
        learner = self._learner
        assert learner is not None
        if not learner.add(small, now_s) and not self._disturbed:
            self._disturbed = True
            _log.warning("plate.disturbed", extra={"hint": "step out of the picture until it is learned"})
        self._plate = learner.plate(now_s)
        if self._plate is not None:
            self._learner = None
            self._trusted, self._doubted_since_s = True, None
            _log.info("plate.learned")

    def _fits(self, fit: float, person: Mask, now_s: float) -> bool:
        fit = fit if person.mean() <= _LARGEST_PERSON else 0.0
        self._trusted = fit >= (_FIT_TO_DOUBT if self._trusted else _FIT_TO_TRUST)
        if self._trusted:
            self._doubted_since_s = None
            return True
        if self._doubted_since_s is None:
            self._doubted_since_s = now_s
        elif now_s - self._doubted_since_s >= _DOUBT_S:
            _log.warning(
                "plate.lost", extra={"fit": round(fit, 2), "hint": "the camera was moved; step out of the picture"}
            )
            self.learn()
        return False


def _cleaned(difference: Difference) -> Mask:
    """The person without islands and holes. A hole of medium size is closed where it is like a shadow: no shadow falls
    inside a person, but clothes may have the colour of the room in another brightness."""
    pixels = difference.person.size
    solid = without_small_parts(difference.person, round(_SMALLEST_PERSON * pixels))
    larger = without_small_parts(~solid, round(_LARGEST_PATCH * pixels))
    solid = solid | (difference.changed & ~larger)
    return ~without_small_parts(~solid, round(_LARGEST_HOLE * pixels))


def _coverage(small: Tensor, difference: Difference, person: Mask) -> Tensor:
    """(h, w) alpha: 1 inside, 0 outside, and along the outline how far the pixel's colour is from the room's to the
    person's, who there has the mean colour of the inside nearby: alpha = (I - B)·(F - B) / |F - B|²."""
    inside = shrunk(person)
    alpha = inside.astype(np.float32)
    window = _bounds(grown(person))
    if window is None:
        return alpha
    outline = grown(person)[window] & ~inside[window]
    vector, room = difference.vector[:, *window], difference.room[:, *window]
    weight = uniform_filter(alpha[window], _PERSON_WINDOW)
    colors = [uniform_filter(plane, _PERSON_WINDOW) for plane in small[:, *window] * alpha[window]]
    known = outline & (weight > 0.5 / _PERSON_WINDOW**2)
    toward = np.stack([plane[known] for plane in colors]) / weight[known] - room[:, known]
    share = (vector[:, known] * toward).sum(axis=0) / np.maximum((toward * toward).sum(axis=0), 1e-4)
    view = alpha[window]
    view[outline] = person[window][outline]
    view[known] = np.clip(share, 0.0, 1.0)
    return alpha


def _bounds(mask: Mask) -> tuple[slice, slice] | None:
    """The smallest window that holds the whole mask, None when it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

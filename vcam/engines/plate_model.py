"""What the plate engine knows of the empty scene: how it is learned, told apart from a person, and kept up to date."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import maximum_filter, uniform_filter

from vcam.engines.plate_view import View
from vcam.engines.shape import Mask, grown
from vcam.frame import Tensor

_SAMPLES = 15
"""Frames that the median is taken of; spread evenly over the time of learning."""

_MOVING_SHARE = 0.01
"""More than this share of the picture changing between two samples means that somebody is in it."""

_STEADY_DIFFERENCE = 0.03
_STEADY_SPREAD = 6.0
"""A pixel moves if it changes by more than this plus so many times the median change, which is noise."""

_DISTANCE = 0.055
"""Colour distance in RGB, each in [0, 1], from which a pixel is not the plate's: 14 levels in one channel."""

_DEVIATIONS = 4.0
"""... or so many times its own standard deviation, whichever is more."""

_DISTANCE_LIMIT = 0.2
"""A flickering pixel is not trusted with more than that."""

_BRIGHTNESS_SHARE = 0.2
"""A pixel that is only brighter or darker by up to this share is a shadow, not a person."""

_MAD_TO_SIGMA = 1.4826
"""Standard deviation of normal noise, over its median absolute deviation."""

_ADAPT_S = 10.0
_SETTLE_S = 1.0
_PERSON_MARGIN_PX = 4


class PlateLearner:
    """Collects frames until the scene has been still for ``learn_s``. Times are in seconds of the frames' stamps."""

    def __init__(self, learn_s: float) -> None:
        self._learn_s = learn_s
        self._frames: list[Tensor] = []
        self._began_s = 0.0

    def add(self, small: Tensor, now_s: float) -> bool:
        """Consider one frame, (3, h, w); copied if kept. False when something moved: learning starts again."""
        due_s = self._began_s + len(self._frames) * self._learn_s / _SAMPLES
        if self._frames and now_s < due_s:
            return True
        still = not self._frames or not _moving(small, self._frames[-1])
        if not still:
            self._frames.clear()
        if not self._frames:
            self._began_s = now_s
        self._frames.append(small.copy())
        return still

    def plate(self, now_s: float) -> "Plate | None":
        """The plate, once the time is over."""
        enough = len(self._frames) >= min(_SAMPLES, 3) and now_s - self._began_s >= self._learn_s
        if not enough:
            return None
        stack = np.stack(self._frames)
        median: Tensor = np.median(stack, axis=0)
        deviation = np.median(np.abs(stack - median), axis=0) * np.float32(_MAD_TO_SIGMA)
        return Plate(median, np.sqrt((deviation * deviation).sum(axis=0)))


@dataclass(frozen=True, slots=True)
class Difference:
    """One frame against the plate. vector: (3, h, w) frame - plate. room: (3, h, w) the plate as lit in this frame.

    changed: (h, w) where the difference is no noise. person: where it is no shadow either.
    """

    vector: Tensor
    room: Tensor
    changed: Mask
    person: Mask


class Plate:
    """The empty scene: colour (3, h, w) in [0, 1], and how far each pixel strays from it, (h, w)."""

    def __init__(self, color: Tensor, deviation: Tensor) -> None:
        self._color = color
        spread: Tensor = maximum_filter(deviation, 3) * np.float32(_DEVIATIONS)
        self._threshold = np.clip(spread, _DISTANCE, _DISTANCE_LIMIT).astype(np.float32)
        self._view = View(color.mean(axis=0))
        self._background_s = np.zeros(deviation.shape, np.float32)
        self._person = np.zeros(deviation.shape, np.bool_)
        self._seen_person = np.zeros_like(self._person)
        self._adapted_s: float | None = None
        self._gain = np.ones(3, np.float32)

    def difference(self, small: Tensor) -> Difference:
        """Compare (3, h, w) with the plate, the light of the whole scene evened out."""
        self._follow_gain(small)
        room = np.minimum(self._color * self._gain[:, None, None], np.float32(1.0))
        vector = small - room
        distance = np.einsum("chw,chw->hw", vector, vector)
        power = np.maximum(np.einsum("chw,chw->hw", room, room), 1e-4)
        brighter = np.einsum("chw,chw->hw", vector, room) / power
        limit = self._threshold * self._threshold
        changed = distance > limit
        beyond = np.maximum(np.abs(brighter) - _BRIGHTNESS_SHARE, 0.0)
        distance += (beyond * beyond - brighter * brighter) * power
        return Difference(vector, room, changed, distance > limit)

    def fit(self, small: Tensor) -> float:
        """How much of the scene's structure is where it was, 0..1; see View."""
        gray: Tensor = small.mean(axis=0)
        return self._view.fit(gray)

    def update(self, small: Tensor, person: Mask, now_s: float) -> None:
        """Remember where the person is; follow slow changes where no person has been for a while."""
        self._person = person
        self._seen_person |= person
        last_s, self._adapted_s = self._adapted_s, now_s
        if last_s is None:
            return
        elapsed_s = min(max(now_s - last_s, 0.0), _SETTLE_S)
        self._background_s += np.float32(elapsed_s)
        self._background_s[grown(self._seen_person, _PERSON_MARGIN_PX)] = 0.0
        self._seen_person[:] = False
        rate = np.where(self._background_s > _SETTLE_S, np.float32(elapsed_s / _ADAPT_S), np.float32(0.0))
        self._color += rate * (small / self._gain[:, None, None] - self._color)

    def _follow_gain(self, small: Tensor) -> None:
        """Light that changed on the whole scene, or the camera's own exposure and white balance."""
        room = ~self._person[::4, ::4]
        if np.count_nonzero(room) < room.size // 8:
            return
        known = np.maximum(self._color[:, ::4, ::4][:, room], np.float32(1.0 / 32.0))
        ratio = np.median(small[:, ::4, ::4][:, room] / known, axis=1)
        self._gain = np.clip(ratio, 0.6, 1.6).astype(np.float32)


def _moving(small: Tensor, before: Tensor) -> bool:
    """Whether something in the scene moved, or its light changed."""
    change = np.abs(uniform_filter(small - before, (0, 3, 3))).max(axis=0)
    typical = float(np.median(change))
    return (
        typical > _STEADY_DIFFERENCE
        or float(np.mean(change > _STEADY_DIFFERENCE + _STEADY_SPREAD * typical)) > _MOVING_SHARE
    )

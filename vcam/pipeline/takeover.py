"""When a new engine may take over from the one that runs: a rule over mattes, with no thread and no clock in it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from vcam.frame import Plane

_MOST_SAMPLES = 512 * 288
"""Of each matte, for the difference: more would find the same, and cost time that the engine wants."""


class Verdict(StrEnum):
    """WARMING: not yet. READY: the next frame may be the newcomer's. Never shall one that DISAGREES or is SLOWER."""

    WARMING = "warming"
    READY = "ready"
    DISAGREES = "disagrees"
    SLOWER = "slower"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a newcomer made of one frame.

    difference: of the two mattes, 0 to 1; infinite where there is none of the newcomer's, None where they cannot be
    compared. person: mean alpha of the running engine, 0 to 1; None likewise. pace: the time it took, where 1 is the
    longest that it may take.
    """

    difference: float | None
    person: float | None = None
    pace: float = 0.0


@dataclass(frozen=True, slots=True)
class TakeoverPolicy:
    """What a newcomer must show before viewers see it.

    agree_within: mean difference of alpha, 0 to 1, that nobody sees. Half precision moves alpha by 0.0006 on average,
    bfloat16 by 0.0035 at its worst; a person who is missing from the picture by 0.05 and more.
    agree_frames: so many frames in a row must agree. blind_frames: or so many in a row be finished, where mattes cannot
    be compared: another network sees another edge. frames_limit: a newcomer that is not ready by then never will be.
    nobody_below: mean alpha of a matte that shows nobody; agreeing on those proves nothing. pace_limit: a frame that
    took longer than this is as good as none, where mattes are compared: the same network, slower, is no gain.
    """

    agree_within: float = 0.01
    agree_frames: int = 8
    blind_frames: int = 30
    frames_limit: int = 300
    nobody_below: float = 0.01
    pace_limit: float = 1.0


class TakeoverRule:
    """Judges one newcomer by the frames that it and the running engine both saw."""

    def __init__(self, policy: TakeoverPolicy) -> None:
        self._policy = policy
        self._in_a_row = 0
        self._apart = self._slow = 0
        self.frames = 0
        self.last_difference: float | None = None

    def judge(self, seen: Seen) -> Verdict:
        """After each frame. One in which both engines see nobody does not count: an engine that finds nobody ever
        would pass it."""
        policy, difference = self._policy, seen.difference
        agrees = difference is None or difference <= policy.agree_within
        if agrees and seen.person is not None and seen.person < policy.nobody_below:
            return Verdict.WARMING
        slow = difference is not None and agrees and seen.pace > policy.pace_limit
        self.frames += 1
        self._apart += not agrees
        self._slow += slow
        self.last_difference = difference
        self._in_a_row = self._in_a_row + 1 if agrees and not slow else 0
        if self._in_a_row >= (policy.blind_frames if difference is None else policy.agree_frames):
            return Verdict.READY
        if self.frames < policy.frames_limit:
            return Verdict.WARMING
        return Verdict.SLOWER if self._slow > self._apart else Verdict.DISAGREES


def mean_alpha(alpha: Plane) -> float:
    """Of an alpha, (H, W) uint8, as 0 to 1."""
    return float(np.mean(_sampled(alpha))) / 255.0


def mean_difference(old: Plane, new: Plane) -> float:
    """Mean absolute difference of two alphas, (H, W) uint8, as 0 to 1; infinite where their sizes differ."""
    if old.shape != new.shape:
        return float("inf")
    a, b = _sampled(old), _sampled(new)
    return float(np.mean(np.maximum(a, b) - np.minimum(a, b))) / 255.0


def _sampled(alpha: Plane) -> Plane:
    step = max(1, round((alpha.size / _MOST_SAMPLES) ** 0.5))
    return alpha[::step, ::step]

"""The corrections along the person's edge in plain NumPy, float64: written from post.h's words, not its code."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from tests.native.reference import Array, encoded, packed, resized, rgb
from tests.native.reference import components as levels_of
from vcam.frame import Image, Levels, Plane, Window
from vcam.native import UNCHANGED
from vcam.stages import MatteControls

State: TypeAlias = npt.NDArray[np.float64]
"""(5, h, w): A and b of alpha, R, G, B."""

REACH = 2


@dataclass(frozen=True)
class Frame:
    """One frame: small (3, h, w), a and b (4, h, w), in float64."""

    small: Array
    a: Array
    b: Array
    levels: Levels = UNCHANGED
    window: Window | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.a.shape[1], self.a.shape[2]


def follow(frame: Frame, before: State | None, strength: float) -> State:
    """The state after a frame."""
    now: State = np.concatenate([frame.a[3:], frame.b[3:], frame.small])
    if before is None:
        return now
    difference = np.abs(frame.small - before[2:]).mean(axis=0)
    h, w = frame.size
    mean = np.array(
        [[difference[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].mean() for x in range(w)] for y in range(h)]
    )
    keep = 0.9 * strength * np.clip((0.045 - mean) / 0.03, 0.0, 1.0)
    return now + keep * (before - now)


def cells(frame: Frame) -> tuple[Array, Array, int]:
    """Line (5, rows, columns) and room (4, rows, columns) at full strength, and the nodes per side of a cell."""
    h, w = frame.size
    side = max(2, (max(h, w) + 42) // 85)
    alpha = _alpha(frame.a[3], frame.b[3], frame.small.mean(axis=0), frame.levels)
    room = _colours(frame.small, np.clip(1.0 - 2.5 * alpha, 0.0, 1.0), side)
    person = _colours(frame.small, np.clip(1.0 - 2.5 * (1.0 - alpha), 0.0, 1.0), side)
    d = person[:3] - room[:3]
    known = room[4] * person[4]
    square = (d * d).sum(axis=0)
    scale = known / (square + 0.5 * (room[3] + person[3]) + 4e-4)
    line = np.concatenate([scale * d, [-scale * (d * room[:3]).sum(axis=0)], [scale * square]])
    return line, np.concatenate([room[4] * room[:3], room[4:]]), side


def corrected(image: Image, frame: Frame, state: State, controls: MatteControls) -> tuple[Array, Array]:
    """alpha (H, W) and foreground (3, H, W) at the picture's resolution."""
    colour = rgb(image)
    a, b = _at(image, np.stack([frame.a[3], frame.b[3]]), frame.window)
    own = _alpha(a, b, colour.mean(axis=0), frame.levels)
    gain = _at(image, frame.a[:3], frame.window)
    foreground = np.clip(colour + gain * colour + _at(image, frame.b[:3], frame.window), 0.0, 1.0)
    doubt = np.clip(16.0 * own * (1.0 - own), 0.0, 1.0)
    alpha = own
    if controls.smoothing > 0:
        a, b = _at(image, state[:2], frame.window)
        smooth = _alpha(a, b, colour.mean(axis=0), frame.levels)
        alpha = own + doubt * (smooth - own)
    line, room, side = cells(frame)
    if controls.refine > 0:
        at = controls.refine * _cells_at(image, line, frame, side)
        on_line = (at[:3] * colour).sum(axis=0) + at[3]
        alpha = np.clip(alpha + doubt * (on_line - at[4] * alpha), 0.0, 1.0)
    if controls.despill > 0:
        at = controls.despill * _cells_at(image, room, frame, side)
        mixture = (1.0 - alpha) / np.maximum(alpha, 1.0 / 17.0)
        change = at[3] * (colour - foreground) + mixture * (at[3] * colour - at[:3])
        foreground = np.clip(foreground + doubt * change, 0.0, 1.0)
    return alpha, foreground


def composed(image: Image, matte: tuple[Array, Array], background: Image) -> tuple[Plane, ...]:
    """As tests.native.reference.composed, of an alpha and a foreground."""
    alpha, foreground = matte
    over, under = encoded(foreground, background.format), levels_of(background)
    return packed(alpha * over + (1.0 - alpha) * under, background.format)


def _alpha(a: Array, b: Array, gray: Array, levels: Levels) -> Array:
    return np.clip(levels.gain * (a * gray + b) + levels.offset, 0.0, 1.0)


def _at(image: Image, planes: Array, window: Window | None) -> Array:
    return resized(planes, image.format.height, image.format.width, window)


def _cells_at(image: Image, planes: Array, frame: Frame, side: int) -> Array:
    h, w = frame.size
    part = frame.window or Window(0, 0, w, h)
    in_cells = Window(part.x / side, part.y / side, part.width / side, part.height / side)
    return resized(planes, image.format.height, image.format.width, in_cells)


def _colours(small: Array, weight: Array, side: int) -> Array:
    """(5, rows, columns): mean R, G, B, variance, and 1 where they are known. A tent over (2 REACH + 1) cells."""
    moments = np.stack([*(weight * small), weight * (small * small).sum(axis=0), weight])
    _, h, w = moments.shape
    rows, columns = -(-h // side), -(-w // side)
    padded = np.zeros((5, rows * side, columns * side))
    padded[:, :h, :w] = moments
    sums = padded.reshape(5, rows, side, columns, side).sum(axis=(2, 4))
    mixed = np.zeros_like(sums)
    tent = [1.0, 2.0, 3.0, 2.0, 1.0]
    framed = np.pad(sums, ((0, 0), (REACH, REACH), (REACH, REACH)))
    for j, wy in enumerate(tent):
        for i, wx in enumerate(tent):
            mixed += wy * wx * framed[:, j : j + rows, i : i + columns]
    known = mixed[4] > 1e-4 * 81.0 * side * side
    share = np.where(known, mixed[4], 1.0)
    mean = np.where(known, mixed[:3] / share, 0.0)
    variance = np.where(known, np.maximum(mixed[3] / share - (mean * mean).sum(axis=0), 0.0), 0.0)
    return np.concatenate([mean, [variance], [known]])

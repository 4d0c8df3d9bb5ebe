"""Natural-looking moving pictures for checking a network: smooth light, a person's outline, texture, sensor noise."""

from collections.abc import Iterator

import numpy as np

from vcam.frame import Size, Tensor

_NOISE = 0.015
"""Also keeps flat areas from having no variance at all, where any guided filter is a division of rounding errors;
for the same reason no colour is so bright or dark that the noise would clip.
"""
_STEP = 0.012
"""Of the picture's width, per frame: a person who shifts in the chair."""


def moving_figure(size: Size, count: int, *, seed: int = 0) -> Iterator[Tensor]:
    """``count`` frames, (3, H, W) float32 RGB in [0, 1]; the same for the same arguments."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : size.height, 0 : size.width].astype(np.float32)
    y, x = y / size.height, x / size.height
    room = _room(x, y)
    centre = size.width / size.height / 2
    for index in range(count):
        shift = np.float32(centre + _STEP * index)
        picture = _draw_person(room, x - shift, y)
        picture = picture + rng.normal(0.0, _NOISE, picture.shape).astype(np.float32)
        yield np.clip(picture, 0.0, 1.0, out=picture)


def _room(x: Tensor, y: Tensor) -> Tensor:
    """A lit wall with a window and a shelf."""
    wall = 0.35 + 0.3 * np.exp(-((x - 0.3) ** 2 + (y - 0.2) ** 2) * 2) + 0.02 * np.sin(40 * x) * np.sin(31 * y)
    room = np.stack([wall * tint for tint in (1.0, 0.95, 0.85)]).astype(np.float32)
    room = _over(room, _box(x - 0.35, y - 0.3, 0.2, 0.2), (0.78, 0.85, 0.9))
    return _over(room, _box(x - 1.5, y % 0.2 - 0.1, 0.3, 0.012), (0.3, 0.2, 0.12))


def _draw_person(room: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Shoulders, neck, head, hair, eyes; ``x`` is measured from the person's axis."""
    shoulders = _disc(x, y - 1.05, 0.42, 0.42)
    neck = np.clip((0.09 - np.abs(x)) * 60, 0, 1) * np.clip((y - 0.5) * 30, 0, 1) * np.clip((0.75 - y) * 30, 0, 1)
    picture = _over(room, shoulders, (0.15, 0.22, 0.4))
    picture = _over(picture, neck.astype(np.float32), (0.75, 0.55, 0.45))
    picture = _over(picture, _disc(x, y - 0.38, 0.17, 0.215), (0.14, 0.09, 0.06))
    picture = _over(picture, _disc(x, y - 0.43, 0.135, 0.18), (0.8, 0.6, 0.5))
    for side in (-0.055, 0.055):
        picture = _over(picture, _disc(x - side, y - 0.41, 0.018, 0.012), (0.1, 0.07, 0.06))
    return picture


def _disc(x: Tensor, y: Tensor, half_width: float, half_height: float) -> Tensor:
    """Coverage of an ellipse with an edge a few hundredths wide."""
    distance = np.sqrt((x / half_width) ** 2 + (y / half_height) ** 2)
    coverage: Tensor = np.clip((1.0 - distance) * min(half_width, half_height) * 150, 0, 1).astype(np.float32)
    return coverage


def _box(x: Tensor, y: Tensor, half_width: float, half_height: float) -> Tensor:
    """Coverage of a rectangle with hard edges."""
    return ((np.abs(x) < half_width) & (np.abs(y) < half_height)).astype(np.float32)


def _over(picture: Tensor, coverage: Tensor, colour: tuple[float, float, float]) -> Tensor:
    paint = np.array(colour, dtype=np.float32)[:, None, None]
    blended: Tensor = (picture + (paint - picture) * coverage).astype(np.float32)
    return blended

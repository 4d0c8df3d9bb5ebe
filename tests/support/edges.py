"""Scenes whose alpha is known, mattes of several engines for them, and how far a result is from the truth."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import binary_dilation, gaussian_filter, uniform_filter

from vcam import native
from vcam.compose.cpu import FAINT
from vcam.engines.guided import guided_coefficients
from vcam.frame import AffineMatte, Image, PixelFormat, Plane, Size, Stamp, Tensor, VideoFormat
from vcam.sources.canvas import Rgb
from vcam.sources.test_scene import TestScene
from vcam.stages import MatteControls

SIZE = Size(640, 360)
FPS = 30.0
GREEN: Rgb = (0, 177, 64)
BLACK: Rgb = (0, 0, 0)
WHITE: Rgb = (255, 255, 255)
_EDGE_PX = 7
"""How far from where alpha is soft the edge reaches: what is measured, for the rest is nobody's question."""

_SEEN_PX = 5
"""Flicker is that of means over so many pixels a side: what is finer drowns in the picture's own noise."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One moment: the picture, its small version, a matte of it, and the true alpha (H, W)."""

    image: Image
    small: Tensor
    matte: AffineMatte
    alpha: Tensor

    @property
    def edge(self) -> npt.NDArray[np.bool_]:
        """(H, W): where the true alpha is soft, and around."""
        soft = (self.alpha > 0.004) & (self.alpha < 0.996)
        edge: npt.NDArray[np.bool_] = binary_dilation(soft, iterations=_EDGE_PX)
        return edge


def picture(rgb: Plane, sequence: int) -> Image:
    """(H, W, 3) as an Image."""
    fmt = VideoFormat(PixelFormat.RGB24, rgb.shape[1], rgb.shape[0])
    return Image(
        (np.ascontiguousarray(rgb).reshape(rgb.shape[0], -1),), fmt, Stamp(round(sequence * 1e9 / FPS), sequence)
    )


def sampled(image: Image, size: Size) -> Tensor:
    small = np.zeros((3, size.height, size.width), np.float32)
    native.sample(image, small)
    return small


def noisy(rgb: Plane, sigma: float, seed: int) -> Plane:
    """With a sensor's noise: the same on all channels, and half as much on each."""
    rng = np.random.default_rng(seed)
    grey, each = rng.normal(0.0, sigma, (*rgb.shape[:2], 1)), rng.normal(0.0, 0.5 * sigma, rgb.shape)
    noise: Plane = np.clip(rgb + grey + each + 0.5, 0, 255).astype(np.uint8)
    return noise


def coarse_mask(shot_alpha: Tensor, small: Tensor) -> tuple[Tensor, Tensor]:
    """A and b as a mask network's: a soft outline that knows nothing of hair, through the guided filter."""
    _, h, w = small.shape
    step = shot_alpha.shape[0] // h
    mask = shot_alpha[: h * step, : w * step].reshape(h, step, w, step).mean(axis=(1, 3))
    mask = np.clip((gaussian_filter(mask, 1.0) - 0.5) * 1.3 + 0.5, 0.0, 1.0).astype(np.float32)
    a, b = np.zeros((4, h, w), np.float32), np.zeros((4, h, w), np.float32)
    guided_coefficients(small.mean(axis=0), mask, radius=4, eps=1e-4, a=a, b=b)
    return a, b


def coarse_shots(scene: TestScene, sequences: range, size: Size) -> Iterator[Shot]:
    """The scene as a mask network sees it."""
    for sequence in sequences:
        image = picture(scene.picture(sequence), sequence)
        small, alpha = sampled(image, size), scene.alpha(sequence)
        yield Shot(image, small, AffineMatte(*coarse_mask(alpha, small), image.stamp), alpha)


@dataclass(frozen=True, slots=True)
class Result:
    """alpha (H, W); composed: (H, W, 3) over each backdrop that was asked for."""

    alpha: Tensor
    composed: tuple[Plane, ...]


class Corrector:
    """Runs shots through native.PersonEdge, in their order."""

    def __init__(self, size: Size, controls: MatteControls) -> None:
        self._edge = native.PersonEdge(size)
        self._controls = controls

    def correct(self, shot: Shot, backdrops: tuple[Rgb, ...] = ()) -> Result:
        self._edge.prepare(shot.small, shot.matte, self._controls, levels=FAINT)
        alpha = np.empty(shot.alpha.shape, np.float32)
        self._edge.alpha(shot.image, alpha)
        return Result(alpha, tuple(self._over(shot.image, colour) for colour in backdrops))

    def _over(self, image: Image, colour: Rgb) -> Plane:
        backdrop = np.tile(np.array(colour, np.uint8), (image.format.height, image.format.width))
        out = np.empty_like(backdrop)
        self._edge.compose(image, Image((backdrop,), image.format, image.stamp), (out,))
        return out.reshape(image.format.height, image.format.width, 3)


def alpha_error(shot: Shot, alpha: Tensor) -> float:
    """Mean absolute error along the edge, in thousandths."""
    return float(np.abs(alpha - shot.alpha)[shot.edge].mean() * 1e3)


def colour_error(shot: Shot, composed: Plane, truth: Plane) -> float:
    """Mean absolute error along the edge, in levels of 255."""
    return float(np.abs(composed.astype(np.int16) - truth)[shot.edge].mean())


def flicker(now: Tensor, before: Tensor, edge: npt.NDArray[np.bool_]) -> float:
    """Mean change of alpha along the edge, of means over _SEEN_PX squares, in thousandths."""
    change: Tensor = uniform_filter(now - before, _SEEN_PX)
    return float(np.abs(change)[edge].mean() * 1e3)

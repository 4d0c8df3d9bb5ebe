"""The guided filter against a naive reference, and how sharp it keeps an edge at full size."""

import numpy as np
import pytest
from scipy.ndimage import zoom

from tests.support.affine import full_alpha
from vcam.engines.guided import guided_coefficients
from vcam.frame import Tensor


def _filtered(gray: Tensor, mask: Tensor, *, radius: int, eps: float) -> tuple[Tensor, Tensor]:
    a = np.full((4, *gray.shape), np.nan, np.float32)
    b = np.full_like(a, np.nan)
    guided_coefficients(gray, mask, radius=radius, eps=eps, a=a, b=b)
    return a, b


def _naive(
    gray: np.ndarray[tuple[int, int], np.dtype[np.float64]], mask: Tensor, radius: int, eps: float
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """He et al., equations 5, 6 and 8, window by window."""
    h, w = gray.shape
    slope, offset = np.zeros((h, w)), np.zeros((h, w))
    windows = [
        [(slice(max(y - radius, 0), y + radius + 1), slice(max(x - radius, 0), x + radius + 1)) for x in range(w)]
        for y in range(h)
    ]
    for y in range(h):
        for x in range(w):
            i, p = gray[windows[y][x]], mask[windows[y][x]].astype(np.float64)
            slope[y, x] = ((i * p).mean() - i.mean() * p.mean()) / (i.var() + eps)
            offset[y, x] = p.mean() - slope[y, x] * i.mean()
    a = np.array([[slope[window].mean() for window in row] for row in windows])
    b = np.array([[offset[window].mean() for window in row] for row in windows])
    return a, b


@pytest.mark.parametrize("radius", [1, 3])
def test_equals_the_formula_window_by_window(radius: int) -> None:
    rng = np.random.default_rng(1)
    gray = rng.random((17, 23), np.float32)
    mask = (rng.random((17, 23)) > 0.5).astype(np.float32)
    a, b = _filtered(gray, mask, radius=radius, eps=1e-3)
    want_a, want_b = _naive(gray.astype(np.float64), mask, radius, 1e-3)
    assert np.abs(a[3] - want_a).max() < 2e-5
    assert np.abs(b[3] - want_b).max() < 2e-5
    assert not a[:3].any()
    assert not b[:3].any()


@pytest.mark.parametrize("level", [0.0, 0.37, 1.0])
def test_a_constant_mask_gives_that_alpha_everywhere(level: float) -> None:
    gray = np.random.default_rng(2).random((40, 60), np.float32)
    a, b = _filtered(gray, np.full_like(gray, level), radius=2, eps=1e-4)
    assert np.abs(full_alpha(a, b, zoom(gray, 3, order=1).astype(np.float32)) - level).max() < 1e-3


def _edge_width_px(radius: int, eps: float) -> float:
    """Full-size pixels over which alpha goes from 0.1 to 0.9 at a step between two flats, 1280 wide, mask 320 wide.

    The step falls inside a mask pixel: the mask and the small picture hold half of it there.
    """
    scale, w, h, at = 4, 320, 24, 642
    full = np.where(np.arange(w * scale) < at, 0.35, 0.65).astype(np.float32)[None].repeat(h * scale, 0)
    small = full.reshape(h, scale, w, scale).mean((1, 3))
    a, b = _filtered(small, (small - 0.35) / 0.3, radius=radius, eps=eps)
    row = full_alpha(a, b, full)[h * scale // 2]
    return float(np.count_nonzero((row > 0.1) & (row < 0.9)))


def test_an_ideal_edge_stays_sharp_at_full_size() -> None:
    assert _edge_width_px(2, 1e-4) == 0.0
    smeared = _edge_width_px(8, 0.1)
    assert smeared >= 12.0, "a large eps treats the edge as texture: the measure must see that"


def test_the_mask_may_be_rougher_than_the_edge() -> None:
    """A mask that is one pixel off is pulled back to the edge that the picture shows."""
    gray = np.where(np.arange(64) < 32, 0.3, 0.7).astype(np.float32)[None].repeat(32, 0)
    mask = (np.arange(64) >= 33).astype(np.float32)[None].repeat(32, 0)
    a, b = _filtered(gray, mask, radius=3, eps=1e-4)
    alpha = np.clip(a[3] * gray + b[3], 0.0, 1.0)[16]
    assert alpha[32] > 0.6, "the pixel that the mask missed"
    assert alpha[31] < 0.2

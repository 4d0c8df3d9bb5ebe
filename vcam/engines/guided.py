"""The guided filter: turns a small mask into the affine coefficients that compose evaluates at full size.

K. He, J. Sun, X. Tang: Guided Image Filtering, ECCV 2010, equations 5, 6 and 8. Evaluating the averaged coefficients
on the full-size picture is its fast form (He, Sun: Fast Guided Filter, arXiv 1505.00996).
"""

import numpy as np
from scipy.ndimage import uniform_filter

from vcam.frame import Tensor


def guided_coefficients(gray: Tensor, mask: Tensor, *, radius: int, eps: float, a: Tensor, b: Tensor) -> None:
    """Fill a and b, (4, h, w) float32, so that alpha = a[3] * gray + b[3] follows ``mask`` and the edges of ``gray``.

    gray: (h, w) float32 in [0, 1], mean of R, G and B. mask: (h, w) float32 in [0, 1]. The foreground is the camera's
    own pixel: a[:3] and b[:3] become 0.
    radius: half side of the window, in pixels of the mask; where ``gray`` shows no edge, alpha blurs over about
    2 * radius. eps: variance of ``gray`` below which a window counts as flat; an edge of contrast c stays sharp while
    c * c / 4 is well above it.
    """
    mean_gray = _window_mean(gray, radius)
    mean_mask = _window_mean(mask, radius)
    variance = _window_mean(gray * gray, radius) - mean_gray * mean_gray
    covariance = _window_mean(gray * mask, radius) - mean_gray * mean_mask
    np.maximum(variance, 0.0, out=variance)
    variance += np.float32(eps)
    slope: Tensor = np.divide(covariance, variance, dtype=np.float32)
    a[:3] = 0.0
    b[:3] = 0.0
    a[3] = _window_mean(slope, radius)
    b[3] = _window_mean(mean_mask - slope * mean_gray, radius)


def _window_mean(values: Tensor, radius: int) -> Tensor:
    """Mean over the part of each (2 radius + 1) square that lies inside the picture."""
    total: Tensor = uniform_filter(values, 2 * radius + 1, mode="constant")
    h, w = values.shape
    total *= _missing(h, radius)[:, None]
    total *= _missing(w, radius)[None, :]
    return total


def _missing(length: int, radius: int) -> Tensor:
    """Side of the window over how much of it lies inside [0, length), per position: undoes the zeros outside."""
    at = np.arange(length)
    inside = np.minimum(at + radius, length - 1) - np.maximum(at - radius, 0) + 1
    return ((2 * radius + 1) / inside).astype(np.float32)

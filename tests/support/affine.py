"""A matte evaluated at full size, in NumPy: what compose does natively."""

import numpy as np
import numpy.typing as npt

from vcam.frame import Tensor


def full_alpha(a: Tensor, b: Tensor, gray: Tensor) -> Tensor:
    """(H, W) alpha of coefficients (4, h, w) on ``gray`` (H, W): bilinear at half-pixel centres, edges held."""
    alpha: Tensor = np.clip(resized(a[3], gray.shape) * gray + resized(b[3], gray.shape), 0.0, 1.0)
    return alpha


def resized(plane: Tensor, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    """``plane`` (h, w) at another shape: bilinear at half-pixel centres, edges held."""
    y0, y1, fy = _taps(plane.shape[0], shape[0])
    x0, x1, fx = _taps(plane.shape[1], shape[1])
    rows = plane[y0] + (plane[y1] - plane[y0]) * fy[:, None]
    resized: npt.NDArray[np.float32] = rows[:, x0] + (rows[:, x1] - rows[:, x0]) * fx
    return resized


def _taps(small: int, large: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    at = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0.0, small - 1.0)
    low = at.astype(np.intp)
    return low, np.minimum(low + 1, small - 1), (at - low).astype(np.float32)

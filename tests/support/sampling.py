"""What an engine is given: a picture made small, in NumPy."""

import numpy as np

from tests.support.affine import resized
from vcam.frame import Plane, Size, Tensor


def small_rgb(picture: Plane, size: Size) -> Tensor:
    """(3, h, w) float32 in [0, 1] of an RGB picture (H, W, 3): bilinear at half-pixel centres, as ``sample`` does."""
    planes = picture.transpose(2, 0, 1).astype(np.float32) / np.float32(255.0)
    return np.stack([resized(plane, (size.height, size.width)) for plane in planes])


def gray(picture: Plane) -> Tensor:
    """(H, W) float32 in [0, 1], mean of R, G and B."""
    mean: Tensor = picture.mean(axis=2, dtype=np.float32) / np.float32(255.0)
    return mean

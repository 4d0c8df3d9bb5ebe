"""Cleaning of binary masks by size and by neighbourhood."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Mask: TypeAlias = npt.NDArray[np.bool_]
"""(h, w) bool."""


def without_small_parts(mask: Mask, smallest: int) -> Mask:
    """The mask without its connected parts of fewer than ``smallest`` pixels."""
    labels, count = ndimage.label(mask)
    if not count:
        return mask
    keep = np.bincount(labels.ravel()) >= smallest
    keep[0] = False
    kept: Mask = keep[labels]
    return kept


def grown(mask: Mask, pixels: int = 1) -> Mask:
    """The mask and all within ``pixels`` of it, diagonals included."""
    for _ in range(pixels):
        tall = mask.copy()
        tall[1:] |= mask[:-1]
        tall[:-1] |= mask[1:]
        mask = tall.copy()
        mask[:, 1:] |= tall[:, :-1]
        mask[:, :-1] |= tall[:, 1:]
    return mask


def shrunk(mask: Mask, pixels: int = 1) -> Mask:
    """The mask without what is within ``pixels`` of its outside; the picture's border is not outside."""
    return ~grown(~mask, pixels)

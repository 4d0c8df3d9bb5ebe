"""Frames for cameras: still colour bars with a number on top, which a reader in the guest finds again."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.vm.inside.reader import BLOCKS, MARK

BITS = BLOCKS - len(MARK)
BARS = ((180, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58), (84, 184, 198), (65, 100, 212), (35, 212, 114))
"""75 % bars, limited range BT.601: Y, Cb, Cr."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Shape:
    """A camera's mode."""

    fourcc: str = "YUYV"
    width: int = 320
    height: int = 180
    fps: tuple[int, ...] = (5,)


def yuyv(width: int, height: int, number: int) -> Picture:
    """(H, W, 2): bars under the number's blocks."""
    picture = np.empty((height, width, 2), np.uint8)
    stripes = np.array(BARS, np.uint8)[np.arange(width) * len(BARS) // width]
    picture[..., 0] = stripes[:, 0]
    picture[:, 0::2, 1] = stripes[0::2, 1]
    picture[:, 1::2, 1] = stripes[0::2, 2]
    bits = [*MARK, *(number >> shift & 1 for shift in reversed(range(BITS)))]
    row = np.repeat(np.array(bits, np.uint8) * 180 + 40, width // BLOCKS)
    picture[: height // 8, :, 0] = 40
    picture[: height // 8, : len(row), 0] = row
    picture[: height // 8, :, 1] = 128
    return picture


def jpeg(width: int, height: int, number: int) -> bytes:
    """The same as a camera's JPEG, 4:2:2."""
    picture = yuyv(width, height, number)
    chroma = picture[:, :, 1].reshape(height, width // 2, 2).repeat(2, axis=1)
    ycbcr = Image.fromarray(np.dstack((picture[..., 0], chroma)), "YCbCr")
    output = io.BytesIO()
    ycbcr.save(output, "jpeg", quality=90, subsampling=1)
    return output.getvalue()


def write_frames(folder: Path, shape: Shape, count: int) -> None:
    """COUNT frames with the numbers from 0 on."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        made = jpeg if shape.fourcc == "MJPG" else lambda *a: yuyv(*a).tobytes()
        (folder / f"{number:04}").write_bytes(made(shape.width, shape.height, number))

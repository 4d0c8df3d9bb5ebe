"""What a layer's file shows: a picture, or an animation, as pictures with alpha that fit into memory."""

import warnings
from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageChops

from vcam.errors import MediaError
from vcam.frame import Size
from vcam.scene.animation import read_layers
from vcam.scene.picture_file import DAMAGE, load_rgba

_MOST_PICTURES = 300
_MOST_READ_PIXELS = 300_000_000
"""Some seconds of decoding."""
_MOST_KEPT_PIXELS = 16_000_000
"""Of all pictures of an animation together: 64 MB, and for each output up to 96 MB."""
_STEP = 0.7


@dataclass(frozen=True, slots=True)
class Frames:
    """RGBA pictures. size: their own in the file; they may be kept smaller. ends_ns: when each ends, from the beginning
    of the first."""

    size: Size
    pictures: tuple[Pillow.Image, ...]
    ends_ns: tuple[int, ...]

    def at(self, pts_ns: int) -> int:
        """Which one is shown at that time; they begin again at the end."""
        return bisect_right(self.ends_ns, pts_ns % self.ends_ns[-1])


def load_frames(path: Path, mask: Path | None) -> Frames:
    """Of a still picture one, shown for ever. mask: see LayerSpec. Raises MediaError."""
    if _moves(path):
        size, timed = _bounded(path)
    else:
        still = load_rgba(path)
        size, timed = Size(*still.size), [(still, 1)]
    pictures = [picture for picture, _ in timed]
    if mask is not None:
        cover = load_rgba(mask)
        pictures = [_masked(picture, cover) for picture in pictures]
    return Frames(size, tuple(pictures), tuple(accumulate(duration_ns for _, duration_ns in timed)))


def cover_of(mask: Pillow.Image, size: tuple[int, int]) -> Pillow.Image:
    """The brightness of a mask (RGBA), and its alpha, as one channel of that size."""
    black = Pillow.new("RGBA", mask.size, (0, 0, 0, 255))
    return Pillow.alpha_composite(black, mask).convert("L").resize(size, Pillow.Resampling.BILINEAR)


def _moves(path: Path) -> bool:
    """What cannot be read does not; the reader of pictures then says why."""
    try:
        if not path.is_file():
            return False
        with warnings.catch_warnings(action="ignore"), Pillow.open(path, formats=("GIF", "WEBP")) as opened:
            return getattr(opened, "n_frames", 1) > 1
    except (*DAMAGE, Pillow.DecompressionBombError):
        return False


def _bounded(path: Path) -> tuple[Size, list[tuple[Pillow.Image, int]]]:
    """The size of an animation's pictures, and all of them, smaller where together they would take too much memory."""
    size = Size(1, 1)
    timed: list[tuple[Pillow.Image, int]] = []
    scale, read_pixels = 1.0, 0
    for picture, duration_ns in read_layers(path):
        size = Size(*picture.size)
        read_pixels += size.width * size.height
        if len(timed) == _MOST_PICTURES or read_pixels > _MOST_READ_PIXELS:
            raise MediaError(
                f"{path} is too long for a layer: it has more than {len(timed)} pictures of {size}",
                hint="leave out every second picture, or make it shorter or smaller",
                path=str(path),
            )
        timed.append((_shrunk(picture, scale), duration_ns))
        while len(timed) * size.width * size.height * scale**2 > _MOST_KEPT_PIXELS:
            scale *= _STEP
            timed = [(_shrunk(kept, _STEP), lasts_ns) for kept, lasts_ns in timed]
    return size, timed


def _shrunk(picture: Pillow.Image, scale: float) -> Pillow.Image:
    if scale == 1.0:
        return picture
    size = (max(1, round(scale * picture.width)), max(1, round(scale * picture.height)))
    return picture.resize(size, Pillow.Resampling.BILINEAR)


def _masked(picture: Pillow.Image, mask: Pillow.Image) -> Pillow.Image:
    """Alpha times what the mask covers; it is stretched over the picture."""
    masked = picture.copy()
    masked.putalpha(ImageChops.multiply(picture.getchannel("A"), cover_of(mask, picture.size)))
    return masked

"""What a layer's file shows: a picture, or an animation, as pictures with alpha that fit into memory."""

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageChops

from vcam.scene.picture_file import load_rgba


@dataclass(frozen=True, slots=True)
class Frames:
    """RGBA pictures of one size. ends_ns: when each ends, from the beginning of the first."""

    pictures: tuple[Pillow.Image, ...]
    ends_ns: tuple[int, ...]

    def at(self, pts_ns: int) -> int:
        """Which one is shown at that time; they begin again at the end."""
        return bisect_right(self.ends_ns, pts_ns % self.ends_ns[-1])


def load_frames(path: Path, mask: Path | None) -> Frames:
    """Of a still picture one, shown for ever. mask: see LayerSpec. Raises MediaError."""
    timed = [(load_rgba(path), 1)]
    pictures = [picture for picture, _ in timed]
    if mask is not None:
        cover = load_rgba(mask)
        pictures = [_masked(picture, cover) for picture in pictures]
    return Frames(tuple(pictures), tuple(accumulate(duration_ns for _, duration_ns in timed)))


def _masked(picture: Pillow.Image, mask: Pillow.Image) -> Pillow.Image:
    """Alpha times the brightness of the mask (and its alpha), which is stretched over the picture."""
    black = Pillow.new("RGBA", mask.size, (0, 0, 0, 255))
    cover = Pillow.alpha_composite(black, mask).convert("L").resize(picture.size, Pillow.Resampling.BILINEAR)
    masked = picture.copy()
    masked.putalpha(ImageChops.multiply(picture.getchannel("A"), cover))
    return masked

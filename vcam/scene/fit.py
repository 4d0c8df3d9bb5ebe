"""How a picture of one shape fills another."""

from enum import StrEnum

from PIL import Image as Pillow
from PIL import ImageOps

from vcam.frame import Size


class Fit(StrEnum):
    """cover: fill the target, cut what hangs over. contain: show all, bars beside it. stretch: distort.
    tile: repeat at its own size, from the top left corner."""

    COVER = "cover"
    CONTAIN = "contain"
    STRETCH = "stretch"
    TILE = "tile"


def fitted(picture: Pillow.Image, size: Size, fit: Fit, fill: tuple[int, int, int]) -> Pillow.Image:
    """A new RGB picture of that size; ``fill`` shows where ``picture`` (RGB) does not reach."""
    wanted = (size.width, size.height)
    match fit:
        case Fit.COVER:
            return ImageOps.fit(picture, wanted, Pillow.Resampling.LANCZOS)
        case Fit.CONTAIN:
            return ImageOps.pad(picture, wanted, Pillow.Resampling.LANCZOS, color=fill)
        case Fit.STRETCH:
            return picture.resize(wanted, Pillow.Resampling.LANCZOS)
        case Fit.TILE:
            tiled = Pillow.new("RGB", wanted, fill)
            for y in range(0, size.height, picture.height):
                for x in range(0, size.width, picture.width):
                    tiled.paste(picture, (x, y))
            return tiled

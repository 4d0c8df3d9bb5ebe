"""How a picture of one shape fills another."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from PIL import Image as Pillow
from PIL import ImageOps

from vcam.frame import Size, Window
from vcam.scene.anchor import Anchor

Rgb: TypeAlias = tuple[int, int, int]
"""Each 0..255."""


class Fit(StrEnum):
    """cover: fill the target, cut what hangs over. contain: show all, bars beside it. stretch: distort.
    tile: repeat at its own size."""

    COVER = "cover"
    CONTAIN = "contain"
    STRETCH = "stretch"
    TILE = "tile"


@dataclass(frozen=True, slots=True)
class Placing:
    """anchor: which part stays with cover; where it stands with contain; where one tile stands exactly.

    fill: what shows where the picture is transparent or does not reach.
    """

    fit: Fit = Fit.COVER
    anchor: Anchor = Anchor.CENTER
    fill: Rgb = (0, 0, 0)


def fitted(picture: Pillow.Image, size: Size, placing: Placing) -> Pillow.Image:
    """A new RGB picture of that size."""
    wanted, smooth = (size.width, size.height), Pillow.Resampling.LANCZOS
    match placing.fit:
        case Fit.COVER:
            return ImageOps.fit(picture, wanted, smooth, centering=placing.anchor.fraction)
        case Fit.CONTAIN:
            return ImageOps.pad(picture, wanted, smooth, color=placing.fill, centering=placing.anchor.fraction)
        case Fit.STRETCH:
            return picture.resize(wanted, smooth)
        case Fit.TILE:
            tiled = Pillow.new("RGB", wanted, placing.fill)
            for corner in tile_corners(Size(*picture.size), size, placing.anchor):
                tiled.paste(picture, corner)
            return tiled


def tile_corners(tile: Size, target: Size, anchor: Anchor) -> list[tuple[int, int]]:
    """(x, y) of the tiles that cover the target, one of them exactly at the anchor; those at the rim hang over."""
    across, down = anchor.fraction
    left = _first(tile.width, round(across * (target.width - tile.width)))
    top = _first(tile.height, round(down * (target.height - tile.height)))
    return [(x, y) for y in range(top, target.height, tile.height) for x in range(left, target.width, tile.width)]


def _first(side: int, place: int) -> int:
    return place - side * math.ceil(place / side)


def cover_window(picture: Size, shown: Size, target: Size, anchor: Anchor) -> Window:
    """The part of ``picture``, in its pixels, that covers the target.

    shown: the shape that it is meant to have, which pixels that are not square make another than its own.
    """
    scale = min(shown.width / target.width, shown.height / target.height)
    width = picture.width * min(scale * target.width / shown.width, 1.0)
    height = picture.height * min(scale * target.height / shown.height, 1.0)
    across, down = anchor.fraction
    return Window(across * (picture.width - width), down * (picture.height - height), width, height)


def contained(shown: Size, target: Size, anchor: Anchor) -> tuple[int, int, Size]:
    """(x, y, size) of the whole of it in the target."""
    scale = min(target.width / shown.width, target.height / shown.height)
    size = Size(max(1, round(scale * shown.width)), max(1, round(scale * shown.height)))
    across, down = anchor.fraction
    return round(across * (target.width - size.width)), round(down * (target.height - size.height)), size

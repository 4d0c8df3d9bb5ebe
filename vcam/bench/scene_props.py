"""What scenes are measured and shown with, drawn here so that nothing is needed: picture, film, podium, badge."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter, ImageFont

from vcam.frame import Image, PixelFormat, Plane, Size, Stamp, Tensor, VideoFormat
from vcam.media_writer import ContainerWriter
from vcam.scene.encode import encode_rgb

_FILM_FPS = 25
_FILM_S = 2
_HORIZON = 0.58
_SUPERSAMPLING = 4
_PICTURES, _PICTURE_MS = 12, 80
"""Of animations."""


@dataclass(frozen=True, slots=True)
class Props:
    """Files. animation: a WebP, small. slides: a folder. podium: a PNG with alpha. badge: an animated GIF."""

    picture: Path
    film: Path
    animation: Path
    slides: Path
    podium: Path
    badge: Path


def make_props(folder: Path, size: Size) -> Props:
    """Draw them all into a folder; the film has that size. Raises OSError."""
    props = Props(
        picture=folder / "sea.png",
        film=folder / "sea.mp4",
        animation=folder / "sea.webp",
        slides=folder / "slides",
        podium=folder / "podium.png",
        badge=folder / "badge.gif",
    )
    evening = sea(size, 0.0)
    Pillow.fromarray(evening).save(props.picture)
    props.slides.mkdir(exist_ok=True)
    for k, order in enumerate(((1, 0, 2), (2, 1, 0))):  # the same in other light
        Pillow.fromarray(evening[..., order]).save(props.slides / f"{k}.png")
    _film(props.film, size)
    podium(size).save(props.podium)
    small = Size(size.width // 4, size.height // 4)
    _animation(props.animation, [Pillow.fromarray(sea(small, k / _PICTURES)) for k in range(_PICTURES)])
    _animation(props.badge, [badge(k / _PICTURES) for k in range(_PICTURES)])
    return props


def sea(size: Size, phase: float) -> Plane:
    """(H, W, 3): an evening at the sea. phase: 0..1, after which the waves begin again."""
    y, x = np.mgrid[0 : size.height, 0 : size.width].astype(np.float32)
    y, x = y / size.height, (x - 0.82 * size.width) / size.height
    sky = _mixed((38, 62, 112), (250, 178, 120), (y / _HORIZON).clip(0.0, 1.0) ** 1.4)
    distance = np.hypot(x, y - 0.43)
    sky += np.exp(-((distance / 0.16) ** 2))[..., None] * _rgb(70, 40, 10)
    sun = ((0.075 - distance) * size.height + 0.5).clip(0.0, 1.0)[..., None]
    sky += sun * (_rgb(255, 236, 196) - sky)
    depth = ((y - _HORIZON) / (1.0 - _HORIZON)).clip(0.0, 1.0)
    water = _mixed((196, 138, 118), (20, 46, 82), depth**0.6)
    waves = _waves(x, depth, phase)
    water += waves[..., None] * _rgb(26, 26, 28)
    glitter = np.exp(-((x / (0.06 + 0.22 * depth)) ** 2)) * ((waves - 0.2) * 4.0).clip(0.0, 1.0) * (1.0 - 0.6 * depth)
    water += glitter[..., None] * _rgb(120, 88, 46)
    picture: Plane = np.where((y < _HORIZON)[..., None], sky, water).clip(0.0, 255.0).astype(np.uint8)
    return picture


def podium(size: Size) -> Pillow.Image:
    """RGBA: the front of a desk, to stand before the person, 7/10 of the width."""
    width, height = round(0.7 * size.width), round(0.20 * size.height)
    large = (width * _SUPERSAMPLING, height * _SUPERSAMPLING)
    board = 0.30 * large[1]
    sheet = Pillow.new("RGBA", large)
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((0.03 * large[0], 0.5 * board, 0.97 * large[0], large[1]), fill=(74, 46, 30, 255))
    for k in range(1, 7):
        x = (0.03 + 0.94 * k / 7) * large[0]
        draw.line((x, board, x, large[1]), fill=(58, 35, 22, 255), width=_SUPERSAMPLING * 2)
    draw.rectangle((0.03 * large[0], board, 0.97 * large[0], 1.35 * board), fill=(48, 29, 18, 255))
    draw.rounded_rectangle((0, 0, large[0] - 1, board), radius=0.3 * board, fill=(126, 82, 52, 255))
    draw.rounded_rectangle((0, 0, large[0] - 1, 0.42 * board), radius=0.2 * board, fill=(158, 108, 70, 255))
    return sheet.resize((width, height), Pillow.Resampling.BOX)


def badge(phase: float) -> Pillow.Image:
    """RGBA: LIVE, with a dot that pulses."""
    side = 64 * _SUPERSAMPLING
    sheet = Pillow.new("RGBA", (round(2.3 * side), side))
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle((0, 0, sheet.width - 1, side - 1), radius=0.3 * side, fill=(214, 40, 57, 255))
    glow = round(150 + 105 * math.cos(2.0 * math.pi * phase))
    draw.ellipse((0.26 * side, 0.34 * side, 0.58 * side, 0.66 * side), fill=(255, glow, glow, 255))
    draw.text((0.74 * side, 0.5 * side), "LIVE", fill="white", font=ImageFont.load_default(0.56 * side), anchor="lm")
    return sheet.resize((sheet.width // _SUPERSAMPLING, 64), Pillow.Resampling.BOX).filter(ImageFilter.SHARPEN)


def _animation(path: Path, pictures: Sequence[Pillow.Image]) -> None:
    first, *others = pictures
    first.save(path, save_all=True, append_images=others, duration=_PICTURE_MS, loop=0, disposal=2)


def _film(path: Path, size: Size) -> None:
    fmt = VideoFormat(PixelFormat.I420, size.width, size.height)
    writer = ContainerWriter(path, "mp4", fmt, Fraction(_FILM_FPS))
    pictures = _FILM_FPS * _FILM_S
    for k in range(pictures):
        planes = encode_rgb(sea(size, k / pictures), fmt)
        writer.write(Image(planes, fmt, Stamp(0, k)), round(k * 1e9 / _FILM_FPS))
    writer.close()


def _mixed(first: tuple[int, int, int], second: tuple[int, int, int], share: Tensor) -> Tensor:
    """(H, W, 3)"""
    return np.asarray(_rgb(*first) + share[..., None] * (_rgb(*second) - _rgb(*first)), np.float32)


def _rgb(*levels: float) -> Tensor:
    return np.asarray(levels, np.float32)


def _waves(x: Tensor, depth: Tensor, phase: float) -> Tensor:
    """-1..1, finer towards the horizon; whole turns of phase are the same."""
    turn = 2.0 * math.pi * phase
    far = 1.0 / (0.08 + depth)
    total = np.sin(9.0 * x * far + 24.0 * far + turn) + np.sin(-5.0 * x * far + 17.0 * far + 2.0 * turn)
    total += np.sin(13.0 * x * far - 31.0 * far - 3.0 * turn)
    return np.asarray(total / 3.0, np.float32)

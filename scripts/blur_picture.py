"""Draw docs/blur.jpg: vcam's blur beside a plain blur of the whole picture, with the same strength and matte.

Usage: .venv/bin/python scripts/blur_picture.py [--model MODEL] [docs/blur.jpg]

The person is NASA's public-domain portrait of Eileen Collins, which scikit-image ships.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from skimage import data

from vcam import native
from vcam.config import Config
from vcam.frame import Image as Picture
from vcam.frame import PixelFormat, Plane, Range, Size, Stamp, VideoFormat, allocate_planes
from vcam.pipeline.assemble_engine import EngineRoom
from vcam.pipeline.assemble_model import silent
from vcam.pipeline.preparation import Preparation
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import Scene, StageTimes

SIDE = 720
STRENGTH = 60.0
FRAMES = 12
"""So many times the network sees the still, until its memory has settled."""
DETAILS = ((150, 60), (455, 300))
"""Left and top of what is shown larger: beside the hair, and beside the shoulder."""
DETAIL = 180

MARGIN, GAP, HEADER = 28, 16, 64
PAPER, INK, FAINT = (23, 25, 30), (244, 245, 248), (150, 157, 170)
RGB = VideoFormat(PixelFormat.RGB24, SIDE, SIDE)
CAMERA = VideoFormat(PixelFormat.I444, SIDE, SIDE, range=Range.FULL)


def main(path: Path, model: str | None) -> None:
    """Draw it."""
    still = cv2.resize(data.astronaut(), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    ours, alpha = blurred(still, model)
    sheet(ours, plain(still, alpha)).save(path, quality=88, optimize=True)


def blurred(rgb: Plane, model: str | None) -> tuple[Plane, Plane]:
    """What vcam makes of (H, W, 3), and the alpha it found, (H, W)."""
    config = Config(model=model, quality="high", input="test:", output=("null:",))
    room = EngineRoom(config, CAMERA.size, (RGB,), silent)
    _, planes = allocate_planes(CAMERA)
    native.convert(Picture((rgb.reshape(SIDE, -1),), RGB, Stamp(0, 0)), planes, CAMERA)
    scene = Scene(SolidBackdrop((0, 0, 0)), blur=STRENGTH)
    with room.open_processor(Preparation()).processor as processor:
        for k in range(FRAMES):
            (result,) = processor.process(Picture(planes, CAMERA, Stamp(k * 33_000_000, k)), scene, StageTimes())
        return result.planes[0].reshape(SIDE, SIDE, 3).copy(), processor.last_alpha()


def plain(rgb: Plane, alpha: Plane) -> Plane:
    """The person of the picture over the whole of it, blurred by the same Gaussian."""
    sigma = STRENGTH / 100.0 * native.BLUR_SIGMA * SIDE
    behind = cv2.GaussianBlur(rgb, (0, 0), sigma).astype(np.float32)
    share = alpha[..., None].astype(np.float32) / 255.0
    return np.rint(behind + share * (rgb - behind)).astype(np.uint8)


def sheet(ours: Plane, theirs: Plane) -> Image.Image:
    """Both, each with two details below."""
    detail = (SIDE - GAP) // 2
    size = Size(2 * MARGIN + GAP + 2 * SIDE, HEADER + SIDE + GAP + detail + MARGIN)
    drawn = Image.new("RGB", (size.width, size.height), PAPER)
    draw = ImageDraw.Draw(drawn)
    for column, (name, text, rgb) in enumerate(
        (
            ("vcam", "the person is weighted out of the blur", ours),
            ("plain blur", "the person glows into the room", theirs),
        )
    ):
        left, top = MARGIN + column * (SIDE + GAP), HEADER
        title, small = ImageFont.load_default(26), ImageFont.load_default(20)
        draw.text((left, HEADER / 2), name, fill=INK, font=title, anchor="lm")
        draw.text((left + title.getlength(name) + 14, HEADER / 2 + 2), text, fill=FAINT, font=small, anchor="lm")
        picture = Image.fromarray(rgb)
        drawn.paste(picture, (left, top))
        for k, (x, y) in enumerate(DETAILS):
            part = picture.crop((x, y, x + DETAIL, y + DETAIL)).resize((detail, detail), Image.Resampling.LANCZOS)
            drawn.paste(part, (left + k * (detail + GAP), top + SIDE + GAP))
            draw.rectangle((left + x, top + y, left + x + DETAIL, top + y + DETAIL), outline=INK, width=2)
    return drawn


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=Path("docs/blur.jpg"))
    parser.add_argument("--model")
    arguments = parser.parse_args()
    main(arguments.path, arguments.model)

"""Draw docs/effects.jpg: every effect that a scene can have, on one sheet.

Usage: .venv/bin/python scripts/effects_picture.py [--model MODEL] [docs/effects.jpg]

The person is NASA's public-domain portrait of Eileen Collins, which scikit-image ships.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import portrait_clip
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont
from skimage import data

from vcam import native
from vcam.bench.scene_effects import Effect, effects, everything, plain
from vcam.bench.scene_props import make_props
from vcam.config import Config
from vcam.frame import Image, PixelFormat, Plane, Range, Size, Stamp, VideoFormat, allocate_planes
from vcam.pipeline.assemble_engine import EngineRoom
from vcam.pipeline.assemble_model import silent
from vcam.pipeline.assemble_scene import make_scene
from vcam.pipeline.preparation import Preparation
from vcam.stages import FrameProcessor, StageTimes

SIZE = Size(1280, 720)
TARGET = VideoFormat(PixelFormat.RGB24, SIZE.width, SIZE.height)
CAMERA = VideoFormat(PixelFormat.I444, SIZE.width, SIZE.height, range=Range.FULL)
FRAMES, FRAMES_TO_FRAME = 10, 180
EDGES = ("smoothing", "despill", "refine", "threshold", "softness", "grow")
"""Of these the hair is shown larger."""
HAIR = (330, 20, 330 + 426, 20 + 240)

COLUMNS, CELL = 5, Size(304, 171)
MARGIN, GAP, HEADER, CAPTION = 28, 12, 70, 30
PAPER, INK, FAINT = (23, 25, 30), (244, 245, 248), (170, 177, 190)


def main(path: Path, model: str | None) -> None:
    """Draw it."""
    config = Config(model=model, quality="balanced", input="test:", output=("null:",))
    with (
        TemporaryDirectory() as folder,
        EngineRoom(config, SIZE, (TARGET,), silent).open_processor(Preparation()).processor as processor,
    ):
        props = make_props(Path(folder), SIZE)
        shown = [plain(props), *effects(props), Effect("film, layers, hologram", everything(props))]
        studio = Studio(processor)
        cells = [cell(effect, Pillow.fromarray(studio.picture(effect))) for effect in shown]
        cells.insert(_first_edge(cells), ("plain, the edge", Pillow.fromarray(studio.picture(shown[0])).crop(HAIR)))
    sheet(cells).save(path, quality=80, optimize=True)


class Studio:
    """The portrait before a camera, 30 pictures a second, and one processor for all effects."""

    def __init__(self, processor: FrameProcessor) -> None:
        self._processor = processor
        self._planes = allocate_planes(CAMERA)[1]
        self._shot = 0
        still = portrait_clip.picture(data.astronaut(), 0.0)
        native.convert(Image((still.reshape(SIZE.height, -1),), TARGET, Stamp(0, 0)), self._planes, CAMERA)

    def picture(self, effect: Effect) -> Plane:
        """(H, W, 3) of the effect, once what moves by time has moved."""
        scene = make_scene(effect.settings)
        try:
            for _ in range(FRAMES_TO_FRAME if effect.settings.auto_frame else FRAMES):
                self._shot += 1
                image = Image(self._planes, CAMERA, Stamp(round(self._shot / 30 * 1e9), self._shot))
                (result,) = self._processor.process(image, scene, StageTimes())
            return result.planes[0].reshape(SIZE.height, SIZE.width, 3).copy()
        finally:
            scene.close()


def cell(effect: Effect, picture: Pillow.Image) -> tuple[str, Pillow.Image]:
    """Its name and what is shown of it."""
    return effect.name, picture.crop(HAIR) if effect.name.startswith(EDGES) else picture


def _first_edge(cells: Sequence[tuple[str, Pillow.Image]]) -> int:
    return next(k for k, (name, _) in enumerate(cells) if name.startswith(EDGES))


def sheet(cells: Sequence[tuple[str, Pillow.Image]]) -> Pillow.Image:
    """All in rows, each with its name below."""
    rows = -(-len(cells) // COLUMNS)
    width = 2 * MARGIN + COLUMNS * CELL.width + (COLUMNS - 1) * GAP
    drawn = Pillow.new("RGB", (width, HEADER + rows * (CELL.height + CAPTION + GAP) + MARGIN - GAP), PAPER)
    draw = ImageDraw.Draw(drawn)
    draw.text((MARGIN, HEADER / 2), "vcam: every effect", fill=INK, font=ImageFont.load_default(30), anchor="lm")
    for k, (name, picture) in enumerate(cells):
        x = MARGIN + k % COLUMNS * (CELL.width + GAP)
        y = HEADER + k // COLUMNS * (CELL.height + CAPTION + GAP)
        drawn.paste(picture.resize((CELL.width, CELL.height), Pillow.Resampling.LANCZOS), (x, y))
        draw.text((x + 1, y + CELL.height + 14), name, fill=FAINT, font=ImageFont.load_default(17), anchor="lm")
    return drawn


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=Path("docs/effects.jpg"))
    parser.add_argument("--model")
    arguments = parser.parse_args()
    main(arguments.path, arguments.model)

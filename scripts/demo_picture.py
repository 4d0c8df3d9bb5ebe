"""Draw docs/demo.jpg: moments of ``vcam demo``, whole rows of source, matte and result.

Usage: .venv/bin/python scripts/demo_picture.py [docs/demo.jpg]
"""

import sys
from pathlib import Path

from PIL import Image as Pillow

from vcam.cli.contact_sheet import contact_sheet
from vcam.cli.demo import moments, scene
from vcam.cli.moments import MomentKeeper
from vcam.config import Config
from vcam.pipeline.assemble import assemble

FRAMES, ROWS, WIDTH_PX = 240, 4, 960


def main(path: Path) -> None:
    """Run the drawn scene through the plate engine, before the blurred room, and draw the sheet."""
    wanted = moments(FRAMES)[:ROWS]
    keeper = MomentKeeper(wanted)
    config = Config(input=scene(FRAMES), output=("null:",), engine="plate", background="blur", frames=wanted[-1] + 1)
    with assemble(config, observer=keeper) as pipeline:
        pipeline.run()
    sheet = contact_sheet(keeper.moments, "vcam demo")
    size = WIDTH_PX, round(sheet.height * WIDTH_PX / sheet.width)
    sheet.resize(size, Pillow.Resampling.LANCZOS).save(path, quality=85, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/demo.jpg"))

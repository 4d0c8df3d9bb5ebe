"""Chromium plays AI-Camera: by its name, with the right colours, and on and on, whatever happens behind it."""

import io
import shutil
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.vm.bed.devices import Webcam, live
from tests.vm.bed.figures import Figures
from tests.vm.bed.guest import ROOT, Guest, Job, eventually
from tests.vm.bed.pictures import BARS
from vcam.scene.spec import GREEN

Webcams = Callable[..., Webcam]
Vcams = Callable[..., Job]

BARS_RGB = ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191))
WITHIN = 3
"""Levels: twice rounded, to YUV and back."""


class Page:
    """A page that plays the camera."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        for name in ("canvas.png", "page.png", "shoot"):
            guest.file(name)
        self._job = guest.python("browser.py", "AI-Camera", "/host")

    @property
    def looks(self) -> list[dict[str, Any]]:
        """What was seen while it played."""
        wrong = [line for line in self._job.lines if line["problem"]]
        assert not wrong, wrong
        return [line for line in self._job.lines if line["played"] > 0]

    @property
    def picture(self) -> NDArray[np.int64]:
        """What the page's canvas holds, (H, W, 3) RGB."""
        data = (self._guest.share / "canvas.png").read_bytes()
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

    @property
    def bars(self) -> NDArray[np.int64]:
        """The middle of each bar, (bars, 3)."""
        picture = self.picture
        height, width, _ = picture.shape
        return picture[height * 3 // 4, [int((n + 0.5) * width / len(BARS)) for n in range(len(BARS))]]

    def wait(self, seen: Callable[[], Any], what: str) -> Any:
        return self._job.until(lambda: self.looks and seen(), 400, what)

    def shows(self, colours: Any, within: int, what: str) -> int:
        """Wait for bars of these colours; how many levels the furthest of them is off."""

        def near() -> tuple[int] | None:
            furthest = off(self.bars, colours)
            return (furthest,) if furthest <= within else None

        return int(self.wait(near, what)[0])

    def plays(self) -> None:
        """Wait until it has played on for two seconds."""
        before = self.looks[-1]["played"]
        self.wait(lambda: self.looks[-1]["played"] > before + 2.0, "two more seconds")

    def keep(self, name: str) -> None:
        """The page as a picture, in out/."""
        asked = self._guest.file("shoot")
        asked.touch()
        eventually(lambda: not asked.exists(), 60, lambda: "no picture of the page")
        shutil.copy(self._guest.share / "page.png", ROOT / f"out/vm-chromium-{name}.png")


def off(bars: NDArray[np.int64], colours: Any) -> int:
    """How far the furthest level is from what is right."""
    return int(np.abs(bars - np.array(colours)).max())


def test_a_page_plays_it(guest: Guest, webcam: Webcams, vcam: Vcams, loopback: str, figures: Figures) -> None:
    camera = webcam()
    camera.plug()
    live(vcam(f"-i {camera.node} -o {loopback}"))
    page = Page(guest)
    furthest = page.shows(BARS_RGB, 40, "the camera's picture in the page")
    assert page.looks[-1]["camera"].startswith("AI-Camera")
    figures.note("bars in Chromium's canvas: furthest from the right colour (levels)", furthest)
    assert furthest <= WITHIN
    page.keep("playing")

    # The engine has learned the bars as the empty room: all of it is background.
    guest.run("/opt/bed/bin/vcam ctl background green", timeout_s=400)
    page.shows(GREEN, WITHIN, "the other background in the page")
    page.plays()

    camera.unplug()
    page.wait(lambda: off(page.picture, GREEN) > 100, "the card, with its text, in the page")
    page.plays()
    page.keep("unplugged")

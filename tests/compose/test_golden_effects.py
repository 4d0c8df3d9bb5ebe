"""Each effect as a picture to look at: the drawn person of the test scene, cut out by their exact alpha."""

from functools import cache

import numpy as np
import pytest

from tests.support.golden import check_golden
from vcam import native
from vcam.compose.cpu import CpuFrameProcessor
from vcam.fakes import FakeEngine
from vcam.frame import Image, PixelFormat, Plane, Size, Stamp, VideoFormat, allocate_planes, split_planes
from vcam.looks import ColorMap, Framing, MatteControls, PersonLook
from vcam.sources.test_scene import TestScene
from vcam.stages import Scene, StageTimes

SIZE = Size(320, 180)
FPS = 25.0
MOMENT = 150  # waving
STAMP = Stamp(pts_ns=800_000_000, sequence=1)


class Evening:
    """A window of warm light on the right, dark blue elsewhere."""

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        y, x = np.mgrid[0 : target.height, 0 : target.width] / np.array([target.height, target.width])[:, None, None]
        rgb = np.stack([30 + 60 * x, 40 + 50 * y, 80 + 60 * (1 - y)], axis=-1)
        rgb[(x > 0.62) & (x < 0.94) & (y > 0.12) & (y < 0.7)] = 255, 224, 160
        source = VideoFormat(PixelFormat.RGB24, target.width, target.height)
        planes = allocate_planes(target)[1]
        levels = rgb.round().astype(np.uint8).reshape(target.height, -1)
        native.convert(Image((levels,), source, STAMP), planes, target)
        return Image(planes, target, Stamp(0, 0))


@cache
def seen() -> tuple[Image, np.ndarray[tuple[int, int], np.dtype[np.float32]]]:
    """What the camera sees, and the matte (90, 160) of it."""
    scene = TestScene(SIZE, FPS)
    alpha = scene.alpha(MOMENT).reshape(90, 2, 160, 2).mean(axis=(1, 3), dtype=np.float32)
    return Image(split_planes(scene.i420(MOMENT), scene.format), scene.format, STAMP), alpha


def composed(scene: Scene) -> Plane:
    """(H, W, 3) RGB of what an output gets."""
    image, alpha = seen()
    target = VideoFormat(PixelFormat.YUYV, SIZE.width, SIZE.height)
    with CpuFrameProcessor(FakeEngine(alpha), [target]) as processor:
        (result,) = processor.process(image, scene, StageTimes())
        rgb = np.empty((SIZE.height, 3 * SIZE.width), np.uint8)
        native.convert(result, (rgb,), VideoFormat(PixelFormat.RGB24, SIZE.width, SIZE.height))
    return rgb.reshape(SIZE.height, SIZE.width, 3)


LOOKS = {
    "plain": PersonLook(),
    "opacity": PersonLook(opacity=0.5),
    "brightness": PersonLook(brightness=1.4),
    "contrast": PersonLook(contrast=1.5),
    "gamma": PersonLook(gamma=2.0),
    "gray": PersonLook(saturation=0.0),
    "warm": PersonLook(temperature=0.8),
    "cold": PersonLook(temperature=-0.8),
    "thermal": PersonLook(colormap=ColorMap.THERMAL),
    "hologram": PersonLook(hologram=1.0),
    "blur": PersonLook(blur=60.0),
    "light-wrap": PersonLook(light_wrap=1.0),
}
FRAMINGS = {
    "mirror": Framing(mirror=True),
    "flip": Framing(flip=True),
    "zoom": Framing(zoom=2.0, pan_x=0.4, pan_y=-0.6),
}
MATTES = {
    "grow": MatteControls(grow=0.7),
    "shrink": MatteControls(grow=-0.7),
    "hard": MatteControls(softness=0.0),
}
SCENES = {
    **{name: Scene(Evening(), person=look) for name, look in LOOKS.items()},
    **{name: Scene(Evening(), framing=framing) for name, framing in FRAMINGS.items()},
    **{name: Scene(Evening(), matte=controls) for name, controls in MATTES.items()},
    "mirror-blur": Scene(Evening(), blur=60.0, framing=Framing(mirror=True, zoom=1.4)),
}


@pytest.mark.parametrize("name", SCENES)
def test_golden_effect(name: str) -> None:
    check_golden(f"effect-{name}", composed(SCENES[name]), tolerance=3)

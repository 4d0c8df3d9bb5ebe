"""What the tests of the processor share: formats, frames, an engine and a backdrop that remember."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tests.native.pictures import noise, smooth
from vcam import native
from vcam.fakes import FakeEngine
from vcam.frame import AffineMatte, Image, PixelFormat, Plane, Range, Stamp, VideoFormat
from vcam.stages import FrameProcessor, Scene, StageTimes

CAMERA = VideoFormat(PixelFormat.I422, 160, 96, range=Range.FULL)
YUYV = VideoFormat(PixelFormat.YUYV, 160, 96)
NV12 = VideoFormat(PixelFormat.NV12, 160, 96)
SMALL = VideoFormat(PixelFormat.I420, 60, 60)
ONE, NONE = np.ones((9, 16), np.float32), np.zeros((9, 16), np.float32)
UNCHANGED = native.Levels()


class NoiseBackdrop:
    """A picture of its own for each target and moment; remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[VideoFormat, int]] = []

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        self.asked.append((target, pts_ns))
        return noise(target, seed=pts_ns + target.width)


class SoftEngine(FakeEngine):
    """Coefficients that make every pixel soft; remembers what it was given."""

    def __init__(self) -> None:
        super().__init__(ONE)
        rng = np.random.default_rng(3)
        self.a = rng.normal(0.0, 0.3, (4, 9, 16)).astype(np.float32)
        self.b = rng.normal(0.0, 0.1, (4, 9, 16)).astype(np.float32)
        self.b[3] += 0.5
        self.seen: list[npt.NDArray[np.float32]] = []

    def matte(self, small: npt.NDArray[np.float32], stamp: Stamp) -> AffineMatte:
        super().matte(small, stamp)
        self.seen.append(small.copy())
        return AffineMatte(self.a, self.b, stamp)


def frame(fmt: VideoFormat = CAMERA, sequence: int = 1) -> Image:
    return replace(smooth(fmt, seed=sequence), stamp=Stamp(pts_ns=sequence * 1000, sequence=sequence))


def planes_of(images: list[Image]) -> list[tuple[Plane, ...]]:
    return [tuple(plane.copy() for plane in image.planes) for image in images]


def process(
    processor: FrameProcessor, image: Image, scene: Scene | None = None, times: StageTimes | None = None
) -> list[Image]:
    return list(processor.process(image, scene or Scene(NoiseBackdrop()), times or StageTimes()))


def assert_close(got: tuple[Plane, ...], wanted: tuple[Plane, ...], limit: int = 1) -> None:
    for plane, expected in zip(got, wanted, strict=True):
        assert np.abs(plane.astype(int) - expected.astype(int)).max() <= limit

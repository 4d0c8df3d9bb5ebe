"""The compositor alone: planes, A, b and background to YUYV, against the same done with OpenCV."""

from collections.abc import Iterator

import cv2
import numpy as np

from vcam.bench.report import Row, row
from vcam.compose.cpu import CpuFrameProcessor
from vcam.frame import (
    AffineMatte,
    Image,
    PixelFormat,
    Plane,
    Range,
    Size,
    Stamp,
    Tensor,
    VideoFormat,
    allocate_planes,
    split_planes,
)
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import EngineInfo, Scene, Stage, StageTimes

SIZES = (Size(1280, 720), Size(1920, 1080))
_INTERNAL = Size(384, 216)
_MATTES = ("soft", "realistic")


class FixedMatte:
    """An engine that has its answer ready, so that only the rest is measured; satisfies MattingEngine."""

    def __init__(self, a: Tensor, b: Tensor) -> None:
        self._a, self._b = a, b

    def __enter__(self) -> "FixedMatte":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("fixed", "none", "fp32", self.input_size, "cpu")

    @property
    def input_size(self) -> Size:
        return _INTERNAL

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        return AffineMatte(self._a, self._b, stamp)

    def reset(self) -> None:
        return None


def coefficients(kind: str, size: Size = _INTERNAL) -> tuple[Tensor, Tensor]:
    """A and b, (4, h, w). soft: each pixel is mixed. realistic: 60 % background, 35 % person, 5 % between."""
    random = np.random.default_rng(0)
    a = random.normal(0.0, 0.05, (4, size.height, size.width)).astype(np.float32)
    b = random.normal(0.0, 0.02, a.shape).astype(np.float32)
    if kind == "soft":
        b[3] += 0.5
        return a, b
    y, x = np.mgrid[0 : size.height, 0 : size.width]
    body = np.hypot((x / size.width - 0.5) / 0.276, (y / size.height - 0.75) / 0.570)
    b[3] = np.clip((1.035 - body) / 0.07, 0.0, 1.0)
    # A real matte is flat but for its edge: there A is 0, and b a little outside of [0, 1].
    edge = (b[3] > 0.0) & (b[3] < 1.0)
    a *= edge
    b[:3] *= edge
    b[3] += np.where(edge, 0.0, np.where(b[3] > 0.0, 0.002, -0.002)).astype(np.float32)
    return a, b


def run(count: int) -> Iterator[Row]:
    """Rows of every size and matte, with OpenCV's in the same run."""
    for size in SIZES:
        image = camera_picture(size)
        for kind in _MATTES:
            a, b = coefficients(kind)
            ours = _ours(image, a, b, count)
            theirs = _opencv(image, a, b, count)
            name = f"compose {size.height}p {kind}"
            ratio = round(float(np.median(theirs) / np.median(ours)), 1)
            yield row(name, ours, times_opencv=ratio, **_shares(b))
            yield row(f"{name}, OpenCV", theirs)


def _shares(b: Tensor) -> dict[str, float]:
    return {
        "background_share": round(float(np.mean(b[3] <= 0.0)), 3),
        "person_share": round(float(np.mean(b[3] >= 1.0)), 3),
    }


def camera_picture(size: Size) -> Image:
    fmt = VideoFormat(PixelFormat.I422, size.width, size.height, range=Range.FULL)
    buffer, _ = allocate_planes(fmt)
    buffer[:] = np.random.default_rng(1).integers(0, 256, buffer.size, np.uint8)
    return Image(split_planes(buffer, fmt), fmt, Stamp(0, 0))


def _ours(image: Image, a: Tensor, b: Tensor, count: int) -> list[float]:
    target = VideoFormat(PixelFormat.YUYV, image.format.width, image.format.height)
    scene, times = Scene(SolidBackdrop((0, 255, 0))), StageTimes()
    seconds = []
    with CpuFrameProcessor(FixedMatte(a, b), [target]) as processor:
        for _ in range(count):
            times.clear()
            processor.process(image, scene, times)
            seconds.append(times.seconds()[Stage.COMPOSE])
    return seconds[5:]


def _opencv(image: Image, a: Tensor, b: Tensor, count: int) -> list[float]:
    """The alpha and a blend only: OpenCV's version leaves the foreground estimate out, to its own advantage."""
    from vcam.bench.report import durations

    size = (image.format.width, image.format.height)
    y, u, v = image.planes
    background = np.full((size[1], size[0], 3), (0, 255, 0), np.float32)

    def frame() -> Plane:
        yuv = cv2.merge([y, cv2.resize(u, size), cv2.resize(v, size)])
        rgb = cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB).astype(np.float32)
        gray = cv2.transform(rgb, np.full((1, 3), 1 / (3 * 255), np.float32))
        alpha = cv2.resize(a[3], size) * gray + cv2.resize(b[3], size)
        weight = cv2.merge([np.clip(alpha, 0.0, 1.0)] * 3)
        blended = background + weight * (rgb - background)
        return np.asarray(cv2.cvtColor(cv2.convertScaleAbs(blended), cv2.COLOR_RGB2YUV_YUYV))

    return durations(frame, count=max(10, count // 10))

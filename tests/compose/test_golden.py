"""Two pictures to look at: the person before a colour, and before their own blurred room."""

import numpy as np
import pytest

from tests.support.golden import check_golden
from vcam import native
from vcam.compose.cpu import CpuFrameProcessor
from vcam.fakes import FakeEngine
from vcam.frame import Image, PixelFormat, Plane, Range, Stamp, VideoFormat, allocate_planes
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import RoomLook, Scene, StageTimes

WIDTH, HEIGHT = 320, 180
CAMERA = VideoFormat(PixelFormat.I422, WIDTH, HEIGHT, range=Range.FULL)
RGB = VideoFormat(PixelFormat.RGB24, WIDTH, HEIGHT)
STAMP = Stamp(pts_ns=1, sequence=1)


def alpha(height: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """A head and shoulders, soft by three hundredths of the height."""
    y, x = np.mgrid[0.0 : 1.0 : height * 1j, 0.0 : 1.0 : width * 1j]
    head = 1.0 - np.hypot((x - 0.5) / 0.11, (y - 0.38) / 0.24)
    shoulders = 1.0 - np.hypot((x - 0.5) / 0.30, (y - 1.05) / 0.45)
    result: np.ndarray[tuple[int, int], np.dtype[np.float64]] = np.clip(0.5 + 8.0 * np.maximum(head, shoulders), 0, 1)
    return result


def camera_picture() -> Image:
    """A bright person before a room of dark stripes and squares."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    room = np.stack([40 + 60 * ((x // 20) % 2), 50 + 50 * ((y // 20) % 2), 70 + x // 4], axis=-1)
    cover = alpha(HEIGHT, WIDTH)[..., None]
    rgb = (room + cover * (np.array([250, 225, 200]) - room)).round().astype(np.uint8)
    planes = allocate_planes(CAMERA)[1]
    native.convert(Image((rgb.reshape(HEIGHT, -1),), RGB, STAMP), planes, CAMERA)
    return Image(planes, CAMERA, STAMP)


def composed(scene: Scene, target: VideoFormat) -> Plane:
    """(H, W, 3) RGB of what an output gets."""
    engine = FakeEngine(alpha(36, 64).astype(np.float32))
    with CpuFrameProcessor(engine, [target]) as processor:
        (result,) = processor.process(camera_picture(), scene, StageTimes())
        rgb = np.empty((target.height, 3 * target.width), np.uint8)
        native.convert(result, (rgb,), VideoFormat(PixelFormat.RGB24, target.width, target.height))
    return rgb.reshape(target.height, target.width, 3)


@pytest.mark.parametrize(
    ("name", "scene", "target"),
    [
        ("green-yuyv", Scene(SolidBackdrop((0, 177, 64))), VideoFormat(PixelFormat.YUYV, WIDTH, HEIGHT)),
        ("blur-nv12", Scene(SolidBackdrop((0, 0, 0)), blur=60.0), VideoFormat(PixelFormat.NV12, WIDTH, HEIGHT)),
        (
            "blur-looked",
            Scene(SolidBackdrop((0, 0, 0)), blur=20.0, room=RoomLook(1.6, 1.3, 0.2, 0.4, (20, 60, 200))),
            VideoFormat(PixelFormat.YUYV, WIDTH, HEIGHT),
        ),
        ("blur-square", Scene(SolidBackdrop((0, 0, 0)), blur=20.0), VideoFormat(PixelFormat.I420, 120, 120)),
    ],
)
def test_golden_compose(name: str, scene: Scene, target: VideoFormat) -> None:
    check_golden(f"compose-{name}", composed(scene, target), tolerance=2)

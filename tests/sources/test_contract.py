"""What every source promises."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.support.clip import Clip, write_clip
from tests.support.fake_v4l2 import FakeCamera, FakeFrame, FakeKernel
from tests.support.jpeg import encode_jpeg, smooth_rgb
from vcam.decode.choose import make_decoder
from vcam.errors import DeviceError, EndOfStreamError
from vcam.frame import EncodedFrame, Size
from vcam.sources.camera import CameraSource, WantedMode
from vcam.sources.file import FileSource
from vcam.sources.pace import Pace
from vcam.sources.test_scene import TestScene, TestSource
from vcam.stages import Source

MakeSource = Callable[[], Source]
SIZE = Size(64, 48)


def camera(fourcc: str, data: bytes) -> Source:
    """A camera that has a frame ready whenever somebody waits for one."""
    device = FakeCamera((fourcc, (SIZE.width, SIZE.height), (25,)))
    kernel = FakeKernel(video0=device)

    def capture() -> None:
        if not device.done:
            kernel.clock.now_ns += 40_000_000
            device.capture(FakeFrame(data, kernel.clock.now_ns - 1000, kernel.clock.now_ns // 40_000_000))

    device.on_poll = capture
    return CameraSource(Path("/dev/video0"), WantedMode(SIZE, 25.0), kernel=kernel, clock_ns=kernel.clock)


@pytest.fixture(params=["camera MJPG", "camera YUYV", "camera NV12", "film", "motion jpeg", "scene"])
def make_source(request: pytest.FixtureRequest, tmp_path: Path) -> MakeSource:
    jpegs = Clip("mjpeg", "yuvj422p", colorspace=5, color_range=2)
    makers: dict[str, MakeSource] = {
        "camera MJPG": lambda: camera("MJPG", encode_jpeg(smooth_rgb(SIZE.width, SIZE.height))),
        "camera YUYV": lambda: camera("YUYV", bytes(SIZE.width * SIZE.height * 2)),
        "camera NV12": lambda: camera("NV12", bytes(128 * SIZE.height * 3 // 2)),
        "film": lambda: FileSource(write_clip(tmp_path / "film.mkv", Clip()), pace=Pace.EVERY_FRAME, loop=True),
        "motion jpeg": lambda: FileSource(write_clip(tmp_path / "jpegs.avi", jpegs), pace=Pace.EVERY_FRAME, loop=True),
        "scene": lambda: TestSource(TestScene(SIZE, 25.0), pace=Pace.EVERY_FRAME, frames=None),
    }
    return makers[request.param]


def read(source: Source, count: int) -> list[EncodedFrame]:
    return [source.read(1.0) for _ in range(count)]


def test_stamps_never_go_backwards(make_source: MakeSource) -> None:
    with make_source() as source:
        stamps = [frame.stamp for frame in read(source, 12)]
    assert np.all(np.diff([stamp.pts_ns for stamp in stamps]) > 0)
    assert np.all(np.diff([stamp.sequence for stamp in stamps]) > 0)
    assert {stamp.epoch for stamp in stamps} == {0}


def test_format_and_interval_are_known_once_entered(make_source: MakeSource) -> None:
    with make_source() as source:
        assert source.format.size == SIZE
        assert source.frame_interval_s == pytest.approx(1 / 25)
        assert {frame.format for frame in read(source, 3)} == {source.format}


def test_frames_can_be_decoded(make_source: MakeSource) -> None:
    with make_source() as source, make_decoder(source.format) as decoder:
        for frame in read(source, 3):
            image = decoder.decode(frame)
            assert image.format.size == SIZE
            assert image.stamp == frame.stamp


def test_frames_are_owned(make_source: MakeSource) -> None:
    with make_source() as source:
        first = source.read(1.0)
        kept = np.array(np.frombuffer(first.data, dtype=np.uint8))
        read(source, 6)
    np.testing.assert_array_equal(np.frombuffer(first.data, dtype=np.uint8), kept)


def test_open_read_close_and_again(make_source: MakeSource) -> None:
    source = make_source()
    source.__exit__(None, None, None)
    for _ in range(2):
        with source:
            read(source, 2)
        source.__exit__(None, None, None)


@pytest.mark.parametrize("kind", ["camera", "file"])
def test_the_end_and_a_timeout_are_different(kind: str, tmp_path: Path) -> None:
    if kind == "file":
        path = write_clip(tmp_path / "film.mkv", Clip(frames=1))
        with FileSource(path, pace=Pace.EVERY_FRAME, loop=False) as film:
            film.read(1.0)
            with pytest.raises(EndOfStreamError):
                film.read(1.0)
        return
    kernel = FakeKernel(video0=FakeCamera(("YUYV", (64, 48), (25,))))
    source = CameraSource(Path("/dev/video0"), WantedMode(SIZE, 25.0), kernel=kernel, clock_ns=kernel.clock)
    with source, pytest.raises(DeviceError):
        source.read(1.0)

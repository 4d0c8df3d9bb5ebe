"""What readers of a virtual camera see once its producer is silent, against a fake driver."""

import errno

import pytest
from linuxpy.video.raw import IOC

from tests.sinks.test_v4l2 import FORMAT, Bench, random_image
from tests.support.fake_v4l2 import FakeLoopback, Loopback
from vcam.frame import PixelFormat, VideoFormat
from vcam.v4l2.abi import CID_TIMEOUT


@pytest.mark.parametrize("owned_buffers", [False, True])
def test_it_is_so_each_time_vcam_starts(owned_buffers: bool) -> None:
    device = FakeLoopback(Loopback(owned_buffers=owned_buffers))
    for _ in range(2):
        device.silence = None
        with Bench(device).sink:
            assert device.silence is not None


@pytest.mark.parametrize(("fps", "limit_ms"), [(30.0, 2000), (1.0, 5000)])
@pytest.mark.parametrize(
    ("pixel_format", "black"),
    [
        (PixelFormat.YUYV, b"\x10\x80" * 32 * 16),
        (PixelFormat.NV12, b"\x10" * 32 * 16 + b"\x80" * 16 * 16),
        (PixelFormat.I420, b"\x10" * 32 * 16 + b"\x80" * 16 * 16),
        (PixelFormat.RGB24, b"\0" * 3 * 32 * 16),
    ],
)
def test_readers_see_black_should_vcam_die(pixel_format: PixelFormat, black: bytes, fps: float, limit_ms: int) -> None:
    device = FakeLoopback()
    bench = Bench(device, VideoFormat(pixel_format, 32, 16), fps=fps)
    with bench.sink:
        pass
    assert device.controls[CID_TIMEOUT] == limit_ms
    assert device.silence is not None
    assert device.silence.kept[: len(black)] == black
    assert bench.kernel.leaks == 0


@pytest.mark.parametrize("failing", [IOC.S_CTRL, IOC.REQBUFS, IOC.QUERYBUF])
def test_a_driver_that_knows_no_silence_is_used_all_the_same(failing: int) -> None:
    device = FakeLoopback()
    device.failures[failing] = errno.ENOTTY
    bench = Bench(device)
    with bench.sink as sink:
        sink.write(random_image(FORMAT))
    assert (CID_TIMEOUT in device.controls) == (failing != IOC.S_CTRL)
    assert bench.kernel.leaks == 0


def test_another_programs_frames_are_left_alone() -> None:
    device = FakeLoopback(Loopback(another_is_quicker=True))
    with Bench(device).sink:
        assert device.silence is None

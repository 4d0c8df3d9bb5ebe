"""The virtual camera against a fake driver, down to the ioctls."""

import errno
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from linuxpy.video.raw import IOC

from tests.support.busy import hold_that_its_user_is_looked_for_once
from tests.support.fake_v4l2 import FakeCamera, FakeDevice, FakeKernel, FakeLoopback, Loopback
from vcam.errors import SinkError, SinkUnusableError
from vcam.frame import (
    Image,
    Matrix,
    PixelFormat,
    Range,
    Size,
    Stamp,
    VideoFormat,
    allocate_planes,
    frame_bytes,
    split_planes,
)
from vcam.sinks.v4l2 import V4l2Sink
from vcam.v4l2.colour import ColourFields, range_and_matrix

PATH = Path("/dev/video10")
FORMAT = VideoFormat(PixelFormat.YUYV, 32, 16)
DEVICE_FORMATS = [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420, PixelFormat.RGB24]


class Bench:
    """A sink on a fake device."""

    def __init__(self, device: FakeDevice, fmt: VideoFormat = FORMAT, fps: float = 30.0) -> None:
        self.kernel = FakeKernel(video10=device)
        self.sink = V4l2Sink(PATH, fmt, fps, kernel=self.kernel, sysfs=Path("/nonexistent"))


def random_image(fmt: VideoFormat, seed: int = 0) -> Image:
    buffer, planes = allocate_planes(fmt)
    buffer[:] = np.random.default_rng(seed).integers(0, 256, buffer.size, dtype=np.uint8)
    return Image(planes, fmt, Stamp(seed, seed))


@pytest.mark.parametrize("pixel_format", DEVICE_FORMATS)
@pytest.mark.parametrize("stride", [0, 128])
def test_frames_arrive_bit_exact(pixel_format: PixelFormat, stride: int) -> None:
    device = FakeLoopback(Loopback(stride=stride))
    fmt = VideoFormat(pixel_format, 32, 16)
    images = [random_image(fmt, seed) for seed in range(3)]
    with Bench(device, fmt).sink as sink:
        for image in images:
            sink.write(image)
        assert sink.format == fmt
    assert device.format == (pixel_format.value, 32, 16)
    padded = VideoFormat(pixel_format, 32, 16, stride=stride)
    for data, image in zip(device.frames, images, strict=True):
        assert len(data) == frame_bytes(padded)
        for found, plane in zip(split_planes(np.frombuffer(data, np.uint8), padded), image.planes, strict=True):
            np.testing.assert_array_equal(found, plane)


@pytest.mark.parametrize("range_", list(Range))
@pytest.mark.parametrize("matrix", list(Matrix))
def test_colours_and_rate_are_declared(range_: Range, matrix: Matrix) -> None:
    device = FakeLoopback()
    fmt = VideoFormat(PixelFormat.NV12, 32, 16, range=range_, matrix=matrix)
    with Bench(device, fmt, fps=29.97).sink:
        pass
    assert range_and_matrix(PixelFormat.NV12, ColourFields(*device.behaviour.colours[0])) == (range_, matrix)
    assert Fraction(*device.interval) == Fraction(100, 2997)


def test_readers_are_subscribed_to_before_the_format_is_set_and_counted() -> None:
    device = FakeLoopback()
    bench = Bench(device)
    assert bench.sink.consumers() is None, "not open"
    with bench.sink as sink:
        assert device.requests.index(IOC.SUBSCRIBE_EVENT) < device.requests.index(IOC.S_FMT)
        assert sink.consumers() == 0
        device.readers(1)
        device.readers(2)
        assert sink.consumers() == 2
        assert sink.consumers() == 2, "the last that was told"
        device.readers(0)
        assert sink.consumers() == 0


def test_a_look_that_was_shorter_than_the_time_between_two_questions_is_told() -> None:
    device = FakeLoopback()
    with Bench(device).sink as sink:
        assert sink.consumers() == 0
        device.readers(1)
        device.readers(0)
        assert sink.consumers() == 1
        assert sink.consumers() == 0
        device.readers(2)
        assert sink.consumers() == 2
        device.readers(0)
        assert sink.consumers() == 0


def test_readers_that_were_there_before_are_told() -> None:
    with Bench(FakeLoopback(Loopback(readers=3))).sink as sink:
        assert sink.consumers() == 3


def test_drivers_that_tell_no_readers() -> None:
    with Bench(FakeLoopback(Loopback(tells_readers=False))).sink as sink:
        sink.write(random_image(FORMAT))
        assert sink.consumers() is None


def test_an_old_loopback_can_be_opened_again() -> None:
    bench = Bench(FakeLoopback(Loopback(tells_readers=False, needs_announcement=True)))
    for _ in range(3):
        with bench.sink as sink:
            sink.write(random_image(FORMAT))


def test_one_format_for_life() -> None:
    device = FakeLoopback()
    with Bench(device).sink as sink:
        for seed in range(5):
            sink.write(random_image(FORMAT, seed))
        with pytest.raises(ValueError, match="takes"):
            sink.write(random_image(VideoFormat(PixelFormat.YUYV, 64, 16)))
        with pytest.raises(ValueError, match="takes"):
            sink.write(random_image(VideoFormat(PixelFormat.I422, 32, 16)))
    assert device.formats_set == 1
    assert len(device.frames) == 5


@pytest.mark.parametrize("forced", [(64, 32, "YUYV"), (32, 16, "NV12")])
def test_a_driver_with_another_opinion_is_unusable(forced: tuple[int, int, str]) -> None:
    bench = Bench(FakeLoopback(Loopback(forced=forced)))
    with pytest.raises(SinkUnusableError) as caught, bench.sink:
        pass
    size = Size(forced[0], forced[1])
    assert f"gives {forced[2]} {size}" in caught.value.problem
    assert f"--output /dev/video10,size={size},format={forced[2]}" in caught.value.hint
    assert bench.kernel.leaks == 0


@pytest.mark.parametrize("behaviour", [{"readers": 1}, {"tells_readers": False}])
def test_a_format_that_a_reader_may_pin_can_be_retried(behaviour: dict[str, Any]) -> None:
    bench = Bench(FakeLoopback(Loopback(forced=(64, 32, "YUYV"), **behaviour)))
    with pytest.raises(SinkError, match="gives YUYV 64x32") as caught, bench.sink:
        pass
    assert caught.value.retryable
    assert bench.kernel.leaks == 0


def test_lines_shorter_than_the_picture_are_unusable() -> None:
    """v4l2loopback computes YUYV lines of an odd width without their last half pair."""
    fmt = VideoFormat(PixelFormat.YUYV, 33, 16)
    with pytest.raises(SinkUnusableError, match="lines of 66 bytes") as caught, Bench(FakeLoopback(), fmt).sink:
        pass
    assert "size=32x16" in caught.value.hint


def test_a_camera_is_no_output() -> None:
    bench = Bench(FakeCamera())
    with pytest.raises(SinkUnusableError, match="not an output") as caught, bench.sink:
        pass
    assert "modprobe v4l2loopback" in caught.value.hint
    assert bench.kernel.leaks == 0


def test_a_loopback_with_another_producer_can_be_retried() -> None:
    with (
        pytest.raises(SinkError, match="another producer") as caught,
        Bench(FakeLoopback(Loopback(capture_only=True))).sink,
    ):
        pass
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("code", "problem", "hint", "retryable"),
    [
        (
            errno.ENOENT,
            "there is no /dev/video10",
            "sudo modprobe v4l2loopback exclusive_caps=1 card_label=AI-Camera video_nr=10",
            True,
        ),
        (errno.EACCES, "no permission", "usermod -aG video", True),
        (errno.EBUSY, "in use by another program", "fuser -v /dev/video10", True),
        (errno.EIO, "EIO", "dmesg", True),
    ],
)
def test_opening_errors_say_what_to_do(code: int, problem: str, hint: str, retryable: bool) -> None:
    bench = Bench(FakeLoopback())
    bench.kernel.open_errors[PATH] = code
    with pytest.raises(SinkError, match=problem) as caught, bench.sink:
        pass
    assert hint in caught.value.hint
    assert caught.value.retryable is retryable


@pytest.mark.parametrize("between", [errno.EIO, None], ids=["another error", "opened"])
def test_who_keeps_it_busy_is_looked_for_once_as_long_as_it_is(
    between: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(FakeLoopback())

    def try_to_open(code: int | None) -> None:
        bench.kernel.open_errors.clear()
        if code is not None:
            bench.kernel.open_errors[PATH] = code
        with suppress(SinkError), bench.sink:
            pass

    hold_that_its_user_is_looked_for_once(monkeypatch, PATH, try_to_open, between)


def test_the_hint_names_the_number_that_was_asked_for() -> None:
    sink = V4l2Sink(Path("/dev/video42"), FORMAT, 30.0, kernel=FakeKernel())
    with pytest.raises(SinkError) as caught, sink:
        pass
    assert caught.value.hint.endswith("video_nr=42`.")


def test_a_file_is_no_video_device(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(SinkUnusableError, match="no video device") as caught, V4l2Sink(path, FORMAT, 30.0):
        pass
    assert f"file:{path}" in caught.value.hint


@pytest.mark.parametrize("request_", [IOC.QUERYCAP, IOC.SUBSCRIBE_EVENT, IOC.S_FMT, IOC.S_PARM])
def test_a_half_failed_opening_closes_everything(request_: int) -> None:
    device = FakeLoopback()
    bench = Bench(device)
    device.failures[request_] = errno.EBUSY
    with pytest.raises(SinkError), bench.sink:
        pass
    assert bench.kernel.leaks == 0
    bench.sink.__exit__(None, None, None)
    device.failures.clear()
    with bench.sink as sink:
        assert bench.kernel.leaks == 1, "the checker sees an open device"
        sink.write(random_image(FORMAT))
    assert bench.kernel.leaks == 0


@pytest.mark.parametrize("code", [errno.ENOTTY, errno.EINVAL])
def test_a_device_without_a_rate_is_fine(code: int) -> None:
    device = FakeLoopback()
    device.failures[IOC.S_PARM] = code
    with Bench(device).sink as sink:
        sink.write(random_image(FORMAT))
    assert len(device.frames) == 1


def test_a_full_driver_gets_one_frames_time() -> None:
    device = FakeLoopback(Loopback(busy_writes=1))
    bench = Bench(device, fps=25.0)
    with bench.sink as sink:
        began_ns = bench.kernel.clock.now_ns
        sink.write(random_image(FORMAT))
        assert bench.kernel.clock.now_ns - began_ns == 40_000_000
    assert len(device.frames) == 1


def test_a_driver_that_stays_full_is_an_error() -> None:
    with Bench(FakeLoopback(Loopback(busy_writes=2))).sink as sink:
        with pytest.raises(SinkError, match="takes no frames"):
            sink.write(random_image(FORMAT))
        sink.write(random_image(FORMAT))


def test_a_short_write_is_an_error() -> None:
    sink = Bench(FakeLoopback(Loopback(most_bytes=100))).sink
    with sink, pytest.raises(SinkError, match="took 100 of 1024 bytes"):
        sink.write(random_image(FORMAT))


def test_a_device_that_vanishes_while_writing() -> None:
    device = FakeLoopback()
    bench = Bench(device)
    with bench.sink as sink:
        device.failures[IOC.QBUF] = errno.ENODEV
        with pytest.raises(SinkError, match="there is no"):
            sink.write(random_image(FORMAT))
    assert bench.kernel.leaks == 0


def test_use_outside_with_is_a_bug() -> None:
    with pytest.raises(RuntimeError, match="outside its with block"):
        Bench(FakeLoopback()).sink.write(random_image(FORMAT))

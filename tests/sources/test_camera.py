"""The camera source against a fake driver, down to the ioctls."""

import errno
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from linuxpy.video.raw import IOC, BufferFlag, Capability, Colorspace

from tests.pipeline.rig import wait_until
from tests.support.busy import hold_that_its_user_is_looked_for_once
from tests.support.fake_v4l2 import FakeCamera, FakeDevice, FakeFrame, FakeKernel, PixExtra
from vcam.errors import DeviceError, FormatRejectedError
from vcam.frame import Matrix, PixelFormat, Range, Size, Stamp, VideoFormat
from vcam.sources.camera import CameraSource, WantedMode
from vcam.stages import Losses
from vcam.v4l2.holders import Users

PATH = Path("/dev/video0")
NS = 1_000_000_000
BEGAN = 1_000 * NS
WANTED = WantedMode(Size(640, 480), 30.0)
YUYV = ("YUYV", (640, 480), (30, 15))
MJPG = ("MJPG", (640, 480), (30,))


class Bench:
    """A source on a fake camera."""

    def __init__(self, camera: FakeDevice, *, wanted: WantedMode = WANTED, buffers: int = 3) -> None:
        self.kernel = FakeKernel(video0=camera)
        self.source = CameraSource(PATH, wanted, buffers=buffers, kernel=self.kernel, clock_ns=self.kernel.clock)


def webcam(extra: PixExtra | None = None) -> FakeCamera:
    return FakeCamera(YUYV, MJPG, extra=extra)


def test_format_and_rate_are_those_of_the_driver() -> None:
    bench = Bench(FakeCamera(("MJPG", (1280, 720), (30, 15))), wanted=WantedMode(Size(1280, 720), 15.0))
    with bench.source as source:
        assert source.format == VideoFormat(PixelFormat.MJPG, 1280, 720, range=Range.FULL, matrix=Matrix.BT601)
        assert source.frame_interval_s == pytest.approx(1 / 15)


def test_raw_colours_and_padding_are_those_of_the_driver() -> None:
    camera = webcam(PixExtra(stride=1344, colorspace=int(Colorspace.REC709)))
    with Bench(camera).source as source:
        assert source.format == VideoFormat(PixelFormat.YUYV, 640, 480, 1344, Range.LIMITED, Matrix.BT709)


def test_packed_lines_are_no_stride() -> None:
    with Bench(webcam(PixExtra(stride=1280))).source as source:
        assert source.format.stride == 0


def test_a_frame_is_a_copy_with_the_drivers_stamp() -> None:
    camera = webcam()
    with Bench(camera).source as source:
        camera.capture(FakeFrame(b"first", BEGAN - 5_000_000, sequence=7))
        frame = source.read(1.0)
        for number in range(3):
            camera.capture(FakeFrame(b"later", BEGAN, sequence=8 + number))
        assert frame.data == b"first"
        assert frame.stamp == Stamp(BEGAN - 5_000_000, 7)
        assert frame.format == source.format


def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    camera = webcam()
    with Bench(camera).source as source:
        for number in range(3):
            camera.capture(FakeFrame(b"%d" % number, BEGAN - 3 + number, number))
        assert source.read(1.0).data == b"2"
        assert source.losses.stale == 2
        assert sorted(camera.queued) == [0, 1, 2], "all buffers are back with the driver"
        camera.capture(FakeFrame(b"3", BEGAN, 3))
        assert source.read(1.0).data == b"3"
        assert source.losses == Losses(stale=2, corrupt=0)


def test_corrupt_and_empty_frames_are_skipped_and_counted() -> None:
    camera = webcam()
    with Bench(camera).source as source:
        camera.capture(FakeFrame(b"good", BEGAN, 1))
        camera.capture(FakeFrame(b"torn", BEGAN, 2, flags=int(BufferFlag.ERROR)))
        camera.capture(FakeFrame(b"", BEGAN, 3))
        assert source.read(1.0).data == b"good"
        assert source.losses == Losses(stale=0, corrupt=2)
        assert sorted(camera.queued) == [0, 1, 2]


def test_only_bad_frames_are_a_timeout() -> None:
    camera = webcam()
    with Bench(camera).source as source:
        camera.capture(FakeFrame(b"torn", BEGAN, flags=int(BufferFlag.ERROR)))
        with pytest.raises(DeviceError, match="no frame for 2 s"):
            source.read(2.0)
        assert source.losses.corrupt == 1


def test_read_waits_for_a_frame() -> None:
    camera = webcam()
    with Bench(camera).source as source:
        polls = []

        def frame_at_second_look() -> None:
            polls.append(1)
            if len(polls) == 2:
                camera.capture(FakeFrame(b"late", BEGAN))

        camera.on_poll = frame_at_second_look
        assert source.read(1.0).data == b"late"


def test_timeout_is_as_long_as_asked_and_the_stream_goes_on() -> None:
    camera = webcam()
    bench = Bench(camera)
    with bench.source as source:
        with pytest.raises(DeviceError, match="no frame for 2 s") as caught:
            source.read(2.0)
        assert bench.kernel.clock.now_ns == BEGAN + 2 * NS
        assert caught.value.retryable
        camera.capture(FakeFrame(b"again", BEGAN))
        assert source.read(1.0).data == b"again"


@pytest.mark.parametrize(
    ("driver_us", "expected_ns"),
    [
        pytest.param([-30, -20], [-30_000, -20_000], id="as the driver says"),
        pytest.param([-30, -50], [-30_000, -29_999], id="never back"),
        pytest.param([900, -20], [0, 1], id="not in the future"),
    ],
)
def test_stamps_make_sense(driver_us: list[int], expected_ns: list[int]) -> None:
    camera = webcam()
    stamps = []
    with Bench(camera).source as source:
        for offset_us in driver_us:
            camera.capture(FakeFrame(b"x", BEGAN + offset_us * 1000))
            stamps.append(source.read(1.0).stamp.pts_ns - BEGAN)
    assert stamps == expected_ns


def test_stamps_of_another_clock_are_replaced_by_ours() -> None:
    camera = webcam()
    with Bench(camera).source as source:
        camera.capture(FakeFrame(b"x", 5 * NS, timestamp=int(BufferFlag.TIMESTAMP_UNKNOWN)))
        assert source.read(1.0).stamp.pts_ns == BEGAN


@pytest.mark.parametrize(("granted", "asked"), [(2, 3), (5, 3), (1, 3)])
def test_the_number_of_buffers_is_what_the_driver_grants(granted: int, asked: int) -> None:
    camera = webcam(PixExtra(granted=granted))
    bench = Bench(camera, buffers=asked)
    with bench.source as source:
        assert len(camera.maps) == granted
        for number in range(7):
            camera.capture(FakeFrame(b"%d" % number, BEGAN + number))
            assert source.read(1.0).data == b"%d" % number
    assert bench.kernel.leaks == 0


def test_unplugging_ends_the_wait_and_closing_still_works() -> None:
    camera = webcam()
    bench = Bench(camera)
    with bench.source as source:
        camera.capture(FakeFrame(b"x", BEGAN))
        source.read(1.0)
        camera.on_poll = camera.unplug
        with pytest.raises(DeviceError, match="went away") as caught:
            source.read(10.0)
    assert caught.value.retryable
    assert bench.kernel.clock.now_ns == BEGAN, "no waiting for a camera that is gone"
    assert bench.kernel.leaks == 4, "it stays open while the kernel takes it apart"
    wait_until(lambda: bench.kernel.leaks == 0)


def test_a_kernel_that_never_closes_a_camera_that_is_gone_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = webcam()
    bench = Bench(camera)
    closing, gate = threading.Event(), threading.Event()

    def close(fd: int) -> None:
        closing.set()
        assert gate.wait(10.0)

    monkeypatch.setattr(bench.kernel, "close", close)
    with bench.source as source:
        camera.unplug()
        with pytest.raises(DeviceError, match="went away"):
            source.read(1.0)
    assert closing.wait(10.0)
    gate.set()


def test_unplugging_between_reads() -> None:
    camera = webcam()
    with Bench(camera).source as source:
        camera.unplug()
        with pytest.raises(DeviceError, match="went away"):
            source.read(1.0)


def test_a_replugged_camera_can_be_opened_by_the_same_source() -> None:
    camera = webcam()
    bench = Bench(camera)
    for number in range(2):
        with bench.source as source:
            camera.capture(FakeFrame(b"%d" % number, BEGAN))
            assert source.read(1.0).data == b"%d" % number
        assert bench.kernel.leaks == 0


@pytest.mark.parametrize(
    ("code", "problem", "hint"),
    [
        (errno.ENOENT, "there is no /dev/video0", "vcam devices"),
        (errno.EACCES, "no permission", "usermod -aG video"),
        (errno.ENODEV, "went away", "vcam devices"),
        (errno.EBUSY, "in use by another program", "fuser -v /dev/video0"),
        (errno.ENOMEM, "ENOMEM", "dmesg"),
    ],
)
def test_opening_errors_say_what_to_do(code: int, problem: str, hint: str) -> None:
    bench = Bench(webcam())
    bench.kernel.open_errors[PATH] = code
    with pytest.raises(DeviceError, match=problem) as caught, bench.source:
        pass
    assert hint in caught.value.hint


@pytest.mark.parametrize("between", [errno.ENODEV, None], ids=["another error", "opened"])
def test_who_keeps_it_busy_is_looked_for_once_as_long_as_it_is(
    between: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel, users = FakeKernel(video0=webcam()), Users(PATH)

    def try_to_open(code: int | None) -> None:
        kernel.open_errors.clear()
        if code is not None:
            kernel.open_errors[PATH] = code
        with suppress(DeviceError), CameraSource(PATH, WANTED, kernel=kernel, users=users):
            pass

    hold_that_its_user_is_looked_for_once(monkeypatch, PATH, try_to_open, between)


@pytest.mark.parametrize(
    "request_", [IOC.QUERYCAP, IOC.ENUM_FMT, IOC.S_FMT, IOC.REQBUFS, IOC.QUERYBUF, IOC.QBUF, IOC.STREAMON]
)
@pytest.mark.parametrize("code", [errno.EBUSY, errno.EIO])
def test_a_half_failed_opening_closes_everything(request_: int, code: int) -> None:
    camera = webcam()
    bench = Bench(camera)
    camera.failures[request_] = code
    with pytest.raises(DeviceError), bench.source:
        pass
    wait_until(lambda: bench.kernel.leaks == 0)
    bench.source.__exit__(None, None, None)
    camera.failures.clear()
    with bench.source as source:
        camera.capture(FakeFrame(b"x", BEGAN))
        assert source.read(1.0).data == b"x"


def test_the_leak_checker_finds_a_leak() -> None:
    bench = Bench(webcam())
    bench.source.__enter__()
    assert bench.kernel.leaks == 4, "one descriptor and three maps"
    bench.source.__exit__(None, None, None)
    bench.source.__exit__(None, None, None)
    assert bench.kernel.leaks == 0


@pytest.mark.parametrize("failure", [(IOC.S_FMT, errno.EIO), (IOC.STREAMON, errno.ENOSPC)])
def test_of_the_modes_that_a_camera_refuses_the_next_best_is_taken(failure: tuple[int, int]) -> None:
    camera = webcam()
    camera.refused["YUYV", 640, 480] = failure
    bench = Bench(camera)
    with bench.source as source:
        assert source.format.pixel_format is PixelFormat.MJPG
        camera.capture(FakeFrame(b"x", BEGAN))
        assert source.read(1.0).data == b"x"
    assert bench.kernel.leaks == 0


def test_a_camera_that_refuses_every_mode_may_be_tried_again() -> None:
    camera = webcam()
    bench = Bench(camera)
    camera.failures[IOC.S_FMT] = errno.EIO
    with pytest.raises(DeviceError, match="refuses every mode") as caught, bench.source:
        pass
    assert caught.value.retryable
    assert "USB port" in caught.value.hint
    assert bench.kernel.leaks == 0


@pytest.mark.parametrize("fourccs", [["GREY"], ["H264", "GREY"], []])
def test_cameras_that_cannot_be_read_say_what_they_offer(fourccs: list[str]) -> None:
    camera = FakeCamera(*((fourcc, (640, 480), (30,)) for fourcc in fourccs))
    bench = Bench(camera)
    with pytest.raises(FormatRejectedError) as caught, bench.source:
        pass
    assert not caught.value.retryable
    assert all(fourcc in caught.value.problem for fourcc in fourccs)
    assert bench.kernel.leaks == 0


def test_a_driver_that_insists_on_an_unreadable_format() -> None:
    bench = Bench(webcam(PixExtra(forced_fourcc="BA81")))
    with pytest.raises(FormatRejectedError, match="BA81"), bench.source:
        pass
    assert bench.kernel.leaks == 0


@pytest.mark.parametrize("capability", [Capability.VIDEO_OUTPUT, Capability.VIDEO_CAPTURE])
def test_a_node_that_does_not_stream_is_no_camera(capability: Capability) -> None:
    bench = Bench(FakeDevice("v4l2 loopback", "AI-Camera", capability))
    with pytest.raises(DeviceError, match="no camera") as caught, bench.source:
        pass
    assert "vcam devices" in caught.value.hint


def test_a_node_that_is_no_video_device() -> None:
    device = FakeDevice("", "", 0)
    device.answers.clear()
    with pytest.raises(DeviceError, match="no video device"), Bench(device).source:
        pass


def test_sizes_given_as_a_range_reach_the_wanted_size() -> None:
    camera = FakeCamera(("YUYV", (0, 0), ()), extra=PixExtra(sizes_by_range=(48, 1920, 4, 32, 1080, 2)))
    with Bench(camera, wanted=WantedMode(Size(800, 450), 25.0)).source as source:
        assert source.format.size == Size(800, 450)
        assert source.frame_interval_s == pytest.approx(1 / 25)


def test_a_camera_without_a_say_in_its_rate() -> None:
    camera = webcam()
    camera.failures[IOC.S_PARM] = errno.ENOTTY
    with Bench(camera).source as source:
        assert source.frame_interval_s == pytest.approx(1 / 30)


def test_use_outside_with_is_a_bug() -> None:
    source = Bench(webcam()).source
    uses: list[Callable[[], object]] = [lambda: source.format, lambda: source.frame_interval_s, lambda: source.read(1)]
    for use in uses:
        with pytest.raises(RuntimeError, match="outside its with block"):
            use()


def test_opening_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), Bench(webcam()).source:
        pass
    assert [record.message for record in caplog.records] == ["camera.opened"]

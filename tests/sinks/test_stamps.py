"""The time at which a frame was taken goes on to the readers, against a fake driver."""

from dataclasses import replace

import pytest
from linuxpy.video.raw import IOC

from tests.sinks.test_v4l2 import FORMAT, PATH, random_image
from tests.support.fake_v4l2 import FakeKernel, FakeLoopback, Loopback
from vcam.errors import SinkError
from vcam.frame import Image, Stamp
from vcam.sinks.v4l2 import V4l2Sink

NOW_NS = 5_000_000_000
US = 1000


def opened(device: FakeLoopback) -> tuple[V4l2Sink, FakeKernel]:
    kernel = FakeKernel(video10=device)
    return V4l2Sink(PATH, FORMAT, 30.0, kernel=kernel, clock_ns=lambda: NOW_NS), kernel


def taken(ago_ns: int, seed: int = 0) -> Image:
    return replace(random_image(FORMAT, seed), stamp=Stamp(NOW_NS - ago_ns, seed))


def test_frames_keep_their_time_and_their_bytes() -> None:
    device = FakeLoopback(Loopback(owned_buffers=True))
    sink, kernel = opened(device)
    images = [taken(40_000_000 - n * 10_000_000, n) for n in range(5)]
    with sink:
        for image in images:
            sink.write(image)
    assert device.stamps_ns == [image.stamp.pts_ns for image in images]
    assert device.frames == [image.planes[0].tobytes() for image in images]
    assert not device.streaming
    assert kernel.leaks == 0


@pytest.mark.parametrize("ago_ns", [2_000_000_000, -1_000_000_000])
def test_a_time_line_of_its_own_is_none_of_the_readers(ago_ns: int) -> None:
    device = FakeLoopback(Loopback(owned_buffers=True))
    with opened(device)[0] as sink:
        sink.write(taken(ago_ns))
    assert device.stamps_ns == [NOW_NS]


def test_time_never_goes_back() -> None:
    device = FakeLoopback(Loopback(owned_buffers=True))
    with opened(device)[0] as sink:
        for ago_ns in (0, 30_000_000, 20_000_000):  # the card, then frames that were taken before it was drawn
            sink.write(taken(ago_ns))
    assert device.stamps_ns == [NOW_NS, NOW_NS + US, NOW_NS + 2 * US]


def test_a_reader_of_an_older_driver_keeps_its_buffers() -> None:
    device = FakeLoopback()
    with opened(device)[0] as sink:
        before = list(device.requests)
        sink.write(taken(0))
    assert device.frames
    assert not device.stamps_ns
    assert IOC.QBUF not in before


@pytest.mark.parametrize("failing", [IOC.REQBUFS, IOC.STREAMON])
def test_a_driver_that_refuses_leaves_nothing_open(failing: int) -> None:
    device = FakeLoopback(Loopback(owned_buffers=True))
    device.failures[failing] = 16
    sink, kernel = opened(device)
    with pytest.raises(SinkError, match="in use"), sink:
        pass
    assert kernel.leaks == 0


@pytest.mark.parametrize("failing", [IOC.QBUF, IOC.DQBUF])
def test_a_frame_that_is_not_taken_is_an_error(failing: int) -> None:
    device = FakeLoopback(Loopback(owned_buffers=True))
    sink, kernel = opened(device)
    with sink:
        device.failures[failing] = 19
        with pytest.raises(SinkError, match="there is no"):
            sink.write(taken(0))
    assert kernel.leaks == 0

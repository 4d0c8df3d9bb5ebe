"""What every sink promises."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.fake_v4l2 import FakeKernel, FakeLoopback
from vcam.frame import Image, PixelFormat, Stamp, VideoFormat, allocate_planes
from vcam.sinks.file import FileSink
from vcam.sinks.null import NullSink
from vcam.sinks.v4l2 import V4l2Sink
from vcam.stages import Sink

FORMAT = VideoFormat(PixelFormat.I420, 64, 48)
MakeSink = Callable[[], Sink]


@pytest.fixture(params=["null", "mp4", "y4m", "device"])
def make_sink(request: pytest.FixtureRequest, tmp_path: Path) -> MakeSink:
    kernel = FakeKernel(video10=FakeLoopback())
    makers: dict[str, MakeSink] = {
        "null": lambda: NullSink(FORMAT),
        "mp4": lambda: FileSink(tmp_path / "out.mp4", FORMAT, 25.0),
        "y4m": lambda: FileSink(tmp_path / "out.y4m", FORMAT, 25.0),
        "device": lambda: V4l2Sink(Path("/dev/video10"), FORMAT, 25.0, kernel=kernel),
    }
    return makers[request.param]


def image(index: int) -> Image:
    return Image(allocate_planes(FORMAT)[1], FORMAT, Stamp(index * 40_000_000, index))


def test_name_and_format_are_known_before_entering_and_stay(make_sink: MakeSink) -> None:
    sink = make_sink()
    name, fmt = sink.name, sink.format
    assert name
    assert fmt == FORMAT
    with sink:
        sink.write(image(0))
        assert (sink.name, sink.format) == (name, fmt)
    assert (sink.name, sink.format) == (name, fmt)


def test_open_write_close_and_again(make_sink: MakeSink) -> None:
    sink = make_sink()
    for _ in range(2):
        with sink:
            for index in range(3):
                sink.write(image(index))


def test_closing_twice_and_before_opening_is_harmless(make_sink: MakeSink) -> None:
    sink = make_sink()
    sink.__exit__(None, None, None)
    with sink:
        sink.write(image(0))
    sink.__exit__(None, None, None)
    sink.__exit__(None, None, None)


def test_planes_may_be_reused_after_write(make_sink: MakeSink) -> None:
    picture = image(0)
    with make_sink() as sink:
        for level in (20, 30, 40):
            for plane in picture.planes:
                plane.fill(level)
            sink.write(picture)


def test_consumers_are_counted_or_unknown(make_sink: MakeSink) -> None:
    with make_sink() as sink:
        consumers = sink.consumers()
        assert consumers is None or consumers >= 0


def test_an_error_inside_passes_through(make_sink: MakeSink) -> None:
    def interrupted() -> None:
        with make_sink() as sink:
            sink.write(image(0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

"""The text of ``--output``."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcam.errors import ConfigError
from vcam.frame import PixelFormat, Size
from vcam.sinks.spec import SinkKind, SinkSpec, parse_sink


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/dev/video10", SinkSpec("/dev/video10", SinkKind.DEVICE, Path("/dev/video10"))),
        (
            "/dev/video10,size=640x360,format=NV12",
            SinkSpec(
                "/dev/video10,size=640x360,format=NV12",
                SinkKind.DEVICE,
                Path("/dev/video10"),
                Size(640, 360),
                PixelFormat.NV12,
            ),
        ),
        (
            "/dev/video10,format=yu12,size=32X16",
            SinkSpec(
                "/dev/video10,format=yu12,size=32X16",
                SinkKind.DEVICE,
                Path("/dev/video10"),
                Size(32, 16),
                PixelFormat.I420,
            ),
        ),
        ("file:out.mp4", SinkSpec("file:out.mp4", SinkKind.FILE, Path("out.mp4"))),
        (
            "file:a, b.mkv,size=640x360",
            SinkSpec("file:a, b.mkv,size=640x360", SinkKind.FILE, Path("a, b.mkv"), Size(640, 360)),
        ),
        ("null:", SinkSpec("null:", SinkKind.NULL)),
        ("null:,format=RGB3", SinkSpec("null:,format=RGB3", SinkKind.NULL, pixel_format=PixelFormat.RGB24)),
    ],
)
def test_good(text: str, expected: SinkSpec) -> None:
    assert parse_sink(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "neither a device"),
        ("null", "neither a device"),
        ("10", "not a sink"),
        ("out.mp4", "not a sink"),
        ("file:", "neither a device"),
        ("/dev/video10,size=big", "WIDTHxHEIGHT"),
        ("/dev/video10,size=0x0", "pixels"),
        ("/dev/video10,format=MJPG", "YUYV, NV12, YU12, RGB3"),
        ("/dev/video10,fps=30", "no option fps="),
        ("/dev/video10,size=64x64,size=32x32", "twice"),
        ("file:out.mp4,format=NV12", "its own format"),
        ("null:x", "neither a device"),
    ],
)
def test_bad_text_is_named_with_a_remedy(text: str, part: str) -> None:
    with pytest.raises(ConfigError, match=part) as caught:
        parse_sink(text)
    assert f"`{text}`" in caught.value.problem
    assert "--output" in caught.value.hint


@given(st.text())
def test_any_text_is_a_spec_or_a_config_error(text: str) -> None:
    with suppress(ConfigError):
        assert parse_sink(text).text == text


def test_unknown_home_is_left_to_the_opening() -> None:
    assert parse_sink("file:~no-such-user/a.mp4").path == Path("~no-such-user/a.mp4")

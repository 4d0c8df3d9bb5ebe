"""The text of ``--input``."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcam.errors import ConfigError
from vcam.frame import Size
from vcam.sources.spec import SourceKind, SourceSpec, parse_source

BY_ID = "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/dev/video0", SourceSpec("/dev/video0", SourceKind.CAMERA, Path("/dev/video0"))),
        (BY_ID, SourceSpec(BY_ID, SourceKind.CAMERA, Path(BY_ID))),
        ("file:a b:c,d.mp4", SourceSpec("file:a b:c,d.mp4", SourceKind.FILE, Path("a b:c,d.mp4"))),
        ("test:", SourceSpec("test:", SourceKind.SCENE, size=Size(1280, 720), fps=30.0)),
        ("test:640x360", SourceSpec("test:640x360", SourceKind.SCENE, size=Size(640, 360), fps=30.0)),
        ("test:641x361@29.97", SourceSpec("test:641x361@29.97", SourceKind.SCENE, size=Size(641, 361), fps=29.97)),
    ],
)
def test_good(text: str, expected: SourceSpec) -> None:
    assert parse_source(text) == expected


def test_home_is_expanded() -> None:
    assert parse_source("file:~/clip.mp4").path == Path.home() / "clip.mp4"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "/dev/videoN"),
        ("0", "/dev/video0"),
        ("clip.mp4", "file:clip.mp4"),
        ("file:", "file:PATH"),
        ("test:big", "test:1280x720@30"),
        ("test:640x360@", "test:1280x720@30"),
        ("test:640x360@0", "test:1280x720@30"),
        ("test:640x360@1000", "test:1280x720@30"),
        ("test:0x360", "test:1280x720@30"),
        ("test:99999x360", "test:1280x720@30"),
        ("rtsp://host/stream.mp4", "/dev/videoN"),
        ("Test:640x360", "/dev/videoN"),
    ],
)
def test_bad_text_is_named_with_a_remedy(text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_source(text)
    assert f"`{text}`" in caught.value.problem
    assert hint in caught.value.hint


@given(st.text())
def test_any_text_is_a_spec_or_a_config_error(text: str) -> None:
    with suppress(ConfigError):
        assert parse_source(text).text == text


def test_unknown_home_is_left_to_the_opening() -> None:
    assert parse_source("file:~no-such-user/a.mp4").path == Path("~no-such-user/a.mp4")

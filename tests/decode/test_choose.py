"""The choice of a decoder, and that a fallback is said."""

import logging

import pytest

from vcam.decode import turbo_library
from vcam.decode.av_mjpeg import AvDecoder
from vcam.decode.choose import make_decoder
from vcam.decode.raw import RawDecoder
from vcam.decode.turbo import TurboDecoder
from vcam.errors import MissingDependencyError
from vcam.frame import PixelFormat, VideoFormat


def test_raw_formats_need_no_decoder() -> None:
    for pixel_format in set(PixelFormat) - {PixelFormat.MJPG}:
        assert isinstance(make_decoder(VideoFormat(pixel_format, 4, 4)), RawDecoder)


def test_jpeg_gets_libjpeg_turbo() -> None:
    assert isinstance(make_decoder(VideoFormat(PixelFormat.MJPG, 4, 4)), TurboDecoder)


def test_without_the_library_pyav_decodes_and_the_log_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    monkeypatch.setattr(turbo_library, "DEFAULT_LIB_PATHS", {})
    with pytest.raises(MissingDependencyError):
        turbo_library.find_library()
    with caplog.at_level(logging.WARNING):
        assert isinstance(make_decoder(VideoFormat(PixelFormat.MJPG, 4, 4)), AvDecoder)
    assert [record.message for record in caplog.records] == ["decode.fallback"]

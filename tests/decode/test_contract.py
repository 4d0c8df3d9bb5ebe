"""What every decoder promises."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.support.jpeg import encode_jpeg, smooth_rgb
from tests.support.nvjpeg_like import NvJpegLike
from vcam.cuda.device import Device
from vcam.decode.av_mjpeg import AvDecoder
from vcam.decode.race import DecoderRace
from vcam.decode.raw import RawDecoder
from vcam.decode.turbo import TurboDecoder
from vcam.errors import DecodeError
from vcam.fakes import FakeDriver
from vcam.frame import EncodedFrame, PixelFormat, Plane, Range, Stamp, VideoFormat, frame_bytes
from vcam.stages import Decoder

WIDTH, HEIGHT = 64, 48
MJPG = VideoFormat(PixelFormat.MJPG, WIDTH, HEIGHT)
YUYV = VideoFormat(PixelFormat.YUYV, WIDTH, HEIGHT)

Case = tuple[Callable[[], Decoder], EncodedFrame]


def jpeg_frame() -> EncodedFrame:
    return EncodedFrame(encode_jpeg(smooth_rgb(WIDTH, HEIGHT)), MJPG, Stamp(40, 2, 1))


def racing() -> Decoder:
    """In its race, nvJPEG takes part on a GPU that is none."""
    driver = FakeDriver()
    library = NvJpegLike(driver)
    race = DecoderRace(lambda: Device(driver), lambda count: np.empty(count, np.uint8), load=lambda: library.functions)
    return race.make_decoder(MJPG)


CASES: dict[str, Case] = {
    "raw": (RawDecoder, EncodedFrame(bytes(range(256)) * 24, YUYV, Stamp(40, 2, 1))),
    "turbo": (TurboDecoder, jpeg_frame()),
    "av": (AvDecoder, jpeg_frame()),
    "racing": (racing, jpeg_frame()),
}


@pytest.fixture(params=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def test_decodes_and_keeps_the_stamp(case: Case) -> None:
    make, frame = case
    with make() as decoder:
        image = decoder.decode(frame)
        assert image.stamp == frame.stamp
        assert image.format.size == frame.format.size
        assert image.format.pixel_format is not PixelFormat.MJPG


def test_has_a_name_before_it_is_opened(case: Case) -> None:
    assert case[0]().name in {"raw", "turbojpeg", "pyav", "nvjpeg"}


def test_bytes_of_any_kind(case: Case) -> None:
    make, frame = case
    data = bytes(frame.data)
    kinds: list[bytes | bytearray | memoryview | Plane] = [
        data,
        bytearray(data),
        memoryview(data),
        np.frombuffer(data, np.uint8),
    ]
    with make() as decoder:
        lumas = [decoder.decode(EncodedFrame(kind, frame.format, frame.stamp)).planes[0].copy() for kind in kinds]
    for luma in lumas[1:]:
        np.testing.assert_array_equal(luma, lumas[0])


@pytest.mark.parametrize("kept", [0, 1, 0.5, 0.95])
def test_short_frame_is_refused_and_the_next_is_good(case: Case, kept: float) -> None:
    make, frame = case
    count = int(kept) if kept in (0, 1) else int(len(frame.data) * kept)
    with make() as decoder:
        expected = decoder.decode(frame).planes[0].copy()
        with pytest.raises(DecodeError) as caught:
            decoder.decode(EncodedFrame(bytes(frame.data)[:count], frame.format, frame.stamp))
        assert caught.value.hint
        np.testing.assert_array_equal(decoder.decode(frame).planes[0], expected)


def test_close_twice_and_open_again(case: Case) -> None:
    make, frame = case
    decoder = make()
    decoder.__exit__(None, None, None)
    for _ in range(2):
        with decoder:
            decoder.decode(frame)
        decoder.__exit__(None, None, None)


def test_both_jpeg_decoders_agree() -> None:
    frame = jpeg_frame()
    with TurboDecoder() as turbo, AvDecoder() as av:
        one, other = turbo.decode(frame), av.decode(frame)
        assert one.format == other.format
        assert one.format.range is Range.FULL
        for a, b in zip(one.planes, other.planes, strict=True):
            assert np.abs(a.astype(int) - b).max() <= 1


@pytest.mark.parametrize("pixel_format", [f for f in PixelFormat if f is not PixelFormat.MJPG])
@pytest.mark.parametrize("padding", [0, 16])
def test_raw_planes_are_views(pixel_format: PixelFormat, padding: int) -> None:
    packed = VideoFormat(pixel_format, 31, 17)
    stride = 0 if not padding else {PixelFormat.YUYV: 64, PixelFormat.RGB24: 96}.get(pixel_format, 48)
    fmt = VideoFormat(pixel_format, 31, 17, stride=stride)
    data = np.random.default_rng(2).integers(0, 256, frame_bytes(fmt) + 5, dtype=np.uint8)
    with RawDecoder() as decoder:
        image = decoder.decode(EncodedFrame(data, fmt, Stamp(0, 0)))
    assert sum(plane.size for plane in image.planes) == frame_bytes(packed)
    assert all(np.shares_memory(plane, data) for plane in image.planes)
    assert image.planes[0][0, 0] == data[0]

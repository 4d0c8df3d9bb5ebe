"""libjpeg-turbo against nvJPEG: the faster one is chosen, and no fault of nvJPEG's is ever seen in a picture."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import pytest

from tests.decode.test_nvjpeg import read_back
from tests.decode.test_turbo import corrupt_frames, frame_of
from tests.support.jpeg import encode_jpeg, smooth_rgb, without_huffman_tables
from tests.support.nvjpeg_like import NvJpegLike
from vcam.cuda.device import Device
from vcam.cuda.errors import ILLEGAL_ADDRESS, OUT_OF_MEMORY
from vcam.decode import choose
from vcam.decode.av_mjpeg import AvDecoder
from vcam.decode.nvjpeg_library import Status
from vcam.decode.race import REFUSALS, ROUNDS, WARM_UP, DecoderRace, RacingDecoder
from vcam.decode.race_rules import MARGIN
from vcam.decode.raw import RawDecoder
from vcam.decode.turbo import TurboDecoder
from vcam.errors import DecodeError, MissingDependencyError
from vcam.fakes import FakeDriver
from vcam.frame import EncodedFrame, Image, PixelFormat, Plane, Planes, VideoFormat
from vcam.installing import how_to_add
from vcam.stages import Decoder

FRAMES = WARM_UP + ROUNDS
MJPG = VideoFormat(PixelFormat.MJPG, 64, 48)
FAST, SLOW = (0.004, 0.001), (0.004, 0.0038)
"""Seconds that libjpeg-turbo and nvJPEG take."""


def frames(count: int, start: int = 0) -> Iterator[EncodedFrame]:
    """A moving picture, some of it without Huffman tables, as cameras send it."""
    for index in range(start, start + count):
        jpeg = encode_jpeg(smooth_rgb(64, 48, phase=index))
        yield frame_of(without_huffman_tables(jpeg) if index % 2 else jpeg)


class Track:
    """A race on a GPU that is none, with the times it takes."""

    def __init__(self, seconds: tuple[float, float] = FAST) -> None:
        self.driver = FakeDriver()
        self.library = NvJpegLike(self.driver)
        self._seconds = seconds
        self.allocated: list[int] = []
        self.race = DecoderRace(
            lambda: Device(self.driver), self._allocate, load=lambda: self.library.functions, clock=self._clock
        )

    def _allocate(self, count: int) -> Plane:
        self.allocated.append(count)
        return np.empty(count, np.uint8)

    def _clock(self) -> float:
        """Only uploads, of three planes each, and nvJPEG take time."""
        uploads, decoded = self.driver.calls.count("copy_to_device") / 3, self.library.calls.count("nvjpegDecode")
        return self._seconds[0] * uploads + self._seconds[1] * decoded

    def planes(self, image: Image) -> Planes:
        return read_back(self.driver, image) if image.device else image.planes

    def same(self, image: Image, frame: EncodedFrame) -> bool:
        with TurboDecoder() as turbo:
            wanted = turbo.decode(frame)
            assert wanted.format == image.format
            assert wanted.stamp == image.stamp
            return all(
                np.array_equal(found, plane) for found, plane in zip(self.planes(image), wanted.planes, strict=True)
            )

    def run(self, decoder: Decoder, count: int = FRAMES) -> list[Image]:
        """Every picture is the right one, whoever made it."""
        images = []
        for frame in frames(count):
            image = decoder.decode(frame)
            assert self.same(image, frame)
            images.append(image)
        return images

    def close(self) -> None:
        assert self.library.leaks() == []
        assert self.driver.leaks() == []


@pytest.fixture
def track() -> Iterator[Track]:
    track = Track()
    yield track
    track.close()


def chosen(caplog: pytest.LogCaptureFixture) -> Sequence[logging.LogRecord]:
    return [record for record in caplog.records if record.message == "decode.chosen"]


def test_the_faster_one_stays(track: Track, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), track.race.make_decoder(MJPG) as decoder:
        assert decoder.name == "turbojpeg"
        assert not any(image.device for image in track.run(decoder))
        assert decoder.name == "nvjpeg"
        assert all(image.device for image in track.run(decoder, 5))
    (record,) = chosen(caplog)
    assert vars(record)["decoder"] == "nvjpeg"
    assert (vars(record)["turbojpeg_ms"], vars(record)["nvjpeg_ms"]) == (4.0, 1.0)


@pytest.mark.parametrize("nvjpeg_s", [0.004 * MARGIN, 0.0041, 0.02])
def test_nvjpeg_must_be_clearly_faster(nvjpeg_s: float, caplog: pytest.LogCaptureFixture) -> None:
    track = Track((0.004, nvjpeg_s))
    with caplog.at_level(logging.INFO), track.race.make_decoder(MJPG) as decoder:
        assert not any(image.device for image in track.run(decoder, FRAMES + 3))
        assert decoder.name == "turbojpeg"
        assert track.library.leaks() == []
    assert vars(chosen(caplog)[0])["nvjpeg_ms"] == pytest.approx(1e3 * nvjpeg_s)
    track.close()


def test_three_decoders_share_one_race(track: Track) -> None:
    """As the pipeline uses them, in turns. Only one compares."""
    with ExitStack() as stack:
        decoders = [stack.enter_context(track.race.make_decoder(MJPG)) for _ in range(3)]
        for _ in range(FRAMES - 1):
            for decoder in decoders:
                track.run(decoder, 1)
        assert track.library.calls.count("nvjpegCreateEx") == 1
        track.run(decoders[0], 1)
        assert [decoder.name for decoder in decoders] == ["nvjpeg"] * 3
        images = [track.run(decoder, 1)[0] for decoder in decoders]
        assert len({image.device[0].address for image in images}) == 3


def test_planes_lie_in_the_memory_that_is_given(track: Track) -> None:
    with track.race.make_decoder(MJPG) as decoder:
        track.run(decoder, 2)
        assert track.allocated == [64 * 48 * 2]


def rounded(planes: Planes) -> Planes:
    return (planes[0] ^ np.tile(np.array([0, 1], np.uint8), 32), *planes[1:])


def spoilt(planes: Planes) -> Planes:
    return (planes[0] ^ np.uint8(8), *planes[1:])


def swapped(planes: Planes) -> Planes:
    return (planes[0], planes[2], planes[1])


@pytest.mark.parametrize("spoil", [spoilt, swapped])
def test_a_wrong_picture_disqualifies(track: Track, spoil: object, caplog: pytest.LogCaptureFixture) -> None:
    track.library._spoil = spoil  # type: ignore[assignment]
    with caplog.at_level(logging.INFO), track.race.make_decoder(MJPG) as decoder:
        track.run(decoder, FRAMES + 3)
        assert decoder.name == "turbojpeg"
    assert "differs" in vars(chosen(caplog)[0])["reason"]


def test_one_level_of_rounding_does_not(track: Track) -> None:
    track.library._spoil = rounded
    with track.race.make_decoder(MJPG) as decoder:
        for frame in frames(FRAMES):
            decoder.decode(frame)
        assert decoder.name == "nvjpeg"


def test_who_shows_broken_frames_is_disqualified(track: Track, caplog: pytest.LogCaptureFixture) -> None:
    track.library._lenient = True
    with caplog.at_level(logging.INFO), track.race.make_decoder(MJPG) as decoder:
        track.run(decoder, FRAMES + 3)
        assert decoder.name == "turbojpeg"
    assert "broken" in vars(chosen(caplog)[0])["reason"]


@pytest.mark.parametrize("call", ["nvjpegGetProperty", "nvjpegCreateEx", "nvjpegJpegStateCreate", "nvjpegDecode"])
@pytest.mark.parametrize("on", [1, 5])
def test_no_fault_of_nvjpeg_in_the_race_is_seen(
    track: Track, call: str, on: int, caplog: pytest.LogCaptureFixture
) -> None:
    if call != "nvjpegDecode" and on > 1:
        return
    track.library.fail(call, Status.EXECUTION_FAILED, on=on)
    with caplog.at_level(logging.INFO), track.race.make_decoder(MJPG) as decoder:
        track.run(decoder, FRAMES + 3)
        assert decoder.name == "turbojpeg"
    assert "EXECUTION_FAILED" in vars(chosen(caplog)[0])["reason"]


def test_without_the_library_libjpeg_turbo_decodes(caplog: pytest.LogCaptureFixture) -> None:
    driver = FakeDriver()

    def absent() -> dict[str, object]:
        raise MissingDependencyError("nvJPEG is not installed", hint=how_to_add("gpu"))

    race = DecoderRace(lambda: Device(driver), lambda count: np.empty(count, np.uint8), load=absent)  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO), race.make_decoder(MJPG) as decoder:
        for frame in frames(3):
            decoder.decode(frame)
        assert decoder.name == "turbojpeg"
    assert [vars(record)["reason"] for record in chosen(caplog)] == ["nvJPEG is not installed"]
    assert driver.leaks() == []


def test_no_memory_to_compare_in_is_no_harm(track: Track) -> None:
    with track.race.make_decoder(MJPG) as decoder:
        track.driver.fail("allocate", OUT_OF_MEMORY)
        track.run(decoder, 5)
        assert decoder.name == "turbojpeg"


def test_corrupt_frames_are_refused_before_and_after(track: Track) -> None:
    with track.race.make_decoder(MJPG) as decoder:
        for data in corrupt_frames().values():
            with pytest.raises(DecodeError):
                decoder.decode(frame_of(data))
        track.run(decoder)
        for data in corrupt_frames().values():
            with pytest.raises(DecodeError):
                decoder.decode(frame_of(data))
        assert decoder.name == "nvjpeg"


def refuse_next(track: Track, decoder: Decoder) -> Image:
    track.library.fail("nvjpegDecode", Status.JPEG_NOT_SUPPORTED)
    return track.run(decoder, 1)[0]


def test_frames_that_only_nvjpeg_refuses_are_shown_and_many_in_a_row_end_it(track: Track) -> None:
    with track.race.make_decoder(MJPG) as decoder:
        track.run(decoder)
        for _ in range(3):
            for _ in range(REFUSALS - 1):
                assert not refuse_next(track, decoder).device
            assert track.run(decoder, 1)[0].device
        for _ in range(REFUSALS):
            refuse_next(track, decoder)
        assert decoder.name == "turbojpeg"
        assert not track.run(decoder, 1)[0].device
        assert track.library.leaks() == []


@pytest.mark.parametrize("lost", [False, True])
def test_a_fault_of_the_gpu_ends_it_at_once(track: Track, lost: bool) -> None:
    with track.race.make_decoder(MJPG) as decoder:
        track.run(decoder)
        if lost:
            track.driver.fail("synchronize_stream", ILLEGAL_ADDRESS)
        else:
            track.library.fail("nvjpegDecode", Status.INTERNAL_ERROR)
        assert not track.run(decoder, 1)[0].device
        assert decoder.name == "turbojpeg"


def test_a_race_broken_off_is_run_by_another(track: Track) -> None:
    first = track.race.make_decoder(MJPG)
    with first:
        track.run(first, FRAMES - 1)
    with track.race.make_decoder(MJPG) as second:
        track.run(second, FRAMES - 1)
        assert second.name == "turbojpeg"
        track.run(second, 1)
        assert second.name == "nvjpeg"
    with track.race.make_decoder(MJPG) as third:
        assert track.run(third, 1)[0].device


def test_each_format_has_a_race_of_its_own(track: Track) -> None:
    other = VideoFormat(PixelFormat.MJPG, 32, 16)
    with track.race.make_decoder(MJPG) as decoder, track.race.make_decoder(other) as small:
        track.run(decoder)
        assert (decoder.name, small.name) == ("nvjpeg", "turbojpeg")


def test_nothing_else_is_raced_for(track: Track, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(track.race.make_decoder(VideoFormat(PixelFormat.YUYV, 4, 4)), RawDecoder)
    assert isinstance(track.race.make_decoder(MJPG), RacingDecoder)
    monkeypatch.setattr("ctypes.util.find_library", lambda name: None)
    monkeypatch.setattr("vcam.decode.turbo_library.DEFAULT_LIB_PATHS", {})
    assert isinstance(track.race.make_decoder(MJPG), AvDecoder)
    assert isinstance(choose.make_decoder(MJPG), AvDecoder)


def test_used_outside_its_block(track: Track) -> None:
    decoder = track.race.make_decoder(MJPG)
    with pytest.raises(RuntimeError, match="with block"):
        decoder.decode(next(frames(1)))

"""nvJPEG into a GPU's memory: what it is asked, in which order, and what becomes of everything that can go wrong."""

from collections.abc import Iterator

import numpy as np
import pytest

from tests.decode.test_turbo import corrupt_frames, frame_of
from tests.support.jpeg import Subsampling, encode_jpeg, smooth_rgb, without_huffman_tables
from tests.support.nvjpeg_like import NvJpegLike
from vcam.cuda.device import Device
from vcam.cuda.errors import ILLEGAL_ADDRESS, OUT_OF_MEMORY
from vcam.decode.nvjpeg import NvJpegDecoder
from vcam.decode.nvjpeg_library import Status
from vcam.decode.turbo import TurboDecoder
from vcam.errors import DecodeError, GpuError, GpuLostError, MissingDependencyError
from vcam.fakes import FakeDriver
from vcam.frame import EncodedFrame, Image, Matrix, PixelFormat, Planes, Range, Stamp, VideoFormat, plane_shapes
from vcam.installing import how_to_add

TAKEN = {
    Subsampling.S444: PixelFormat.I444,
    Subsampling.S422: PixelFormat.I422,
    Subsampling.S420: PixelFormat.I420,
    Subsampling.GREY: PixelFormat.I420,
}


@pytest.fixture
def driver() -> Iterator[FakeDriver]:
    driver = FakeDriver()
    yield driver
    assert driver.leaks() == []


@pytest.fixture
def library(driver: FakeDriver) -> Iterator[NvJpegLike]:
    library = NvJpegLike(driver)
    yield library
    assert library.leaks() == []


def decoder_on(driver: FakeDriver, library: NvJpegLike) -> NvJpegDecoder:
    return NvJpegDecoder(lambda: Device(driver), load=lambda: library.functions)


@pytest.fixture
def decoder(driver: FakeDriver, library: NvJpegLike) -> Iterator[NvJpegDecoder]:
    with decoder_on(driver, library) as decoder:
        yield decoder


def read_back(driver: FakeDriver, image: Image) -> Planes:
    """What lies in the device's memory now; nothing is waited for."""
    planes = []
    for (rows, row), plane in zip(plane_shapes(image.format), image.device, strict=True):
        lines = [driver.memory.bytes(plane.address + y * plane.stride, row).copy() for y in range(rows)]
        planes.append(np.stack(lines))
    return tuple(planes)


@pytest.mark.parametrize("subsampling", list(TAKEN))
@pytest.mark.parametrize("size", [(64, 48), (65, 49), (62, 46), (17, 3), (1, 1)])
def test_planes_are_those_of_libjpeg_turbo(
    driver: FakeDriver, decoder: NvJpegDecoder, subsampling: Subsampling, size: tuple[int, int]
) -> None:
    frame = frame_of(encode_jpeg(smooth_rgb(*size), subsampling), *size)
    image = decoder.decode(frame)
    assert image.planes == ()
    assert image.stamp == Stamp(7, 3)
    assert image.format == VideoFormat(TAKEN[subsampling], *size, range=Range.FULL, matrix=Matrix.BT601)
    with TurboDecoder() as turbo:
        for plane, expected in zip(read_back(driver, image), turbo.decode(frame).planes, strict=True):
            np.testing.assert_array_equal(plane, expected)


@pytest.mark.parametrize("subsampling", sorted(set(Subsampling) - set(TAKEN)))
def test_rare_kinds_are_left_to_libjpeg_turbo(decoder: NvJpegDecoder, subsampling: Subsampling) -> None:
    with pytest.raises(DecodeError, match="unusual") as caught:
        decoder.decode(frame_of(encode_jpeg(smooth_rgb(64, 48), subsampling)))
    assert caught.value.hint


def test_missing_huffman_tables_are_the_standard_ones(driver: FakeDriver, decoder: NvJpegDecoder) -> None:
    jpeg = encode_jpeg(smooth_rgb(64, 48))
    whole = read_back(driver, decoder.decode(frame_of(jpeg)))
    bare = read_back(driver, decoder.decode(frame_of(without_huffman_tables(jpeg))))
    for plane, expected in zip(bare, whole, strict=True):
        np.testing.assert_array_equal(plane, expected)


def test_order_of_calls(driver: FakeDriver, library: NvJpegLike) -> None:
    frame = frame_of(encode_jpeg(smooth_rgb(64, 48)))
    with decoder_on(driver, library) as decoder:
        opened = list(library.calls)
        decoder.decode(frame)
        decoder.decode(frame)
    assert opened == ["nvjpegGetProperty"] * 3 + ["nvjpegCreateEx", "nvjpegJpegStateCreate"]
    assert library.calls[len(opened) :] == [
        *["nvjpegGetImageInfo", "nvjpegDecode"] * 2, "nvjpegJpegStateDestroy", "nvjpegDestroy",
    ]  # fmt: skip


def test_memory_is_allocated_once_per_size_and_given_back(driver: FakeDriver, decoder: NvJpegDecoder) -> None:
    small, large = (frame_of(encode_jpeg(smooth_rgb(*size))) for size in ((32, 16), (640, 480)))
    before = driver.memory.used_bytes
    first, again = decoder.decode(small), decoder.decode(small)
    assert first.device == again.device
    assert driver.calls.count("allocate") == 1
    assert decoder.decode(large).format.width == 640
    assert driver.memory.used_bytes - before == 480 * (640 + 2 * 384)  # lines of 320 bytes begin at multiples of 128


@pytest.mark.parametrize("kind", list(corrupt_frames()))
def test_corrupt_frame_is_refused_and_the_next_is_good(driver: FakeDriver, decoder: NvJpegDecoder, kind: str) -> None:
    good = frame_of(encode_jpeg(smooth_rgb(64, 48)))
    expected = read_back(driver, decoder.decode(good))
    with pytest.raises(DecodeError) as caught:
        decoder.decode(frame_of(corrupt_frames()[kind]))
    assert caught.value.hint
    for plane, wanted in zip(read_back(driver, decoder.decode(good)), expected, strict=True):
        np.testing.assert_array_equal(plane, wanted)


@pytest.mark.parametrize("call", ["nvjpegGetImageInfo", "nvjpegDecode"])
@pytest.mark.parametrize("status", [each for each in Status if each])
def test_every_status_becomes_our_error_and_the_next_frame_is_decoded(
    driver: FakeDriver, library: NvJpegLike, decoder: NvJpegDecoder, call: str, status: Status
) -> None:
    frame = frame_of(encode_jpeg(smooth_rgb(64, 48)))
    library.fail(call, status)
    of_the_frame = status in (Status.BAD_JPEG, Status.JPEG_NOT_SUPPORTED, Status.INCOMPLETE_BITSTREAM)
    with pytest.raises(DecodeError if of_the_frame else GpuError, match=f"{call}: NVJPEG_STATUS_{status.name}"):
        decoder.decode(frame)
    assert decoder.decode(frame).device
    assert library.calls.count("nvjpegJpegStateCreate") == 2


def test_a_state_that_cannot_be_renewed_is_a_fault_of_the_gpu(library: NvJpegLike, decoder: NvJpegDecoder) -> None:
    library.fail("nvjpegDecode", Status.BAD_JPEG)
    library.fail("nvjpegJpegStateCreate", Status.ALLOCATOR_FAILURE)
    frame = frame_of(encode_jpeg(smooth_rgb(64, 48)))
    with pytest.raises(GpuError, match="ALLOCATOR_FAILURE"):
        decoder.decode(frame)
    with pytest.raises(GpuError, match="NOT_INITIALIZED"):
        decoder.decode(frame)
    assert decoder.decode(frame).device  # the second failure renewed it


@pytest.mark.parametrize("call", ["nvjpegGetProperty", "nvjpegCreateEx", "nvjpegJpegStateCreate"])
def test_nothing_stays_behind_when_opening_fails(driver: FakeDriver, library: NvJpegLike, call: str) -> None:
    library.fail(call, Status.EXECUTION_FAILED)
    with pytest.raises(GpuError, match="EXECUTION_FAILED") as caught, decoder_on(driver, library):
        pass
    assert "libjpeg-turbo" in caught.value.hint


def test_without_the_library_no_gpu_is_touched(driver: FakeDriver) -> None:
    def absent() -> dict[str, object]:
        raise MissingDependencyError("nvJPEG is not installed", hint=how_to_add("gpu"))

    with pytest.raises(MissingDependencyError), NvJpegDecoder(lambda: Device(driver), load=absent):  # type: ignore[arg-type]
        pass
    assert "retain_context" not in driver.calls


def test_no_memory_is_a_fault_of_the_gpu_and_later_there_is_some(driver: FakeDriver, decoder: NvJpegDecoder) -> None:
    frame = frame_of(encode_jpeg(smooth_rgb(64, 48)))
    driver.fail("allocate", OUT_OF_MEMORY)
    with pytest.raises(GpuError, match="OUT_OF_MEMORY"):
        decoder.decode(frame)
    assert decoder.decode(frame).device


def test_a_lost_gpu_is_told_and_closing_is_quiet(driver: FakeDriver, library: NvJpegLike) -> None:
    with decoder_on(driver, library) as decoder:
        driver.fail("synchronize_stream", ILLEGAL_ADDRESS)
        with pytest.raises(GpuLostError):
            decoder.decode(frame_of(encode_jpeg(smooth_rgb(64, 48))))


def test_used_outside_its_block() -> None:
    driver = FakeDriver()
    decoder = decoder_on(driver, NvJpegLike(driver))
    with pytest.raises(RuntimeError, match="with block"):
        decoder.decode(frame_of(b""))


def test_close_twice_and_open_again(driver: FakeDriver, library: NvJpegLike) -> None:
    decoder = decoder_on(driver, library)
    decoder.__exit__(None, None, None)
    for _ in range(2):
        with decoder:
            decoder.decode(frame_of(encode_jpeg(smooth_rgb(64, 48))))
        decoder.__exit__(None, None, None)


def test_bytes_of_any_kind(driver: FakeDriver, decoder: NvJpegDecoder) -> None:
    data = encode_jpeg(smooth_rgb(64, 48))
    for kind in (data, bytearray(data), memoryview(data), np.frombuffer(data, np.uint8)):
        image = decoder.decode(EncodedFrame(kind, VideoFormat(PixelFormat.MJPG, 64, 48), Stamp(0, 0)))
        assert read_back(driver, image)[0].std() > 10

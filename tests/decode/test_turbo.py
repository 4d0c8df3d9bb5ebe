"""libjpeg-turbo into planes: right pixels for every subsampling and size, and no corrupt frame passes."""

import numpy as np
import pytest

from tests.support.jpeg import Subsampling, encode_jpeg, smooth_rgb, without_huffman_tables
from vcam.color import encode_matrix
from vcam.decode.turbo import TurboDecoder
from vcam.errors import DecodeError, MissingDependencyError
from vcam.frame import EncodedFrame, Image, Matrix, PixelFormat, Plane, Range, Stamp, VideoFormat, plane_shapes

pytest.importorskip("turbojpeg")

EXPECTED = {
    Subsampling.S444: PixelFormat.I444,
    Subsampling.S422: PixelFormat.I422,
    Subsampling.S420: PixelFormat.I420,
    Subsampling.S440: PixelFormat.I444,
    Subsampling.S411: PixelFormat.I422,
    Subsampling.GREY: PixelFormat.I420,
}


def frame_of(data: bytes, width: int = 64, height: int = 48) -> EncodedFrame:
    return EncodedFrame(data, VideoFormat(PixelFormat.MJPG, width, height), Stamp(7, 3))


def full_chroma(image: Image) -> list[np.ndarray[tuple[int, int], np.dtype[np.float64]]]:
    """Planes at luma size, chroma repeated."""
    planes = []
    for plane in image.planes:
        rows, columns = -(-image.format.height // plane.shape[0]), -(-image.format.width // plane.shape[1])
        big = plane.repeat(rows, axis=0).repeat(columns, axis=1)
        planes.append(big[: image.format.height, : image.format.width].astype(np.float64))
    return planes


@pytest.mark.parametrize("subsampling", list(Subsampling))
@pytest.mark.parametrize("size", [(64, 48), (65, 49), (62, 46), (33, 31), (17, 3), (1, 1)])
def test_pixels_are_those_that_were_encoded(subsampling: Subsampling, size: tuple[int, int]) -> None:
    rgb = smooth_rgb(*size)
    with TurboDecoder() as decoder:
        image = decoder.decode(frame_of(encode_jpeg(rgb, subsampling, quality=98), *size))
        assert image.format == VideoFormat(EXPECTED[subsampling], *size, range=Range.FULL, matrix=Matrix.BT601)
        assert [plane.shape for plane in image.planes] == list(plane_shapes(image.format))
        assert image.stamp == Stamp(7, 3)
        got = full_chroma(image)
    flat = np.vstack([rgb.reshape(-1, 3).T / 255.0, np.ones(size[0] * size[1])])
    expected = (encode_matrix(Matrix.BT601, Range.FULL) @ flat).reshape(3, size[1], size[0])
    assert np.abs(got[0] - expected[0]).max() < 4.0
    if subsampling is Subsampling.GREY:
        assert all((plane == 128).all() for plane in got[1:])
    elif min(size) > 16:
        assert max(np.abs(g - e).mean() for g, e in zip(got[1:], expected[1:], strict=True)) < 6.0


def test_no_bias() -> None:
    """A fast but truncating DCT would be half a level too low."""
    noise = np.random.default_rng(0).normal(0.0, 6.0, (240, 320, 3))
    rgb = np.clip(np.rint(smooth_rgb(320, 240) + noise), 0, 255).astype(np.uint8)
    with TurboDecoder() as decoder:
        image = decoder.decode(frame_of(encode_jpeg(rgb, Subsampling.S444, quality=95), 320, 240))
    flat = np.vstack([rgb.reshape(-1, 3).T / 255.0, np.ones(320 * 240)])
    expected = encode_matrix(Matrix.BT601, Range.FULL) @ flat
    bias = [float(plane.mean() - value.mean()) for plane, value in zip(image.planes, expected, strict=True)]
    assert np.abs(bias).max() < 0.05


def test_memory_is_allocated_once_per_size() -> None:
    allocated: list[int] = []

    def allocate(count: int) -> Plane:
        allocated.append(count)
        return np.empty(count, dtype=np.uint8)

    small, large = (encode_jpeg(smooth_rgb(*size)) for size in ((32, 16), (64, 48)))
    with TurboDecoder(allocate=allocate) as decoder:
        first = decoder.decode(frame_of(small))
        second = decoder.decode(frame_of(small))
        assert first.planes[0] is second.planes[0]
        assert decoder.decode(frame_of(large)).format.width == 64
    assert allocated == [32 * 16 * 2, 64 * 48 * 2]


def test_announced_size_does_not_bind() -> None:
    with TurboDecoder() as decoder:
        image = decoder.decode(frame_of(encode_jpeg(smooth_rgb(40, 24)), 1280, 720))
    assert (image.format.width, image.format.height) == (40, 24)


def test_missing_huffman_tables_are_the_standard_ones() -> None:
    jpeg = encode_jpeg(smooth_rgb(64, 48))
    bare = without_huffman_tables(jpeg)
    assert len(bare) < len(jpeg) - 300
    with TurboDecoder() as decoder:
        whole = [plane.copy() for plane in decoder.decode(frame_of(jpeg)).planes]
        for plane, expected in zip(decoder.decode(frame_of(bare)).planes, whole, strict=True):
            np.testing.assert_array_equal(plane, expected)


def noisy_jpeg() -> bytes:
    rgb = np.random.default_rng(5).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    return encode_jpeg(rgb, quality=80)


def corrupt_frames() -> dict[str, bytes]:
    jpeg = noisy_jpeg()
    scan = jpeg.index(b"\xff\xda") + 14
    middle = (scan + len(jpeg)) // 2
    zeroed = jpeg[:middle] + bytes(400) + jpeg[middle + 400 :]
    huge = bytearray(jpeg)
    at = jpeg.index(b"\xff\xc0") + 5
    huge[at : at + 4] = b"\xff\xdc\xff\xdc"
    return {
        "empty": b"",
        "garbage": bytes(range(256)) * 8,
        "zeros": bytes(4096),
        "header only": jpeg[:scan],
        "half": jpeg[:middle],
        "last bytes missing": jpeg[:-40],
        "torn tables": jpeg[: jpeg.index(b"\xff\xc4") + 20],
        "zeroed packet": zeroed,
        "marker inside": jpeg[:middle] + b"\xff\xd9" + jpeg[middle:],
        "two halves": jpeg[:middle] + jpeg,
        "absurd size": bytes(huge),
        "start marker only": b"\xff\xd8",
        "no image": b"\xff\xd8\xff\xd9",
    }


@pytest.mark.parametrize("kind", list(corrupt_frames()))
def test_corrupt_frame_is_refused_and_the_next_is_good(kind: str) -> None:
    good = encode_jpeg(smooth_rgb(64, 48))
    with TurboDecoder() as decoder:
        expected = decoder.decode(frame_of(good)).planes[0].copy()
        with pytest.raises(DecodeError) as caught:
            decoder.decode(frame_of(corrupt_frames()[kind]))
        assert caught.value.hint
        np.testing.assert_array_equal(decoder.decode(frame_of(good)).planes[0], expected)


def test_lost_packets_are_found() -> None:
    """Huffman codes find their way again, so a hole shows by the blocks that are missing in the end: nearly always."""
    noise = np.random.default_rng(3).normal(0.0, 5.0, (180, 320, 3))
    jpeg = encode_jpeg(np.clip(smooth_rgb(320, 180) + noise, 0, 255).astype(np.uint8))
    positions = range(1000, len(jpeg) - 1100, len(jpeg) // 40)
    passed = 0
    with TurboDecoder() as decoder:
        for position in positions:
            try:
                decoder.decode(frame_of(jpeg[:position] + jpeg[position + 1024 :]))
                passed += 1
            except DecodeError:
                continue
    assert passed <= len(positions) // 10


def test_flipped_bits_are_found_or_harmless() -> None:
    """Most single flips in the scan lose the decoder's place, which shows; those that do not may stay."""
    jpeg = noisy_jpeg()
    scan = jpeg.index(b"\xff\xda") + 14
    refused = 0
    with TurboDecoder() as decoder:
        for position in range(scan, len(jpeg) - 2, len(jpeg) // 60):
            flipped = bytearray(jpeg)
            flipped[position] ^= 0x10
            try:
                decoder.decode(frame_of(bytes(flipped)))
            except DecodeError:
                refused += 1
    assert refused >= 10


def test_padding_before_and_after_the_end_is_harmless() -> None:
    jpeg = encode_jpeg(smooth_rgb(64, 48))
    with TurboDecoder() as decoder:
        decoder.decode(frame_of(jpeg[:-2] + bytes(4) + jpeg[-2:]))
        decoder.decode(frame_of(jpeg + bytes(1000)))
        with pytest.raises(DecodeError):
            decoder.decode(frame_of(jpeg[:-2] + bytes(200) + jpeg[-2:]))


def test_cmyk_is_refused() -> None:
    import io

    from PIL import Image as Picture

    memory = io.BytesIO()
    Picture.new("CMYK", (32, 32)).save(memory, "JPEG")
    with TurboDecoder() as decoder, pytest.raises(DecodeError, match="unusual"):
        decoder.decode(frame_of(memory.getvalue()))


def test_wrong_library_says_what_to_install() -> None:
    from vcam.decode.turbo_library import Decompressor

    for library in ("libc.so.6", "libnowhere.so.9"):
        with pytest.raises(MissingDependencyError) as caught:
            Decompressor(library)
        assert "libturbojpeg0" in caught.value.hint


def test_closing_twice_frees_once() -> None:
    from vcam.decode.turbo_library import Decompressor, find_library

    decompressor = Decompressor(find_library())
    decompressor.close()
    decompressor.close()

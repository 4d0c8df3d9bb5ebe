"""Frames made readable for nvJPEG: the standard Huffman tables stand in where a camera leaves them out."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Picture

from tests.decode.test_turbo import corrupt_frames, frame_of, noisy_jpeg
from tests.support.jpeg import Subsampling, encode_jpeg, smooth_rgb, without_huffman_tables
from vcam.decode.nvjpeg_bytes import STANDARD_TABLES, whole_jpeg
from vcam.decode.turbo import TurboDecoder
from vcam.errors import DecodeError


def huffman_tables(jpeg: bytes) -> dict[int, bytes]:
    """The tables of all DHT segments before the scan, by class and destination."""
    tables, at = {}, 2
    while jpeg[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4])
        body = jpeg[at + 4 : end] if jpeg[at + 1] == 0xC4 else b""
        while body:
            length = 17 + sum(body[1:17])
            tables[body[0]] = body[:length]
            body = body[length:]
        at = end
    return tables


def pillow_jpeg(mode: str, **options: bool) -> bytes:
    memory = io.BytesIO()
    rgb = Picture.fromarray(smooth_rgb(64, 48))
    rgb.convert(mode).save(memory, "JPEG", **options)
    return memory.getvalue()


def test_the_tables_are_those_that_libjpeg_writes() -> None:
    assert len(STANDARD_TABLES) == 420
    ours = huffman_tables(b"\xff\xd8" + STANDARD_TABLES + b"\xff\xda")
    assert ours == huffman_tables(encode_jpeg(smooth_rgb(64, 48)))
    assert sorted(ours) == [0x00, 0x01, 0x10, 0x11]


def test_other_tables_would_be_told_apart() -> None:
    assert huffman_tables(pillow_jpeg("RGB", optimize=True)) != huffman_tables(
        b"\xff\xd8" + STANDARD_TABLES + b"\xff\xda"
    )


@pytest.mark.parametrize("subsampling", [Subsampling.S444, Subsampling.S422, Subsampling.S420, Subsampling.GREY])
def test_a_frame_without_tables_decodes_as_the_one_with_them(subsampling: Subsampling) -> None:
    jpeg = encode_jpeg(smooth_rgb(64, 48), subsampling)
    bare = without_huffman_tables(jpeg)
    mended = whole_jpeg(bare)
    assert len(mended) == len(bare) + 420
    with TurboDecoder() as decoder:
        whole = [plane.copy() for plane in decoder.decode(frame_of(jpeg)).planes]
        for plane, expected in zip(decoder.decode(frame_of(bytes(mended))).planes, whole, strict=True):
            np.testing.assert_array_equal(plane, expected)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_frame_with_tables_is_not_copied(progressive: bool) -> None:
    jpeg = pillow_jpeg("RGB", progressive=progressive)
    assert whole_jpeg(jpeg) is jpeg


def test_padding_is_left_alone() -> None:
    jpeg = encode_jpeg(smooth_rgb(64, 48))
    for padded in (jpeg + bytes(1000), jpeg[:-2] + bytes(4) + jpeg[-2:], jpeg[:2] + b"\xff\xff\xff" + jpeg[2:]):
        assert whole_jpeg(padded) is padded


SEEN_HERE = {
    "empty", "garbage", "zeros", "header only", "half", "last bytes missing", "torn tables", "two halves",
    "start marker only", "no image",
}  # fmt: skip


@pytest.mark.parametrize("kind", list(corrupt_frames()))
def test_torn_frames_are_refused_before_nvjpeg_sees_them(kind: str) -> None:
    """The others have all their markers: only who decodes them can tell."""
    if kind not in SEEN_HERE:
        whole_jpeg(corrupt_frames()[kind])
        return
    with pytest.raises(DecodeError) as caught:
        whole_jpeg(corrupt_frames()[kind])
    assert caught.value.hint


def test_rgb_inside_is_refused() -> None:
    """Without a JFIF marker: Adobe's marker with transform 0, or components named R, G, B."""
    jpeg = encode_jpeg(smooth_rgb(64, 48), Subsampling.S444)
    assert jpeg[2:4] == b"\xff\xe0"
    bare = jpeg[:2] + jpeg[4 + int.from_bytes(jpeg[4:6]) :]
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
    whole_jpeg(bare)
    whole_jpeg(bare[:2] + adobe + b"\x01" + bare[2:])
    with pytest.raises(DecodeError, match="unusual"):
        whole_jpeg(bare[:2] + adobe + b"\x00" + bare[2:])
    named = bytearray(bare)
    at = bare.index(b"\xff\xc0") + 10
    for offset, letter in zip((0, 3, 6), b"RGB", strict=True):
        named[at + offset] = letter
    with pytest.raises(DecodeError, match="unusual"):
        whole_jpeg(bytes(named))


@given(st.binary(max_size=200), st.integers(0, 2000))
def test_any_bytes_give_a_frame_or_a_decode_error(noise: bytes, at: int) -> None:
    jpeg = noisy_jpeg()
    for data in (noise, b"\xff\xd8" + noise, jpeg[:at] + noise, jpeg[:at] + noise + jpeg[at + len(noise) :]):
        try:
            assert len(whole_jpeg(data)) >= len(data)
        except DecodeError:
            continue

"""Pictures of every kind a user may name, whole and broken."""

import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vcam.errors import MediaError
from vcam.scene.picture_file import load_picture, load_rgba

FILL = (10, 20, 30)


def _levels(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(load_picture(path, FILL))


def _ramp() -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    return np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6)


def _write_png(path: Path, width: int, height: int, data: bytes) -> Path:
    """RGBA, 8 bits (PNG, section 11)."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    packed = [struct.pack(">I", len(d)) + name + d + struct.pack(">I", zlib.crc32(name + d)) for name, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(packed))
    return path


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "CMYK", "1", "LA", "RGBA", "YCbCr"])
def test_converts_every_mode(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.tif"
    Image.new("RGB", (5, 4), (255, 255, 255)).convert(mode).save(path)
    picture = load_picture(path, FILL)
    assert picture.mode == "RGB"
    assert (np.asarray(picture) >= 254).all()


def test_scales_sixteen_bits(tmp_path: Path) -> None:
    path = tmp_path / "deep.png"
    Image.fromarray(_ramp().astype(np.uint16) * 257).save(path)
    assert np.array_equal(_levels(path)[..., 1], _ramp())


def test_scales_floats(tmp_path: Path) -> None:
    path = tmp_path / "float.tif"
    Image.fromarray((_ramp() / 255.0).astype(np.float32)).save(path)
    assert np.array_equal(_levels(path)[..., 1], _ramp())


def test_puts_transparent_parts_over_the_fill(tmp_path: Path) -> None:
    path = tmp_path / "glass.png"
    rgba = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [210, 220, 230, 128]]], np.uint8)
    Image.fromarray(rgba).save(path)
    assert np.abs(_levels(path).astype(int) - [[[200, 100, 50], FILL, [110, 120, 130]]]).max() <= 1


def test_palette_transparency_counts(tmp_path: Path) -> None:
    path = tmp_path / "clear.gif"
    image = Image.new("P", (3, 2), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.save(path, transparency=1)
    assert (_levels(path) == FILL).all()


def test_turns_upright_by_exif(tmp_path: Path) -> None:
    path = tmp_path / "portrait.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(path, exif=exif)
    assert load_picture(path, FILL).size == (20, 40)


def test_keeps_no_more_than_an_output_can_use(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("L", (5000, 10)).save(path)
    assert load_picture(path, FILL).size == (4096, 8)


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "gif", "tif", "bmp"])
def test_a_truncated_file_is_a_media_error_or_a_picture(tmp_path: Path, suffix: str) -> None:
    """Never another exception, and always an error when less than half is there."""
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)).save(path)
    whole = path.read_bytes()
    for share in (0.0, 0.01, 0.05, 0.2, 0.45):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(MediaError) as caught:
            load_picture(path, FILL)
        assert str(path) in caught.value.problem
        assert "image:PATH" in caught.value.hint


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "gif", "webp", "bmp"])
def test_a_corrupt_file_raises_nothing_but_media_errors(tmp_path: Path, suffix: str) -> None:
    rng = np.random.default_rng(1)
    path = tmp_path / f"picture.{suffix}"
    Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(path)
    whole = path.read_bytes()
    failed = 0
    for _ in range(120):
        spoiled = bytearray(whole)
        for at in rng.integers(0, min(len(whole), 300), 6):
            spoiled[at] = int(rng.integers(256))
        path.write_bytes(spoiled)
        try:
            load_picture(path, FILL)
        except MediaError:
            failed += 1
    assert failed > 10


@pytest.mark.parametrize(("width", "height"), [(8001, 8000), (10001, 10000), (60000, 60000)])
def test_refuses_a_huge_picture_by_its_header(tmp_path: Path, width: int, height: int) -> None:
    """Nothing but the header is there: reading pixels would fail otherwise."""
    path = _write_png(tmp_path / "huge.png", width, height, b"")
    with pytest.raises(MediaError, match="too large") as caught:
        load_picture(path, FILL)
    assert "scale" in caught.value.hint


def test_a_large_photograph_is_decoded_smaller(tmp_path: Path) -> None:
    """Above the limit of what cannot be, and a JPEG all the same."""
    path = tmp_path / "photograph.jpg"
    Image.new("L", (8200, 8000), 77).save(path)
    picture = load_picture(path, FILL)
    assert max(picture.size) == 4096
    assert (np.asarray(picture)[::100, ::100] == 77).all()


def test_memory_is_bounded_by_the_limit(tmp_path: Path) -> None:
    """The largest transparent picture that is taken, from a small file."""
    packer = zlib.compressobj(1)
    row = b"\0" + bytes((10, 20, 30, 128)) * 8000
    path = _write_png(
        tmp_path / "large.png", 8000, 8000, b"".join([packer.compress(row) for _ in range(8000)]) + packer.flush()
    )
    code = (
        "import resource; from pathlib import Path; from vcam.scene.picture_file import load_picture\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"load_picture(Path({str(path)!r}), (0, 0, 0))\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert int(done.stdout) < 700


def test_does_not_wait_for_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe.png"
    os.mkfifo(path)
    with pytest.raises(MediaError, match="no regular file"):
        load_picture(path, FILL)


def test_says_what_is_missing_or_no_picture(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="there is no file"):
        load_picture(tmp_path / "nowhere.png", FILL)
    with pytest.raises(MediaError, match="cannot be read"):
        load_picture(tmp_path, FILL)
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    with pytest.raises(MediaError, match="not a picture of a known kind"):
        load_picture(text, FILL)


def test_keeps_the_alpha_of_layers(tmp_path: Path) -> None:
    path = tmp_path / "glass.png"
    rgba = np.array([[[200, 100, 50, 255], [200, 100, 50, 0], [210, 220, 230, 128]]], np.uint8)
    Image.fromarray(rgba).save(path)
    assert np.array_equal(np.asarray(load_rgba(path)), rgba)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "CMYK", "1", "YCbCr", "I;16"])
def test_a_layer_without_alpha_is_opaque(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "picture.tif"
    white = Image.new("RGB", (5, 4), (255, 255, 255))
    deep = Image.fromarray(np.full((4, 5), 65535, np.uint16))
    (deep if mode == "I;16" else white.convert(mode)).save(path)
    assert (np.asarray(load_rgba(path)) >= 254).all()

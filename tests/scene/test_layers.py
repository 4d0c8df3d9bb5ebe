"""Layers from files and texts: where they stand, what they show, what they cost, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.support.golden import check_golden
from vcam.compose.layers import Painter
from vcam.errors import ConfigError, MediaError
from vcam.frame import Overlay, PixelFormat, Plane, VideoFormat, allocate_planes
from vcam.scene import layer_frames as module
from vcam.scene.anchor import Anchor
from vcam.scene.layer_spec import Placement
from vcam.scene.layers import PictureLayer, build_layers
from vcam.stages import Layer

RGB = VideoFormat(PixelFormat.RGB24, 64, 48)
WHITE, RED, BLUE = (255, 255, 255, 255), (255, 0, 0, 255), (0, 0, 255, 255)
MS = 1_000_000


def layer(text: str) -> Layer:
    (one,) = build_layers([text])
    return one


def shown(one: Layer, target: VideoFormat = RGB, pts_ns: int = 0, level: int = 0) -> Plane:
    """(H, W, 3): the layer on a picture whose every byte is ``level``."""
    _, planes = allocate_planes(target)
    planes[0][:] = level
    overlay = one.render(target, pts_ns)
    if overlay is not None:
        Painter().paint(overlay, planes)
    return planes[0].reshape(target.height, target.width, 3)


def box(picture: Plane) -> tuple[int, int, int, int]:
    """left, top, right, bottom of what is not black."""
    rows, columns = np.flatnonzero(picture.any(axis=(1, 2))), np.flatnonzero(picture.any(axis=(0, 2)))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.fixture
def square(tmp_path: Path) -> Path:
    path = tmp_path / "square.png"
    Pillow.new("RGBA", (16, 8), WHITE).save(path)
    return path


def animation(path: Path, *, duration: int | list[int] = 100, size: tuple[int, int] = (8, 8), count: int = 2) -> Path:
    """Red and blue in turns."""
    pictures = [Pillow.new("RGBA", size, (RED, BLUE)[k % 2]) for k in range(count)]
    for k, picture in enumerate(pictures):
        picture.putpixel((0, 0), (0, k, 0, 255))  # or equal neighbours become one
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=duration, loop=0, disposal=2)
    return path


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("", (24, 40, 40, 48)),
        (",x=0,y=0,anchor=top-left", (0, 0, 16, 8)),
        (",x=0.5,y=0.5,anchor=center", (24, 20, 40, 28)),
        (",width=0.5", (16, 32, 48, 48)),
        (",width=1,y=0,anchor=top", (0, 0, 64, 32)),
        (",x=0,y=0,anchor=center", (0, 0, 8, 4)),
        (",x=0.99,y=1,anchor=left", (63, 44, 64, 48)),
        (",anchor=top-right", (48, 0, 64, 8)),
    ],
)
def test_a_picture_stands_where_it_is_put(square: Path, options: str, wanted: tuple[int, int, int, int]) -> None:
    assert box(shown(layer(f"image:{square}{options}"))) == wanted


def test_a_picture_larger_than_the_output_is_shown_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Pillow.new("RGB", (640, 960), (255, 255, 255)).save(path)
    assert box(shown(layer(f"image:{path}"))) == (16, 0, 48, 48)


def test_a_very_narrow_picture_takes_no_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "narrow.png"
    Pillow.new("RGB", (1, 4000), (255, 255, 255)).save(path)
    assert box(shown(layer(f"image:{path},width=1"))) == (32, 0, 33, 48)


def test_opacity_and_alpha_multiply(tmp_path: Path) -> None:
    path = tmp_path / "glass.png"
    Pillow.new("RGBA", (64, 48), (200, 100, 0, 128)).save(path)
    picture = shown(layer(f"image:{path},opacity=0.5"), level=40)
    assert np.abs(picture.astype(int) - [80, 55, 30]).max() <= 1


def test_a_mask_says_what_is_seen(tmp_path: Path, square: Path) -> None:
    mask = tmp_path / "mask.png"
    half = Pillow.new("L", (32, 16), 0)
    half.paste(255, (0, 0, 16, 16))
    half.save(mask)
    left, top, right, bottom = box(shown(layer(f"image:{square},mask={mask}")))
    assert (left, top, bottom) == (24, 40, 48)
    assert 32 <= right <= 33


@pytest.mark.parametrize("kind", ["gif", "webp"])
def test_an_animation_moves_and_begins_again(tmp_path: Path, kind: str) -> None:
    path = animation(tmp_path / f"two.{kind}", duration=[100, 300])
    moving = layer(f"image:{path},x=0,y=0,anchor=top-left")
    colors = [tuple(int(v) for v in shown(moving, pts_ns=ms * MS)[4, 4] // 128) for ms in (0, 99, 100, 399, 400, 40099)]
    red, blue = (1, 0, 0), (0, 0, 1)
    assert colors == [red, red, blue, blue, red, red]


def test_each_picture_is_drawn_once_per_output(tmp_path: Path, square: Path) -> None:
    path = animation(tmp_path / "two.gif")
    other = VideoFormat(PixelFormat.NV12, 64, 48)
    for one in (layer(f"image:{square}"), layer(f"image:{path}"), layer("text:Ada")):
        first = [one.render(target, 50 * MS) for target in (RGB, other)]
        again = [one.render(target, 50 * MS) for target in (RGB, other)]
        assert all(isinstance(overlay, Overlay) for overlay in first)
        assert [id(overlay) for overlay in first] == [id(overlay) for overlay in again]


def test_files_are_read_once(square: Path) -> None:
    one = layer(f"image:{square}")
    square.unlink()
    assert box(shown(one)) == (24, 40, 40, 48)


def test_an_animation_is_kept_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = animation(tmp_path / "large.gif", size=(400, 200), count=12)
    monkeypatch.setattr(module, "_MOST_KEPT_PIXELS", 100_000)
    frames = module.load_frames(path, None)
    sizes = {picture.size for picture in frames.pictures}
    assert len(frames.pictures) == 12
    assert len(sizes) == 1
    assert sum(picture.width * picture.height for picture in frames.pictures) <= 101_000
    target = VideoFormat(PixelFormat.RGB24, 800, 400)
    one = PictureLayer(frames, Placement(Anchor.TOP_LEFT, 0.0, 0.0), 1.0)
    assert box(shown(one, target)) == (0, 0, 400, 200), "it is shown as large as it is in its file"


def test_a_long_animation_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = animation(tmp_path / "long.gif", count=6)
    monkeypatch.setattr(module, "_MOST_PICTURES", 5)
    with pytest.raises(MediaError, match=r"more than 5 pictures of 8x8"):
        layer(f"image:{path}")
    monkeypatch.setattr(module, "_MOST_PICTURES", 300)
    monkeypatch.setattr(module, "_MOST_READ_PIXELS", 200)
    with pytest.raises(MediaError, match=r"more than 3 pictures"):
        layer(f"image:{path}")


@pytest.mark.parametrize("name", ["missing.png", "text.png", "torn.gif", "mask.png"])
def test_a_bad_file_is_told(tmp_path: Path, square: Path, name: str) -> None:
    path = tmp_path / name
    if name == "text.png":
        path.write_text("no picture")
    if name == "torn.gif":
        whole = animation(path, count=20).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    text = f"image:{square},mask={path}" if name == "mask.png" else f"image:{path}"
    with pytest.raises(MediaError) as caught:
        layer(text)
    assert name in caught.value.problem
    assert caught.value.hint


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "pipe.gif"
    os.mkfifo(path)
    with pytest.raises(MediaError, match=r"pipe\.gif"):
        layer(f"image:{path}")


def test_a_large_still_of_a_kind_that_can_move_is_a_picture(tmp_path: Path) -> None:
    path = tmp_path / "still.webp"
    Pillow.new("RGB", (4000, 3000), (255, 255, 255)).save(path)
    assert box(shown(layer(f"image:{path},width=0.5"))) == (16, 24, 48, 48)


def test_one_bad_layer_refuses_all(square: Path) -> None:
    with pytest.raises(ConfigError):
        build_layers([f"image:{square}", "image:"])


def test_letters_of_greek_and_cyrillic_are_our_own() -> None:
    build_layers(["text:Jörg Żółć-Üßler,Ведущий инженер · Ελλάδα €"])


def test_a_file_that_is_no_font_is_told(square: Path) -> None:
    with pytest.raises(MediaError, match="is no font"):
        build_layers([f"text:Ada,font={square}"])


def test_the_panel_stands_clear_of_the_corner_and_grows_with_the_output() -> None:
    for height in (180, 720):
        target = VideoFormat(PixelFormat.RGB24, height * 16 // 9, height)
        # Over white, the panel is dark; its shadow is not.
        dark = (255 - shown(layer("text:Ada Lovelace,Analyst"), target, level=255).astype(int)).clip(0, 255) > 150
        left, top, right, bottom = box(dark.astype(np.uint8))
        assert abs(left / target.width - 0.04) < 0.02
        assert abs(bottom / height - 0.94) < 0.01
        assert 0.10 < (bottom - top) / height < 0.20
        assert 0.15 < (right - left) / target.width < 0.45


def test_a_long_text_stays_inside() -> None:
    target = VideoFormat(PixelFormat.RGB24, 320, 180)
    left, _, right, _ = box(255 - shown(layer("text:" + "W" * 80 + ",anchor=center"), target, level=255))
    assert left > 0
    assert right < 320


def test_golden_plate() -> None:
    target = VideoFormat(PixelFormat.RGB24, 320, 180)
    check_golden("layer-plate", shown(layer("text:Ada Lovelace,Analyst"), target, level=90), tolerance=4)

"""Backdrops: one contract for all, and how pictures are fitted."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from tests.support.golden import check_golden
from vcam.frame import PixelFormat, VideoFormat, plane_shapes
from vcam.scene.backdrops import PictureBackdrop, SolidBackdrop
from vcam.scene.encode import decode_rgb
from vcam.scene.fit import Fit
from vcam.stages import Backdrop

Make = Callable[[], Backdrop]
RGB = VideoFormat(PixelFormat.RGB24, 64, 36)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """30x30: a disc, a red left and a blue right border."""
    image = Pillow.new("RGB", (30, 30), (240, 220, 120))
    draw = ImageDraw.Draw(image)
    draw.ellipse((8, 8, 21, 21), fill=(30, 120, 60))
    draw.rectangle((0, 0, 2, 29), fill=(200, 30, 30))
    draw.rectangle((27, 0, 29, 29), fill=(30, 30, 200))
    path = tmp_path / "picture.png"
    image.save(path)
    return path


@pytest.fixture(params=["solid", "picture"])
def make(request: pytest.FixtureRequest, picture: Path) -> Make:
    makers: dict[str, Make] = {
        "solid": lambda: SolidBackdrop((10, 200, 30)),
        "picture": lambda: PictureBackdrop(picture),
    }
    return makers[request.param]


@pytest.mark.parametrize("layout", [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420, PixelFormat.RGB24])
def test_renders_in_the_layout_of_the_target(make: Make, layout: PixelFormat) -> None:
    target = VideoFormat(layout, 33, 17)
    image = make().render(target, 0)
    assert image.format == target
    assert tuple(plane.shape for plane in image.planes) == plane_shapes(target)


def test_renders_once_per_target(make: Make) -> None:
    backdrop = make()
    first = backdrop.render(RGB, 0)
    other = backdrop.render(VideoFormat(PixelFormat.YUYV, 20, 10), 5)
    assert backdrop.render(RGB, 1_000_000_000) is first
    assert other is not first


def test_a_padded_target_is_rendered_packed(make: Make) -> None:
    image = make().render(VideoFormat(PixelFormat.YUYV, 16, 8, stride=64), 0)
    assert image.format.stride == 0
    assert image.planes[0].shape == (8, 32)


def test_solid_is_that_colour() -> None:
    rgb = decode_rgb(SolidBackdrop((1, 2, 3)).render(RGB, 0).planes, RGB)
    assert (rgb == (1, 2, 3)).all()


@pytest.mark.parametrize("fit", list(Fit))
def test_golden_fit(picture: Path, fit: Fit) -> None:
    image = PictureBackdrop(picture, fit, fill=(90, 90, 90)).render(RGB, 0)
    check_golden(f"fit-{fit}", decode_rgb(image.planes, RGB), tolerance=3)


def test_cover_cuts_evenly_and_contain_shows_all(picture: Path) -> None:
    cover = decode_rgb(PictureBackdrop(picture, Fit.COVER).render(RGB, 0).planes, RGB)
    assert cover[18, 1, 0] > 150, "the red border reaches the left edge"
    assert cover[18, -2, 2] > 150
    assert np.array_equal(cover[:, 32], cover[::-1, 32]), "as much is cut above as below"
    contain = decode_rgb(PictureBackdrop(picture, Fit.CONTAIN, (0, 255, 0)).render(RGB, 0).planes, RGB)
    assert (contain[:, :12] == (0, 255, 0)).all()
    assert np.abs(contain[18, 15].astype(int) - (200, 30, 30)).max() <= 10, "red, but for the ringing of the filter"


def test_tile_repeats_at_its_own_size(picture: Path) -> None:
    tiled = decode_rgb(PictureBackdrop(picture, Fit.TILE).render(RGB, 0).planes, RGB)
    assert np.array_equal(tiled[:30, :30], tiled[:30, 30:60])
    assert np.array_equal(tiled[30:36], tiled[:6])


def test_a_changed_file_changes_nothing_until_it_is_chosen_again(picture: Path) -> None:
    backdrop = PictureBackdrop(picture)
    before = decode_rgb(backdrop.render(RGB, 0).planes, RGB)
    picture.unlink()
    small = VideoFormat(PixelFormat.RGB24, 32, 18)
    assert decode_rgb(backdrop.render(small, 0).planes, small).mean() == pytest.approx(before.mean(), abs=3)

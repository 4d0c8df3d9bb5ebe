"""Backdrops: one contract for all, and how pictures are fitted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from tests.support.clip import Clip, write_clip
from tests.support.golden import check_golden
from tests.support.jpeg import smooth_rgb
from vcam.frame import PixelFormat, VideoFormat, plane_shapes
from vcam.looks import RoomLook
from vcam.scene.anchor import Anchor
from vcam.scene.backdrops import PictureBackdrop, SolidBackdrop
from vcam.scene.encode import decode_rgb
from vcam.scene.film import video_backdrop
from vcam.scene.fit import Fit, Placing
from vcam.scene.looked import BackdropLook, LookedBackdrop
from vcam.scene.moving import MovingBackdrop
from vcam.scene.picture import drawn, rgb_picture
from vcam.scene.picture_file import load_picture
from vcam.scene.slides import Pace, slides_backdrop
from vcam.stages import Backdrop

Make = Callable[[], Backdrop]
GREY = (90, 90, 90)
USUAL = {fit: Anchor.TOP_LEFT if fit is Fit.TILE else Anchor.CENTER for fit in Fit}
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


STILL = ["solid", "picture", "looked"]


@pytest.fixture
def films(tmp_path: Path) -> Iterator[dict[str, Make]]:
    """Makers of what moves, all closed at the end."""
    made: list[MovingBackdrop] = []

    def kept(film: MovingBackdrop) -> MovingBackdrop:
        made.append(film)
        return film

    path = write_clip(tmp_path / "film.mkv", Clip(frames=3))
    (tmp_path / "slides").mkdir()
    Pillow.new("RGB", (8, 8)).save(tmp_path / "slides" / "a.png")
    yield {
        "video": lambda: kept(video_backdrop(path, Placing())),
        "slides": lambda: kept(slides_backdrop(tmp_path / "slides", Placing(), Pace())),
        "hologram": lambda: LookedBackdrop(kept(video_backdrop(path, Placing())), BackdropLook(hologram=0.5)),
    }
    for film in made:
        film.close()


def _maker(name: str, picture: Path, films: dict[str, Make]) -> Make:
    makers: dict[str, Make] = {
        "solid": lambda: SolidBackdrop((10, 200, 30)),
        "picture": lambda: PictureBackdrop(picture),
        "looked": lambda: LookedBackdrop(PictureBackdrop(picture), BackdropLook(RoomLook(brightness=0.5))),
    }
    return (makers | films)[name]


@pytest.fixture(params=STILL)
def still(request: pytest.FixtureRequest, picture: Path, films: dict[str, Make]) -> Make:
    return _maker(request.param, picture, films)


@pytest.fixture(params=[*STILL, "video", "slides", "hologram"])
def make(request: pytest.FixtureRequest, picture: Path, films: dict[str, Make]) -> Make:
    return _maker(request.param, picture, films)


@pytest.mark.parametrize("layout", [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420, PixelFormat.RGB24])
def test_renders_in_the_layout_of_the_target(make: Make, layout: PixelFormat) -> None:
    target = VideoFormat(layout, 33, 17)
    image = make().render(target, 0)
    assert image.format == target
    assert tuple(plane.shape for plane in image.planes) == plane_shapes(target)


def test_renders_once_per_target(still: Make) -> None:
    backdrop = still()
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
    image = PictureBackdrop(picture, Placing(fit, USUAL[fit], GREY)).render(RGB, 0)
    check_golden(f"fit-{fit}", decode_rgb(image.planes, RGB), tolerance=3)


@pytest.mark.parametrize(
    ("fit", "anchor"),
    [
        (Fit.COVER, Anchor.TOP),
        (Fit.CONTAIN, Anchor.RIGHT),
        (Fit.TILE, Anchor.BOTTOM_RIGHT),
    ],
)
def test_golden_anchor(picture: Path, fit: Fit, anchor: Anchor) -> None:
    image = PictureBackdrop(picture, Placing(fit, anchor, GREY)).render(RGB, 0)
    check_golden(f"fit-{fit}-{anchor}", decode_rgb(image.planes, RGB), tolerance=3)


@pytest.mark.parametrize("fit", list(Fit))
@pytest.mark.parametrize("anchor", [Anchor.CENTER, Anchor.TOP_LEFT, Anchor.BOTTOM, Anchor.RIGHT])
@pytest.mark.parametrize("size", [(64, 36), (33, 61), (24, 22)])
def test_what_moves_is_fitted_as_what_stands_still(
    tmp_path: Path, fit: Fit, anchor: Anchor, size: tuple[int, int]
) -> None:
    target, placing = VideoFormat(PixelFormat.RGB24, *size), Placing(fit, anchor, GREY)
    path = tmp_path / "smooth.png"
    Pillow.fromarray(np.ascontiguousarray(smooth_rgb(30, 26))).save(path)
    still = decode_rgb(PictureBackdrop(path, placing).render(target, 0).planes, target).astype(int)
    moving = decode_rgb(drawn(rgb_picture(np.asarray(load_picture(path, GREY))), target, placing), target)
    assert np.abs(still - moving).mean() < 1.5


@pytest.mark.parametrize("layout", [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420])
@pytest.mark.parametrize("fit", list(Fit))
@pytest.mark.parametrize("size", [(33, 17), (1, 1), (64, 36)])
def test_what_moves_is_drawn_in_every_layout(
    picture: Path, layout: PixelFormat, fit: Fit, size: tuple[int, int]
) -> None:
    target, rgb = VideoFormat(layout, *size, stride=512), VideoFormat(PixelFormat.RGB24, *size)
    source, placing = rgb_picture(np.asarray(load_picture(picture, GREY))), Placing(fit)
    planes = drawn(source, target, placing)
    assert tuple(plane.shape for plane in planes) == plane_shapes(target)
    wanted = decode_rgb(drawn(source, rgb, placing), rgb).astype(int)
    luma = decode_rgb(planes, target.resized(target.size)).mean(axis=-1)
    assert np.abs(luma - wanted.mean(axis=-1)).mean() < 14.0


def test_cover_cuts_evenly_and_contain_shows_all(picture: Path) -> None:
    cover = decode_rgb(PictureBackdrop(picture, Placing(Fit.COVER)).render(RGB, 0).planes, RGB)
    assert cover[18, 1, 0] > 150, "the red border reaches the left edge"
    assert cover[18, -2, 2] > 150
    assert np.array_equal(cover[:, 32], cover[::-1, 32]), "as much is cut above as below"
    contain = decode_rgb(PictureBackdrop(picture, Placing(Fit.CONTAIN, fill=(0, 255, 0))).render(RGB, 0).planes, RGB)
    assert (contain[:, :12] == (0, 255, 0)).all()
    assert np.abs(contain[18, 15].astype(int) - (200, 30, 30)).max() <= 10, "red, but for the ringing of the filter"


def test_tile_repeats_at_its_own_size(picture: Path) -> None:
    tiled = decode_rgb(PictureBackdrop(picture, Placing(Fit.TILE, Anchor.TOP_LEFT)).render(RGB, 0).planes, RGB)
    assert np.array_equal(tiled[:30, :30], tiled[:30, 30:60])
    assert np.array_equal(tiled[30:36], tiled[:6])


def test_a_changed_file_changes_nothing_until_it_is_chosen_again(picture: Path) -> None:
    backdrop = PictureBackdrop(picture)
    before = decode_rgb(backdrop.render(RGB, 0).planes, RGB)
    picture.unlink()
    small = VideoFormat(PixelFormat.RGB24, 32, 18)
    assert decode_rgb(backdrop.render(small, 0).planes, small).mean() == pytest.approx(before.mean(), abs=3)

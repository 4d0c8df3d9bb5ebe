"""Looks of backdrops: by the definition, once per change, and with the film below still its own."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image as Pillow

from tests.support.clip import Clip, write_clip
from tests.support.golden import check_golden
from tests.support.jpeg import smooth_rgb
from vcam.color import look_matrix, tinted
from vcam.colormaps import colors_of
from vcam.frame import Image, PixelFormat, VideoFormat, allocate_planes, plane_shapes
from vcam.looks import ColorMap, RoomLook
from vcam.pipeline.assemble_scene import make_scene, next_scene
from vcam.scene.backdrops import PictureBackdrop, SolidBackdrop
from vcam.scene.encode import decode_rgb, encode_rgb
from vcam.scene.looked import BackdropLook, LookedBackdrop, with_look
from vcam.scene.picture import STILL
from vcam.scene_settings import SceneSettings
from vcam.stages import Scene

RGB = VideoFormat(PixelFormat.RGB24, 96, 54)
COLOUR = (200, 60, 20)
Levels = npt.NDArray[np.float64]


class Pictures:
    """A backdrop of one picture, which is another object when it is told to be."""

    def __init__(self, rgb: npt.NDArray[np.uint8]) -> None:
        self.rgb = rgb
        self.images: dict[VideoFormat, Image] = {}

    def render(self, target: VideoFormat, pts_ns: int) -> Image:
        if target not in self.images:
            self.images[target] = Image(encode_rgb(self.rgb, target), target, STILL)
        return self.images[target]


@pytest.fixture
def rgb() -> npt.NDArray[np.uint8]:
    return np.ascontiguousarray(smooth_rgb(96, 54))


def looked(rgb: npt.NDArray[np.uint8], look: BackdropLook, target: VideoFormat = RGB, pts_ns: int = 0) -> Levels:
    planes = LookedBackdrop(Pictures(rgb), look).render(target, pts_ns).planes
    return decode_rgb(planes, target).astype(np.float64)


def transformed(matrix: npt.NDArray[np.float32], colour: Levels) -> Levels:
    return np.clip(colour @ matrix[:, :3].T.astype(np.float64) + matrix[:, 3], 0.0, 1.0)


ROOM = RoomLook(1.3, 1.2, 0.4, 0.25, COLOUR)
MATRIX = tinted(look_matrix(brightness=1.3, contrast=1.2, saturation=0.4), 0.25, COLOUR)


def test_the_linear_part_is_its_matrix(rgb: npt.NDArray[np.uint8]) -> None:
    wanted = 255.0 * transformed(MATRIX, rgb / 255.0)
    assert np.abs(looked(rgb, BackdropLook(ROOM)) - wanted).max() <= 0.51


@pytest.mark.parametrize("colormap", [each for each in ColorMap if each is not ColorMap.NONE])
def test_a_map_gives_each_brightness_its_colour_and_is_tinted_after(
    rgb: npt.NDArray[np.uint8], colormap: ColorMap
) -> None:
    look = BackdropLook(RoomLook(0.9, 1.1, 1.7, 0.25, COLOUR), colormap)
    level = transformed(look_matrix(brightness=0.9, contrast=1.1, saturation=0.0), rgb / 255.0)[..., 0]
    table, places = colors_of(colormap), np.linspace(0.0, 1.0, 256)
    mapped = np.stack([np.interp(level, places, channel) for channel in table.T], axis=-1)
    wanted = 0.75 * mapped + 0.25 * np.array(COLOUR) / 255.0
    assert np.abs(looked(rgb, look) - 255.0 * wanted).max() <= 3.0


def test_a_hologram_moves_and_is_gone_at_zero(rgb: npt.NDArray[np.uint8]) -> None:
    first, second = (looked(rgb, BackdropLook(hologram=0.8), pts_ns=k * 110_000_000) for k in (0, 1))
    assert np.abs(first - second).mean() > 2.0
    assert (first[..., 2] >= first[..., 0] - 1.0).all(), "cold"
    rows = first.mean(axis=(1, 2))
    assert np.abs(np.diff(rows)).max() > 8.0, "scan lines"
    weak = looked(rgb, BackdropLook(hologram=0.01))
    assert np.abs(weak - rgb).max() <= 8.0


@pytest.mark.parametrize("layout", [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420])
@pytest.mark.parametrize("size", [(33, 17), (1, 1), (64, 36)])
def test_looks_alike_in_every_layout_and_size(layout: PixelFormat, size: tuple[int, int]) -> None:
    grey = np.full((size[1], size[0], 3), 90, np.uint8)
    target = VideoFormat(layout, *size, stride=256)
    planes = LookedBackdrop(Pictures(grey), BackdropLook(ROOM)).render(target, 0).planes
    assert tuple(plane.shape for plane in planes) == plane_shapes(target)
    wanted = 255.0 * transformed(MATRIX, np.full(3, 90 / 255.0))
    assert np.abs(decode_rgb(planes, target.resized(target.size)) - wanted).max() <= 4.0


def test_a_still_picture_is_looked_at_once_per_target(rgb: npt.NDArray[np.uint8]) -> None:
    pictures = Pictures(rgb)
    backdrop = LookedBackdrop(pictures, BackdropLook(ROOM))
    first = backdrop.render(RGB, 0)
    assert backdrop.render(RGB, 40_000_000) is first
    small = VideoFormat(PixelFormat.I420, 96, 54)
    assert backdrop.render(small, 0) is backdrop.render(small, 1)
    pictures.images[RGB] = Image(allocate_planes(RGB)[1], RGB, STILL)
    assert backdrop.render(RGB, 80_000_000) is not first, "the film went on"


def test_a_hologram_is_another_picture_each_time(rgb: npt.NDArray[np.uint8]) -> None:
    backdrop = LookedBackdrop(Pictures(rgb), BackdropLook(hologram=0.5))
    assert backdrop.render(RGB, 0) is not backdrop.render(RGB, 40_000_000)


def test_no_look_is_the_backdrop_itself_and_looks_do_not_pile_up(rgb: npt.NDArray[np.uint8]) -> None:
    plain = Pictures(rgb)
    assert with_look(plain, BackdropLook(RoomLook(color=COLOUR))) is plain
    once = with_look(plain, BackdropLook(ROOM))
    twice = with_look(once, BackdropLook(RoomLook(brightness=0.5)))
    assert isinstance(twice, LookedBackdrop)
    assert twice.plain is plain
    assert with_look(twice, BackdropLook()) is plain


LOOKS = {
    "brightness": BackdropLook(RoomLook(brightness=0.5)),
    "contrast": BackdropLook(RoomLook(contrast=1.7)),
    "saturation": BackdropLook(RoomLook(saturation=0.2)),
    "tint": BackdropLook(RoomLook(tint=0.5, color=(20, 60, 200))),
    "thermal": BackdropLook(colormap=ColorMap.THERMAL),
    "hologram": BackdropLook(hologram=0.8),
}


@pytest.mark.parametrize("name", list(LOOKS))
def test_golden_look(rgb: npt.NDArray[np.uint8], name: str) -> None:
    check_golden(f"background-{name}", looked(rgb, LOOKS[name], pts_ns=300_000_000).astype(np.uint8), tolerance=2)


def changed(now: Scene, settings: SceneSettings, **values: object) -> tuple[Scene, SceneSettings]:
    new = settings.model_copy(update=values)
    scene = next_scene(now, new, set(values), [RGB])
    now.close(following=scene)
    return scene, new


def pixels(scene: Scene) -> Levels:
    return decode_rgb(scene.backdrop.render(RGB, 0).planes, RGB).astype(np.float64)


def test_sliders_change_the_look_and_read_no_file_again(tmp_path: Path, rgb: npt.NDArray[np.uint8]) -> None:
    path = tmp_path / "picture.png"
    Pillow.fromarray(rgb).save(path)
    settings = SceneSettings(background=f"image:{path}")
    scene = make_scene(settings)
    before = pixels(scene)
    path.unlink()
    scene, settings = changed(scene, settings, background_brightness=0.5)
    assert np.abs(pixels(scene) - before / 2.0).max() <= 0.6
    scene, settings = changed(scene, settings, background_tint=1.0, color="10,20,30")
    assert (pixels(scene) == (10, 20, 30)).all()
    scene, settings = changed(scene, settings, color="40,50,60")
    assert (pixels(scene) == (40, 50, 60)).all()
    looked_at = scene.backdrop
    scene, settings = changed(scene, settings, smoothing=0.5)
    assert scene.backdrop is looked_at, "what has nothing to do with it draws nothing anew"
    scene, settings = changed(scene, settings, background_tint=0.0, background_brightness=1.0)
    assert np.array_equal(pixels(scene), before)
    assert isinstance(scene.backdrop, PictureBackdrop)


def test_a_look_of_a_film_keeps_the_film(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", Clip(frames=10))
    settings = SceneSettings()
    scene, settings = changed(make_scene(settings), settings, background=f"video:{path}")
    film = scene.films[0]
    scene, settings = changed(scene, settings, background_saturation=0.0)
    assert scene.films == (film,)
    grey = pixels(scene)
    assert np.abs(grey[..., 0] - grey[..., 2]).max() <= 4.0
    later = decode_rgb(scene.backdrop.render(RGB, 40_000_000).planes, RGB)
    assert later.shape == grey.shape
    scene.close()


def test_a_colour_that_nothing_shows_changes_nothing_but_the_tint(rgb: npt.NDArray[np.uint8]) -> None:
    settings = SceneSettings(background="color", color="1,2,3")
    scene, settings = changed(make_scene(settings), settings, color="9,8,7")
    assert (pixels(scene) == (9, 8, 7)).all()
    green = make_scene(SceneSettings(background="green", color="1,2,3"))
    after, _ = changed(green, SceneSettings(background="green", color="1,2,3"), color="9,8,7")
    assert after.backdrop is green.backdrop


@pytest.mark.parametrize("background", ["blur", "none"])
def test_a_room_has_the_linear_part_and_the_card_none(background: str) -> None:
    settings = SceneSettings(
        background=background, background_brightness=0.5, background_tint=0.3, color="1,2,3", background_hologram=1.0
    )
    scene = make_scene(settings)
    assert isinstance(scene.backdrop, SolidBackdrop)
    assert scene.room == RoomLook(0.5, 1.0, 1.0, 0.3, (1, 2, 3))


def test_defaults_change_nothing() -> None:
    assert not make_scene(SceneSettings()).room.changes
    assert isinstance(make_scene(SceneSettings(background="green")).backdrop, SolidBackdrop)

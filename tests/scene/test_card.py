"""The SAFE card: legible, centred, once per target and text, and before the scene's own backdrop."""

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.support.golden import check_golden
from vcam.frame import PixelFormat, Plane, VideoFormat, plane_shapes
from vcam.scene.backdrops import SolidBackdrop
from vcam.scene.card import SafeCard, draw_card
from vcam.scene.encode import decode_rgb

TITLE, DETAIL = "Camera disconnected", "The picture comes back by itself"
BLUE = (60, 90, 160)


def _card(width: int, height: int, title: str = TITLE, detail: str = DETAIL) -> Plane:
    return np.asarray(draw_card(Pillow.new("RGB", (width, height), BLUE), title, detail))


def _panel(rgb: Plane) -> tuple[int, int, int, int]:
    """left, top, right, bottom of what is darker than the backdrop and its shadow."""
    dark = rgb.max(axis=-1) < 60
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]), int(rows[-1])


@pytest.mark.parametrize(("width", "height"), [(320, 180), (640, 480)])
def test_golden_card(width: int, height: int) -> None:
    check_golden(f"card-{width}x{height}", _card(width, height), tolerance=24)


@pytest.mark.parametrize(("width", "height"), [(160, 90), (320, 180), (641, 361), (1920, 1080), (360, 640)])
def test_the_panel_is_centred_and_inside(width: int, height: int) -> None:
    left, top, right, bottom = _panel(_card(width, height))
    assert abs(left - (width - 1 - right)) <= 2
    assert abs(top - (height - 1 - bottom)) <= 2
    assert left > 0
    assert top > 0
    assert right - left > 0.3 * width


def test_the_rest_is_the_backdrop() -> None:
    rgb = _card(640, 360)
    assert (rgb[:60] == BLUE).all()
    assert (rgb[:, :60] == BLUE).all()


def test_long_words_are_set_smaller_instead_of_cut() -> None:
    rgb = _card(320, 180, "A title that is much too long to stand in one line at its size", DETAIL)
    light = np.flatnonzero((rgb.min(axis=-1) > 150).any(axis=0))
    assert light[0] > 10
    assert light[-1] < 309


def test_is_drawn_once_per_target_and_text() -> None:
    card = SafeCard(SolidBackdrop(BLUE))
    target = VideoFormat(PixelFormat.YUYV, 160, 90)
    first = card.render(target, TITLE, DETAIL)
    assert card.render(target, TITLE, DETAIL) is first
    assert card.render(target, "Paused", DETAIL) is not first
    assert card.render(VideoFormat(PixelFormat.NV12, 160, 90), TITLE, DETAIL) is not first


@pytest.mark.parametrize("layout", [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420, PixelFormat.RGB24])
def test_stands_before_the_scenes_backdrop_in_every_layout(layout: PixelFormat) -> None:
    backdrop = SolidBackdrop(BLUE)
    target = VideoFormat(layout, 321, 181, stride=2048)
    image = SafeCard(backdrop).render(target, TITLE, DETAIL)
    assert tuple(plane.shape for plane in image.planes) == plane_shapes(image.format)
    rgb = decode_rgb(image.planes, image.format).astype(int)
    assert np.abs(rgb[:20] - BLUE).max() <= 3
    assert np.abs(rgb - _card(321, 181)).mean() < 2.5
    untouched = decode_rgb(backdrop.render(target, 0).planes, image.format)
    assert (untouched == untouched[0, 0]).all(), "the backdrop's own picture was drawn on"

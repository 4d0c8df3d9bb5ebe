"""Which part of the camera's picture an output shows, and which part of the matte covers it."""

import numpy as np
import pytest

from tests.native.pictures import matte, noise
from vcam.compose.view import View, cover_window
from vcam.frame import PixelFormat, Size, VideoFormat


@pytest.mark.parametrize(
    ("picture", "target", "window"),
    [
        (Size(1280, 720), Size(1280, 720), (0, 0, 1280, 720)),
        (Size(1280, 720), Size(640, 360), (0, 0, 1280, 720)),
        (Size(1280, 720), Size(640, 480), (160, 0, 960, 720)),
        (Size(640, 480), Size(1280, 720), (0, 60, 640, 360)),
        (Size(1280, 720), Size(100, 200), (460, 0, 360, 720)),
    ],
)
def test_the_window_covers_the_target_and_is_centred(
    picture: Size, target: Size, window: tuple[float, float, float, float]
) -> None:
    got = cover_window(picture, target)
    assert (got.x, got.y, got.width, got.height) == pytest.approx(window)


def test_at_the_camera_s_own_size_the_picture_is_lent_as_it_is() -> None:
    image = noise(VideoFormat(PixelFormat.I422, 64, 48))
    assert View(image.format, Size(64, 48)).picture(image) is image


def test_a_picture_of_another_size_keeps_its_stamp_layout_and_colour() -> None:
    image = noise(VideoFormat(PixelFormat.I422, 64, 48, stride=80), padding=16)
    got = View(image.format, Size(32, 16)).picture(image)
    assert got.stamp == image.stamp
    assert got.format == VideoFormat(PixelFormat.I422, 32, 16)
    assert [plane.shape for plane in got.planes] == [(16, 32), (16, 16), (16, 16)]


def test_the_matte_window_is_the_same_part_of_the_matte() -> None:
    view = View(VideoFormat(PixelFormat.I420, 1280, 720), Size(640, 480))
    window = view.matte_window(matte((144, 256)))
    assert (window.x, window.y, window.width, window.height) == pytest.approx((32, 0, 192, 144))


def test_buffers_are_made_once() -> None:
    image = noise(VideoFormat(PixelFormat.NV12, 64, 48))
    view = View(image.format, Size(30, 20))
    first, second = view.picture(image), view.picture(image)
    assert all(np.shares_memory(a, b) for a, b in zip(first.planes, second.planes, strict=True))
    assert view.blur is view.blur

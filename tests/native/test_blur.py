"""The blurred room: no colour of the person in it, and otherwise a blur like any other."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tests.native import reference
from tests.native.pictures import PADDING, SEEDS, SOURCES, STAMP, TARGETS, blank, formats, matte, noise
from vcam import native
from vcam.color import room_matrix
from vcam.frame import AffineMatte, Image, PixelFormat, Plane, Range, Size, VideoFormat
from vcam.looks import RoomLook

WIDTH, HEIGHT = 640, 360
LOW = (72, 128)
RGB = VideoFormat(PixelFormat.RGB24, WIDTH, HEIGHT)
CAMERA = VideoFormat(PixelFormat.I420, WIDTH, HEIGHT, range=Range.FULL)
Y, X = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
DISTANCE = np.hypot(X - 320.0, (Y - 230.0) * 0.8) - 120.0
"""Pixels outside of the person's outline (about, downwards)."""


def picture(rgb: npt.NDArray[np.float64], fmt: VideoFormat = CAMERA) -> Image:
    """(H, W, 3) levels as the camera would deliver them."""
    planes = blank(fmt)
    whole = Image((rgb.round().clip(0, 255).astype(np.uint8).reshape(HEIGHT, -1),), RGB, STAMP)
    native.convert(whole, planes, fmt)
    return Image(planes, fmt, STAMP)


def person_matte(softness_px: float) -> tuple[npt.NDArray[np.float64], AffineMatte]:
    alpha = np.clip(0.5 - DISTANCE / softness_px, 0.0, 1.0)
    a, b = np.zeros((2, 4, *LOW), np.float32)
    b[3] = alpha.reshape(LOW[0], 5, LOW[1], 5).mean(axis=(1, 3))
    return alpha, AffineMatte(a, b, STAMP)


def blurred(image: Image, model: AffineMatte, strength: float, target: VideoFormat = RGB) -> tuple[Plane, ...]:
    blur = native.MaskedBlur(image.format.size)
    blur.gather(image, model, strength)
    out = blank(target)
    blur.render(out, target)
    return out


def rgb_of(planes: tuple[Plane, ...]) -> npt.NDArray[np.int64]:
    return planes[0].reshape(HEIGHT, WIDTH, 3).astype(np.int64)


@pytest.mark.parametrize("strength", [1, 20, 50, 100])
@pytest.mark.parametrize("softness_px", [1.0, 12.0, 40.0])
def test_a_bright_person_leaves_no_halo_in_a_dark_room(strength: float, softness_px: float) -> None:
    dark = np.stack([12.0 + 0.02 * X, 14.0 + 0.03 * Y, 20.0 + 0.0 * X], axis=-1)
    alpha, model = person_matte(softness_px)
    bright = dark + alpha[..., None] * (np.array([255.0, 245.0, 235.0]) - dark)
    got = rgb_of(blurred(picture(bright), model, strength))
    empty = rgb_of(blurred(picture(dark), matte(LOW, alpha=0.0), strength))
    near = softness_px / 2.0 + 10.0 <= DISTANCE
    assert np.abs(got - empty)[near].max() < 2
    assert got.max() <= empty.max() + 1  # not even behind the person is anything of the person


def test_the_check_for_a_halo_can_fail() -> None:
    dark = np.full((HEIGHT, WIDTH, 3), 16.0)
    alpha, _ = person_matte(12.0)
    bright = dark + alpha[..., None] * (240.0 - dark)
    got = rgb_of(blurred(picture(bright), matte(LOW, alpha=0.0), 50))
    empty = rgb_of(blurred(picture(dark), matte(LOW, alpha=0.0), 50))
    assert np.abs(got - empty)[DISTANCE >= 16.0].max() > 20


@pytest.mark.parametrize("strength", [10, 40, 100])
def test_without_a_person_it_is_a_gaussian_of_the_documented_width(strength: float) -> None:
    room = 128.0 + 90.0 * np.sign(np.sin(X / 37.0) * np.cos(Y / 29.0))
    image = picture(np.stack([room] * 3, axis=-1))
    got = rgb_of(blurred(image, matte(LOW, alpha=0.0), strength))[..., 1]
    sigma = strength / 100.0 * native.BLUR_SIGMA * WIDTH
    levels = reference.rgb(image)[1] * 255.0
    weight = ndimage.gaussian_filter(np.ones_like(levels), sigma, mode="constant")
    wanted = ndimage.gaussian_filter(levels, sigma, mode="constant") / weight
    rim = round(2.5 * sigma)  # there, three boxes that lose what leaves the picture are not one Gaussian
    difference = np.abs(got - wanted)[rim:-rim, rim:-rim]
    assert difference.mean() < 1.5
    assert difference.max() < 8.0


def test_stronger_is_softer() -> None:
    room = np.random.default_rng(1).uniform(40.0, 200.0, (HEIGHT, WIDTH, 3))
    contrast = [rgb_of(blurred(picture(room), matte(LOW, alpha=0.0), s)).std() for s in (1, 10, 30, 60, 100)]
    assert contrast == sorted(contrast, reverse=True)


def test_where_the_person_covers_all_there_is_black_and_nothing_else() -> None:
    image = picture(np.full((HEIGHT, WIDTH, 3), 230.0))
    assert not rgb_of(blurred(image, matte(LOW, alpha=1.0), 50)).any()


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
def test_a_broken_matte_gives_a_picture_all_the_same(poison: float) -> None:
    model = matte(LOW, alpha=0.0)
    model.a[3, 20:30, 20:30] = poison
    image = picture(np.full((HEIGHT, WIDTH, 3), 100.0))
    got = rgb_of(blurred(image, model, 50))
    assert got[:60, 400:].min() >= 99


@settings(max_examples=60)
@given(
    source=formats(SOURCES, 130), target=formats(TARGETS), strength=st.floats(0.0, 100.0), seed=SEEDS, padding=PADDING
)
def test_every_layout_and_size(
    source: VideoFormat, target: VideoFormat, strength: float, seed: int, padding: int
) -> None:
    """A flat room stays flat, whatever the layout on either side and wherever the person is."""
    image = noise(source, seed, padding)
    for plane in image.planes:
        plane[:] = 90
    target = target.resized(source.size)
    model = matte((7, 9), seed)
    model.b[3, 3:, 2:] = -4.0
    blur = native.MaskedBlur(source.size)
    blur.gather(image, model, strength)
    out = blank(target, padding)
    blur.render(out, target)
    wanted = reference.packed(reference.encoded(reference.rgb(image), target), target)
    if ndimage.maximum_filter(alpha_of(image, model) > 0.0, size=9).all():
        return  # no room is known farther from the person than the rim that counts as theirs
    for got, plane in zip(out, wanted, strict=True):
        assert np.abs(got.astype(int) - plane.astype(int)).max() <= 1


@settings(max_examples=40)
@given(
    target=formats(TARGETS, 130),
    level=st.tuples(*[st.integers(0, 255)] * 3),
    brightness=st.floats(0.0, 2.0),
    contrast=st.floats(0.0, 2.0),
    saturation=st.floats(0.0, 2.0),
    tint=st.floats(0.0, 1.0),
)
def test_a_look_is_its_matrix_clipped_and_then_encoded(
    target: VideoFormat,
    level: tuple[int, int, int],
    brightness: float,
    contrast: float,
    saturation: float,
    tint: float,
) -> None:
    source = VideoFormat(PixelFormat.RGB24, target.width, target.height)
    image = noise(source, 0)
    image.planes[0].reshape(target.height, target.width, 3)[:] = level
    matrix = room_matrix(RoomLook(brightness, contrast, saturation, tint, (200, 30, 90)))
    blur = native.MaskedBlur(source.size)
    blur.gather(image, matte((3, 4), alpha=0.0), 30.0)
    out = blank(target)
    blur.render(out, target, matrix)
    rgb = np.array(level) / 255.0
    wanted = rgb if matrix is None else (matrix[:, :3].astype(np.float64) @ rgb + matrix[:, 3]).clip(0.0, 1.0)
    flat = np.broadcast_to(wanted[:, None, None], (3, target.height, target.width))
    for got, plane in zip(out, reference.packed(reference.encoded(flat, target), target), strict=True):
        assert np.abs(got.astype(int) - plane.astype(int)).max() <= 1


def alpha_of(image: Image, model: AffineMatte) -> npt.NDArray[np.float32]:
    out = np.empty((image.format.height, image.format.width), np.float32)
    native.alpha(image, model, out)
    return out


def test_one_object_serves_many_frames() -> None:
    blur = native.MaskedBlur(Size(WIDTH, HEIGHT))
    room = np.random.default_rng(1).uniform(40.0, 200.0, (HEIGHT, WIDTH, 3))
    _, model = person_matte(12.0)
    results = []
    for _ in range(2):
        blur.gather(picture(255.0 - room), matte(LOW, alpha=0.3), 70)
        blur.gather(picture(room), model, 30)
        out = blank(RGB)
        blur.render(out, RGB)
        results.append(out[0])
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], blurred(picture(room), model, 30)[0])

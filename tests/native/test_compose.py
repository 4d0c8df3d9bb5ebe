"""compose against the float64 reference, and the properties that fail closed rests on."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native import reference
from tests.native.pictures import (
    LOW_SIZES,
    PADDING,
    SEEDS,
    SOURCES,
    STAMP,
    TARGETS,
    as_floats,
    blank,
    formats,
    matte,
    noise,
    smooth,
)
from vcam import native
from vcam.frame import AffineMatte, Image, PixelFormat, Plane, VideoFormat


def run(image: Image, model: AffineMatte, background: Image, *, padding: int = 0, **how: object) -> tuple[Plane, ...]:
    out = blank(background.format, padding)
    native.compose(image, model, background, out, **how)  # type: ignore[arg-type]  # passed through as given
    return out


def assert_within_one_level(got: tuple[Plane, ...], wanted: tuple[Plane, ...]) -> None:
    for plane, reference_plane in zip(got, wanted, strict=True):
        difference = np.abs(plane.astype(int) - reference_plane.astype(int))
        assert difference.max(initial=0) <= 1
        assert (difference > 0).mean() < 0.02 + 1.5 / difference.size  # halves that float32 rounds the other way


@settings(max_examples=120)
@given(source=formats(SOURCES), target=formats(TARGETS), low=LOW_SIZES, seed=SEEDS, padding=PADDING)
def test_any_source_over_any_target_equals_the_reference(
    source: VideoFormat, target: VideoFormat, low: tuple[int, int], seed: int, padding: int
) -> None:
    image, background = noise(source, seed, padding), noise(target.resized(source.size), seed + 1, padding)
    model = matte(low, seed)
    got = run(image, model, background, padding=padding)
    wanted = reference.composed(image, as_floats(model.a), as_floats(model.b), background)
    if target.pixel_format == PixelFormat.YUYV and source.width % 2:
        got[0][:, -2] = wanted[0][:, -2]  # the second luma of the last pair is padding: no pixel
    assert_within_one_level(got, wanted)


def test_a_wide_picture_is_tiled_without_seams() -> None:
    image, background = (
        noise(VideoFormat(PixelFormat.I420, 1003, 211), 3),
        noise(VideoFormat(PixelFormat.NV12, 1003, 211), 4),
    )
    model = matte((43, 201), 5)
    got = run(image, model, background)
    assert_within_one_level(got, reference.composed(image, as_floats(model.a), as_floats(model.b), background))


@settings(max_examples=60)
@given(source=formats(SOURCES), target=formats(TARGETS), seed=SEEDS, low=LOW_SIZES, below=st.sampled_from([0.0, -3.0]))
def test_alpha_zero_is_the_background_bit_exactly(
    source: VideoFormat, target: VideoFormat, seed: int, low: tuple[int, int], below: float
) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    got = run(image, matte(low, alpha=below), background)
    for plane, under in zip(got, background.planes, strict=True):
        np.testing.assert_array_equal(plane, under)


@pytest.mark.parametrize("target", TARGETS)
def test_alpha_zero_is_exact_also_beside_the_person(target: PixelFormat) -> None:
    fmt = VideoFormat(target, 640, 96)
    image, background = noise(fmt, 1), noise(fmt, 2)
    model = matte((12, 80), alpha=0.0)
    model.b[3, :, 40:] = 1.0
    got = run(image, model, background)
    columns = got[0].shape[1] * 39 // 80
    np.testing.assert_array_equal(got[0][:, :columns], background.planes[0][:, :columns])


@settings(max_examples=60)
@given(source=formats(SOURCES), target=formats(TARGETS), seed=SEEDS)
def test_alpha_one_is_the_person_within_rounding(source: VideoFormat, target: VideoFormat, seed: int) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    got = run(image, matte((3, 5), alpha=1.0), background)
    wanted = reference.packed(reference.encoded(reference.rgb(image), background.format), background.format)
    assert_within_one_level(got, wanted)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("channel", [3, 7])
@pytest.mark.parametrize("target", [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.RGB24])
def test_alpha_that_is_not_a_number_shows_the_background(poison: float, channel: int, target: PixelFormat) -> None:
    fmt = VideoFormat(target, 64, 32)
    image, background = noise(fmt, 1), noise(fmt, 2)
    model = matte((8, 16), alpha=1.0)
    model.b[3] = np.nan if channel == 3 else 1.0
    model.a[3] = poison if channel == 7 else 0.0
    if channel == 7:
        model.b[3] = -poison  # inf - inf, whatever the camera shows
    got = run(image, model, background)
    for plane, under in zip(got, background.planes, strict=True):
        np.testing.assert_array_equal(plane, under)


def test_one_poisoned_node_is_background_where_it_reaches_and_nowhere_else() -> None:
    fmt = VideoFormat(PixelFormat.YUYV, 320, 160)
    image, background = smooth(fmt, 1), noise(fmt, 2)
    model = matte((16, 32), alpha=1.0)
    clean = run(image, model, background)
    model.b[3, 8, 16] = np.nan
    got = run(image, model, background)
    changed = (got[0] != clean[0]).any(axis=1).nonzero()[0]
    assert changed.min() >= 74
    assert changed.max() <= 95
    np.testing.assert_array_equal(got[0][81:88, 2 * 162 : 2 * 168], background.planes[0][81:88, 2 * 162 : 2 * 168])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_broken_foreground_never_escapes_alpha(value: float) -> None:
    fmt = VideoFormat(PixelFormat.YUYV, 64, 32)
    image, background = noise(fmt, 1), noise(fmt, 2)
    model = matte((8, 16), alpha=0.0)
    model.a[:3] = value
    np.testing.assert_array_equal(run(image, model, background)[0], background.planes[0])


def test_levels_make_ghosts_exact_background() -> None:
    fmt = VideoFormat(PixelFormat.YUYV, 128, 64)
    image, background = noise(fmt, 1), noise(fmt, 2)
    ghost = matte((8, 16), alpha=1.0 / 255.0)
    assert (run(image, ghost, background)[0] != background.planes[0]).any()
    got = run(image, ghost, background, levels=native.Levels(black=2.0 / 255.0, white=0.99))
    np.testing.assert_array_equal(got[0], background.planes[0])


def test_levels_stretch_alpha_between_black_and_white() -> None:
    fmt = VideoFormat(PixelFormat.GREY, 40, 20)
    out = np.empty((20, 40), np.float32)
    native.alpha(noise(fmt), matte((4, 8), alpha=0.5), out, levels=native.Levels(black=0.25, white=0.75))
    np.testing.assert_allclose(out, 0.5, atol=1e-6)
    native.alpha(noise(fmt), matte((4, 8), alpha=0.3), out, levels=native.Levels(black=0.25, white=0.75))
    np.testing.assert_allclose(out, 0.1, atol=1e-6)


@settings(max_examples=40)
@given(
    source=formats(SOURCES),
    seed=SEEDS,
    corner=st.tuples(st.floats(0.0, 0.5), st.floats(0.0, 0.5)),
    extent=st.tuples(st.floats(0.1, 0.5), st.floats(0.1, 0.5)),
)
def test_a_window_uses_its_part_of_the_matte(
    source: VideoFormat, seed: int, corner: tuple[float, float], extent: tuple[float, float]
) -> None:
    image = noise(source, seed)
    model = matte((18, 32), seed)
    window = native.Window(corner[0] * 32, corner[1] * 18, extent[0] * 32, extent[1] * 18)
    out = np.empty((source.height, source.width), np.float32)
    native.alpha(image, model, out, window=window)
    wanted, _ = reference.matte_at(image, as_floats(model.a), as_floats(model.b), window)
    np.testing.assert_allclose(out, wanted, atol=2e-4)


@settings(max_examples=60)
@given(source=formats(SOURCES), low=LOW_SIZES, seed=SEEDS, padding=PADDING)
def test_alpha_equals_the_reference(source: VideoFormat, low: tuple[int, int], seed: int, padding: int) -> None:
    image = noise(source, seed, padding)
    model = matte(low, seed)
    wanted, _ = reference.matte_at(image, as_floats(model.a), as_floats(model.b))
    out = np.empty((source.height, source.width), np.float32)
    native.alpha(image, model, out)
    np.testing.assert_allclose(out, wanted, atol=2e-4)
    out8 = np.empty(out.shape, np.uint8)
    native.alpha(image, model, out8)
    np.testing.assert_allclose(out8, 255.0 * wanted, atol=0.55)


def test_rounding_has_no_bias() -> None:
    fmt = VideoFormat(PixelFormat.I420, 512, 256)
    image = smooth(fmt, 1)
    background = smooth(replace(fmt, pixel_format=PixelFormat.YUYV), 2)
    model = matte((32, 64), 3)
    model.a[:3] *= 0.1
    model.b[:3] *= 0.1
    out = run(image, model, background)
    alpha, foreground = reference.matte_at(image, as_floats(model.a), as_floats(model.b))
    over, under = reference.encoded(foreground, background.format), reference.components(background)
    wanted = alpha * over + (1.0 - alpha) * under
    got = reference.components(Image(out, background.format, STAMP))
    for component in range(3):
        assert abs((got[component] - wanted[component]).mean()) < 0.05

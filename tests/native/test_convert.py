"""convert: exact where bytes only move, within rounding where colour changes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native import reference
from tests.native.pictures import PADDING, SEEDS, SOURCES, STAMP, TARGETS, blank, formats, noise, smooth
from vcam import native
from vcam.frame import Image, Matrix, PixelFormat, Plane, Range, VideoFormat

FULL_CHROMA = (PixelFormat.I444, PixelFormat.RGB24)


def run(image: Image, target: VideoFormat, padding: int = 0) -> tuple[Plane, ...]:
    out = blank(target, padding)
    native.convert(image, out, target)
    return out


def assert_close(got: tuple[Plane, ...], wanted: tuple[Plane, ...]) -> None:
    for plane, expected in zip(got, wanted, strict=True):
        assert np.abs(plane.astype(int) - expected.astype(int)).max(initial=0) <= 1


@settings(max_examples=100)
@given(source=formats(SOURCES), target=formats((*TARGETS, PixelFormat.GREY)), seed=SEEDS, padding=PADDING)
def test_any_layout_and_colour_to_any_other_equals_the_reference(
    source: VideoFormat, target: VideoFormat, seed: int, padding: int
) -> None:
    image, target = smooth(source, seed), target.resized(source.size)
    wanted = reference.packed(reference.encoded(reference.rgb(image), target), target)
    got = run(image, target, padding)
    if target.pixel_format == PixelFormat.YUYV and source.width % 2:
        got[0][:, -2] = wanted[0][:, -2]  # the second luma of the last pair is padding: no pixel
    assert_close(got, wanted)


@settings(max_examples=80)
@given(source=formats(SOURCES), seed=SEEDS, padding=PADDING)
def test_the_same_format_is_an_exact_copy(source: VideoFormat, seed: int, padding: int) -> None:
    image = noise(source, seed, padding)
    for got, plane in zip(run(image, source, padding), image.planes, strict=True):
        np.testing.assert_array_equal(got, plane)


@settings(max_examples=80)
@given(
    source=formats((PixelFormat.I420, PixelFormat.NV12)),
    through=st.sampled_from([PixelFormat.I422, PixelFormat.I444, PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420]),
    seed=SEEDS,
)
def test_layouts_of_one_colour_come_back_bit_exactly(source: VideoFormat, through: PixelFormat, seed: int) -> None:
    image = noise(source, seed)
    other = replace(source, pixel_format=through)
    back = run(Image(run(image, other), other, STAMP), source)
    for got, plane in zip(back, image.planes, strict=True):
        np.testing.assert_array_equal(got, plane)


@settings(max_examples=60)
@given(target=formats(FULL_CHROMA), seed=SEEDS)
def test_rgb_comes_back_from_full_chroma_within_one_level(target: VideoFormat, seed: int) -> None:
    target = replace(target, range=Range.FULL)
    rgb = noise(replace(target, pixel_format=PixelFormat.RGB24), seed)
    back = run(Image(run(rgb, target), target, STAMP), rgb.format)
    difference = back[0].astype(int) - rgb.planes[0].astype(int)
    assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("layout", [layout for layout in SOURCES if layout != PixelFormat.RGB24])
@pytest.mark.parametrize("matrix", Matrix)
def test_a_range_change_comes_back_within_one_level(layout: PixelFormat, matrix: Matrix) -> None:
    limited = VideoFormat(layout, 66, 34, range=Range.LIMITED, matrix=matrix)
    full = replace(limited, range=Range.FULL)
    image = smooth(limited, 5)
    assert_close(run(Image(run(image, full), full, STAMP), limited), image.planes)


def test_chroma_is_averaged_before_it_is_rounded() -> None:
    source = VideoFormat(PixelFormat.I444, 2, 2)
    u = np.array([[10, 11], [11, 11]], np.uint8)
    image = Image((np.full((2, 2), 128, np.uint8), u, 200 - u), source, STAMP)
    _, got_u, got_v = run(image, replace(source, pixel_format=PixelFormat.I420))
    assert got_u[0, 0] == 11  # 10.75
    assert got_v[0, 0] == 189  # 189.25


@pytest.mark.parametrize("target", TARGETS)
def test_rounding_has_no_bias(target: PixelFormat) -> None:
    image = smooth(VideoFormat(PixelFormat.RGB24, 256, 256), 9)
    fmt = VideoFormat(target, 256, 256)
    levels = reference.encoded(reference.rgb(image), fmt)
    got = reference.components(Image(run(image, fmt), fmt, STAMP))
    for component in range(3):
        assert abs((got[component] - levels[component]).mean()) < 0.05


def test_known_colours_have_the_levels_of_the_standard() -> None:
    """BT.601 limited range, 100 % bars: Rec. ITU-R BT.801, table 1 in 8 bits."""
    rgb = np.array([[255, 255, 255, 255, 255, 0, 0, 255, 255, 0, 255, 0, 255, 0, 255, 255, 0, 0, 0, 0, 255, 0, 0, 0]])
    image = Image((rgb.astype(np.uint8),), VideoFormat(PixelFormat.RGB24, 8, 1), STAMP)
    y, u, v = run(image, VideoFormat(PixelFormat.I444, 8, 1))
    assert y[0].tolist() == [235, 210, 170, 145, 106, 81, 41, 16]
    assert u[0].tolist() == [128, 16, 166, 54, 202, 90, 240, 128]
    assert v[0].tolist() == [128, 146, 16, 34, 222, 240, 110, 128]

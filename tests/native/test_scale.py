"""scale: windows and sizes, on every component's own grid."""

import numpy as np
import pytest
from hypothesis import given, settings

from tests.native import reference
from tests.native.pictures import PADDING, SEEDS, SOURCES, STAMP, blank, formats, noise
from vcam import native
from vcam.frame import Image, PixelFormat, Plane, Size, VideoFormat


def run(image: Image, size: Size, window: native.Window | None = None) -> tuple[Plane, ...]:
    target = image.format.resized(size)
    out = blank(target)
    native.scale(image, out, target, window)
    return out


@settings(max_examples=60)
@given(source=formats(SOURCES), seed=SEEDS, padding=PADDING)
def test_the_same_size_is_the_same_picture(source: VideoFormat, seed: int, padding: int) -> None:
    image = noise(source, seed, padding)
    got = run(image, source.size)
    np.testing.assert_array_equal(reference.components(Image(got, source, STAMP)), reference.components(image))


@settings(max_examples=80)
@given(source=formats(SOURCES), target=formats(SOURCES, 90), seed=SEEDS)
def test_a_flat_picture_stays_flat(source: VideoFormat, target: VideoFormat, seed: int) -> None:
    level = seed % 256
    planes = tuple(np.full_like(plane, level) for plane in blank(source))
    for plane in run(Image(planes, source, STAMP), target.size):
        assert (plane == level).all()


@pytest.mark.parametrize(("full", "out"), [((90, 160), (60, 107)), ((90, 160), (45, 80)), ((40, 60), (77, 130))])
def test_up_to_half_size_it_is_bilinear(full: tuple[int, int], out: tuple[int, int]) -> None:
    image = noise(VideoFormat(PixelFormat.I444, full[1], full[0]), 3)
    got = run(image, Size(out[1], out[0]))
    wanted = reference.resized(reference.components(image), *out)
    np.testing.assert_allclose(np.stack(got), wanted, atol=0.51)


@pytest.mark.parametrize("factor", [3, 4, 7])
def test_far_down_it_is_the_mean_of_the_area(factor: int) -> None:
    fmt = VideoFormat(PixelFormat.I444, 12 * factor, 10 * factor)
    image = noise(fmt, 4)
    got = run(image, Size(12, 10))
    wanted = reference.components(image).reshape(3, 10, factor, 12, factor).mean(axis=(2, 4))
    np.testing.assert_allclose(np.stack(got), wanted, atol=0.51)


def test_a_fractional_area_counts_its_edges_in_part() -> None:
    fmt = VideoFormat(PixelFormat.GREY, 5, 1)
    image = Image((np.array([[0, 0, 100, 200, 200]], np.uint8),), fmt, STAMP)
    (got,) = run(image, Size(2, 1))
    assert got[0].tolist() == [20, 180]


@pytest.mark.parametrize("layout", SOURCES)
def test_a_window_on_even_pixels_is_cut_out(layout: PixelFormat) -> None:
    fmt = VideoFormat(layout, 60, 44)
    image = noise(fmt, 6)
    got = run(image, Size(30, 20), native.Window(8, 12, 30, 20))
    cut = reference.components(image)[:, 12:32, 8:38]
    np.testing.assert_array_equal(reference.components(Image(got, fmt.resized(Size(30, 20)), STAMP)), cut)


@pytest.mark.parametrize("layout", [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420, PixelFormat.I422])
@pytest.mark.parametrize("corner", [(4.5, 2.5), (5.0, 3.0), (4.9, 3.7)])
@pytest.mark.parametrize("size", [Size(40, 24), Size(301, 155)])
def test_chroma_stays_on_its_pixels(layout: PixelFormat, corner: tuple[float, float], size: Size) -> None:
    """A picture whose chroma equals its luma's slope comes out with both in step."""
    fmt = VideoFormat(layout, 64, 40)
    ramp = 30.0 + 2.0 * np.arange(64)[None, :] + 2.0 * np.arange(40)[:, None]
    image = Image(reference.packed(np.stack([ramp] * 3), fmt), fmt, STAMP)
    window = native.Window(*corner, 36.0, 22.0)
    got = reference.components(Image(run(image, size, window), fmt.resized(size), STAMP))
    step = max(36.0 / size.width, 1.0) * 2.0 + max(22.0 / size.height, 1.0) * 2.0
    assert np.abs(got[1] - got[0]).max() <= step + 1.0
    assert abs((got[1] - got[0]).mean()) < 0.3


@pytest.mark.parametrize("width", [1, 3, 5])
def test_packed_chroma_is_that_of_planes_also_in_an_odd_last_pair(width: int) -> None:
    packed = noise(VideoFormat(PixelFormat.YUYV, 96, 8), 5)
    planar_format = VideoFormat(PixelFormat.I422, 96, 8)
    planes = blank(planar_format)
    native.convert(packed, planes, planar_format)
    window = native.Window(3.0, 0.0, 11.0 * width, 8.0)
    (got,) = run(packed, Size(width, 4), window)
    _, u, v = run(Image(planes, planar_format, STAMP), Size(width, 4), window)
    np.testing.assert_array_equal(got[:, 1::4], u)
    np.testing.assert_array_equal(got[:, 3::4], v)

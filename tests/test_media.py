"""What is read from files keeps its colours."""

import av
import numpy as np
import pytest

from tests.support.jpeg import smooth_rgb
from vcam.color import encode_matrix
from vcam.frame import Matrix, PixelFormat, Range
from vcam.media import LAYOUTS, Colours, as_planar, colours_of, plane_views

SIZE = (66, 50)


def rgb_frame() -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(smooth_rgb(*SIZE), format="rgb24")


def expected_planes(colours: Colours) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    flat = np.vstack([smooth_rgb(*SIZE).reshape(-1, 3).T / 255.0, np.ones(SIZE[0] * SIZE[1])])
    levels = encode_matrix(colours.matrix, colours.range) @ flat
    return levels.reshape(3, SIZE[1], SIZE[0]).astype(np.float64)


NAMES = [*LAYOUTS, "rgb24", "gbrp", "bgra", "yuva420p", "yuyv422"]


@pytest.mark.parametrize(
    ("name", "av_range"), [(name, r) for name in NAMES for r in (1, 2) if not (name.startswith("yuvj") and r == 1)]
)
@pytest.mark.parametrize("sws_matrix", [1, 5])
def test_levels_match_the_declared_colours(name: str, sws_matrix: int, av_range: int) -> None:
    frame = rgb_frame()
    is_rgb = name in ("rgb24", "gbrp", "bgra")
    if is_rgb:
        frame = frame.reformat(format=name)
        expected = Colours(Range.LIMITED, Matrix.BT601)
    else:
        frame = frame.reformat(format=name, dst_colorspace=sws_matrix, dst_color_range=av_range)
        expected = Colours(
            Range.FULL if av_range == 2 else Range.LIMITED, Matrix.BT709 if sws_matrix == 1 else Matrix.BT601
        )
    planar, fmt = as_planar(frame)
    assert (fmt.range, fmt.matrix) == (expected.range, expected.matrix)
    views = plane_views(planar, fmt)
    levels = expected_planes(expected)
    assert np.abs(views[0] - levels[0]).max() <= 1.6
    chroma = [views[1][:, ::2], views[1][:, 1::2]] if fmt.pixel_format is PixelFormat.NV12 else views[1:]
    for plane, level in zip(chroma, levels[1:], strict=True):
        big = plane.repeat(-(-SIZE[1] // plane.shape[0]), axis=0).repeat(-(-SIZE[0] // plane.shape[1]), axis=1)
        assert np.abs(big[: SIZE[1], : SIZE[0]] - level).mean() < 3.0


@pytest.mark.parametrize(("name", "shift"), [("yuv420p10le", 2), ("yuv422p10le", 2), ("yuv444p12le", 4)])
@pytest.mark.parametrize("av_range", [1, 2])
def test_deep_colour_keeps_its_levels(name: str, shift: int, av_range: int) -> None:
    """Filled by hand: swscale's own way from RGB to these formats is not to be trusted as a reference."""
    frame = av.VideoFrame(*SIZE, name)
    frame.colorspace, frame.color_range = 1, av_range
    rng = np.random.default_rng(4)
    levels = []
    for plane in frame.planes:
        memory = np.frombuffer(memoryview(plane), np.uint16).reshape(plane.height, -1)
        level = rng.integers(16, 236, (plane.height, plane.width), dtype=np.uint16)
        memory[:, : plane.width] = np.left_shift(level, shift)
        levels.append(level)
    planar, fmt = as_planar(frame)
    assert fmt.range is (Range.FULL if av_range == 2 else Range.LIMITED)
    for view, level in zip(plane_views(planar, fmt), levels, strict=True):
        assert np.abs(view.astype(int) - level).max() <= 2


def test_rgb_keeps_its_chroma_and_has_no_bias() -> None:
    rng = np.random.default_rng(1)
    rgb = rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)
    planar, fmt = as_planar(av.VideoFrame.from_ndarray(rgb, format="rgb24"))
    assert fmt.pixel_format is PixelFormat.I444
    flat = np.vstack([rgb.reshape(-1, 3).T / 255.0, np.ones(64 * 64)])
    expected = encode_matrix(fmt.matrix, fmt.range) @ flat
    for plane, level in zip(plane_views(planar, fmt), expected, strict=True):
        assert abs(float(plane.mean() - level.mean())) < 0.05


def test_grey_stays_what_it_is() -> None:
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    planar, fmt = as_planar(av.VideoFrame.from_ndarray(grey, format="gray"))
    views = plane_views(planar, fmt)
    assert (fmt.pixel_format, fmt.range) == (PixelFormat.I420, Range.FULL)
    np.testing.assert_array_equal(views[0], grey)
    assert (views[1] == 128).all()


@pytest.mark.parametrize(
    ("size", "expected"), [((640, 480), Matrix.BT601), ((1280, 720), Matrix.BT709), ((720, 576), Matrix.BT601)]
)
def test_undeclared_colours_are_those_that_players_assume(size: tuple[int, int], expected: Matrix) -> None:
    assert colours_of(av.VideoFrame(*size, "yuv420p")) == Colours(Range.LIMITED, expected)


def test_jpeg_formats_are_full_range_bt601_at_any_size() -> None:
    assert colours_of(av.VideoFrame(1920, 1080, "yuvj422p")) == Colours(Range.FULL, Matrix.BT601)


def test_wide_gamut_becomes_bt709() -> None:
    frame = rgb_frame().reformat(format="yuv420p", dst_colorspace=9, dst_color_range=1)
    assert frame.colorspace == 9
    _, fmt = as_planar(frame)
    assert fmt.matrix is Matrix.BT709


def test_views_are_writable_memory_of_the_frame() -> None:
    frame = av.VideoFrame(33, 17, "yuv420p")
    _, fmt = as_planar(frame)
    for plane in plane_views(frame, fmt):
        plane.fill(77)
    assert all((plane == 77).all() for plane in plane_views(frame, fmt))

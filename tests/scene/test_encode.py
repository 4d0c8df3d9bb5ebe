"""RGB to the layouts of outputs: against the definition, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcam.color import encode_matrix
from vcam.errors import ConfigError
from vcam.frame import Matrix, PixelFormat, Plane, Range, VideoFormat, plane_shapes
from vcam.scene.encode import decode_rgb, encode_rgb

LAYOUTS = [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420, PixelFormat.RGB24]
SIZES = [(8, 6), (7, 5), (1, 1), (2, 3)]


def _noise(width: int, height: int) -> Plane:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def _flat(rgb: tuple[int, int, int], width: int, height: int) -> Plane:
    picture = np.empty((height, width, 3), np.uint8)
    picture[:] = rgb
    return picture


def _chroma(rgb: Plane, x: slice, y: slice, row: np.ndarray[tuple[int], np.dtype[np.float32]]) -> int:
    """By the definition: the average of the pixels there, the last one repeated beyond the border."""
    ys = [min(k, rgb.shape[0] - 1) for k in range(y.start, y.stop)]
    xs = [min(k, rgb.shape[1] - 1) for k in range(x.start, x.stop)]
    mean = np.mean([rgb[j, i] / 255.0 for j in ys for i in xs], axis=0)
    return round(float(mean @ row[:3] + row[3]))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("matrix", list(Matrix))
@pytest.mark.parametrize("range_", list(Range))
def test_yuyv_is_the_definition(size: tuple[int, int], matrix: Matrix, range_: Range) -> None:
    w, h = size
    rgb, rows = _noise(w, h), encode_matrix(matrix, range_)
    packed = encode_rgb(rgb, VideoFormat(PixelFormat.YUYV, w, h, range=range_, matrix=matrix))[0].astype(int)
    for y in range(h):
        for x in range(w):
            assert abs(packed[y, 2 * x] - (rgb[y, x] / 255.0 @ rows[0, :3] + rows[0, 3])) < 0.502
        for pair in range((w + 1) // 2):
            for k in (1, 2):
                wanted = _chroma(rgb, slice(2 * pair, 2 * pair + 2), slice(y, y + 1), rows[k])
                assert abs(packed[y, 4 * pair + 2 * k - 1] - wanted) <= 1


@pytest.mark.parametrize("size", SIZES)
def test_i420_and_nv12_are_the_definition(size: tuple[int, int]) -> None:
    w, h = size
    rgb, rows = _noise(w, h), encode_matrix(Matrix.BT601, Range.LIMITED)
    luma, u, v = encode_rgb(rgb, VideoFormat(PixelFormat.I420, w, h))
    other_luma, both = encode_rgb(rgb, VideoFormat(PixelFormat.NV12, w, h))
    for j in range(u.shape[0]):
        for i in range(u.shape[1]):
            at = slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2)
            assert abs(int(u[j, i]) - _chroma(rgb, *at, rows[1])) <= 1
            assert abs(int(v[j, i]) - _chroma(rgb, *at, rows[2])) <= 1
    assert np.array_equal(luma, other_luma)
    assert np.array_equal(both[:, 0::2], u)
    assert np.array_equal(both[:, 1::2], v)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
def test_planes_have_the_shapes_of_the_format_and_lie_in_one_buffer(layout: PixelFormat, size: tuple[int, int]) -> None:
    fmt = VideoFormat(layout, *size)
    planes = encode_rgb(_noise(*size), fmt)
    assert tuple(plane.shape for plane in planes) == plane_shapes(fmt)
    address = [plane.__array_interface__["data"][0] for plane in planes]
    assert address == [address[0] + sum(plane.size for plane in planes[:k]) for k in range(len(planes))]


@given(rgb=st.tuples(*[st.integers(0, 255)] * 3), layout=st.sampled_from(LAYOUTS), matrix=st.sampled_from(Matrix))
@settings(max_examples=60)
def test_a_flat_colour_comes_back_within_rounding(
    rgb: tuple[int, int, int], layout: PixelFormat, matrix: Matrix
) -> None:
    """Half a level of Y and of U is 1.7 levels of blue in limited range, and it is rounded once more."""
    fmt = VideoFormat(layout, 5, 3, matrix=matrix)
    back = decode_rgb(encode_rgb(_flat(rgb, 5, 3), fmt), fmt)
    assert np.abs(back.astype(int) - rgb).max() <= 3


def test_is_not_biased() -> None:
    fmt = VideoFormat(PixelFormat.YUYV, 256, 256)
    rgb, rows = _noise(256, 256), encode_matrix(Matrix.BT601, Range.LIMITED)
    exact = rgb / 255.0 @ rows[:, :3].T + rows[:, 3]
    packed = encode_rgb(rgb, fmt)[0].astype(np.float64)
    assert abs((packed[:, 0::2] - exact[..., 0]).mean()) < 0.01
    for k in (1, 2):
        assert abs((packed[:, 2 * k - 1 :: 4] - (exact[:, 0::2, k] + exact[:, 1::2, k]) / 2).mean()) < 0.01


@pytest.mark.parametrize("layout", [PixelFormat.MJPG, PixelFormat.GREY])
def test_refuses_what_no_output_has(layout: PixelFormat) -> None:
    with pytest.raises(ConfigError, match="no output") as caught:
        encode_rgb(_noise(4, 4), VideoFormat(layout, 4, 4))
    assert "YUYV" in caught.value.hint

"""The coefficients against the standards, not against themselves."""

import numpy as np
import pytest

from vcam.color import decode_matrix, decoding, encode_matrix, encoding, look_matrix, room_matrix, tinted
from vcam.frame import Matrix, PixelFormat, Range, VideoFormat
from vcam.looks import RoomLook

COLOURS = np.array(
    [[0, 0, 0, 1], [1, 1, 1, 1], [1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1], [1, 1, 0, 1], [0.5, 0.25, 0.75, 1]]
)


@pytest.mark.parametrize("matrix", Matrix)
@pytest.mark.parametrize("range_", Range)
def test_decoding_undoes_encoding(matrix: Matrix, range_: Range) -> None:
    levels = COLOURS @ encode_matrix(matrix, range_).T.astype(np.float64)
    back = np.column_stack([levels, np.ones(len(levels))]) @ decode_matrix(matrix, range_).T.astype(np.float64)
    np.testing.assert_allclose(back, COLOURS[:, :3], atol=1e-6)


def test_jfif_has_its_published_coefficients() -> None:
    """ITU-T T.871, section 7: the equations for Y, Cb, Cr in 0..255."""
    wanted = [[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]]
    np.testing.assert_allclose(encode_matrix(Matrix.BT601, Range.FULL)[:, :3] / 255.0, wanted, atol=5e-5)
    np.testing.assert_array_equal(encode_matrix(Matrix.BT601, Range.FULL)[:, 3], [0.0, 128.0, 128.0])


def test_bt709_has_its_published_luma() -> None:
    """Rec. ITU-R BT.709-6, section 3.2, in limited range (section 3.4)."""
    wanted = 219.0 * np.array([0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(encode_matrix(Matrix.BT709, Range.LIMITED)[0, :3], wanted, rtol=1e-6)


@pytest.mark.parametrize("matrix", Matrix)
@pytest.mark.parametrize(
    ("range_", "luma", "chroma"),
    [(Range.FULL, (0.0, 255.0), (0.5, 255.5)), (Range.LIMITED, (16.0, 235.0), (16.0, 240.0))],
)
def test_extremes_reach_the_limits_of_the_range(
    matrix: Matrix, range_: Range, luma: tuple[float, float], chroma: tuple[float, float]
) -> None:
    black, white, red, _, blue, yellow, _ = COLOURS @ encode_matrix(matrix, range_).T.astype(np.float64)
    np.testing.assert_allclose([black, white], [[luma[0], 128, 128], [luma[1], 128, 128]], atol=1e-4)
    np.testing.assert_allclose([yellow[1], blue[1], red[2]], [*chroma, chroma[1]], atol=1e-4)


def test_grey_decodes_to_grey_whatever_stands_for_chroma() -> None:
    matrix = decoding(VideoFormat(PixelFormat.GREY, 1, 1))
    np.testing.assert_allclose(matrix @ [16.0, 77.0, 201.0, 1.0], 0.0, atol=1e-6)
    np.testing.assert_allclose(matrix @ [235.0, 3.0, 250.0, 1.0], 1.0, atol=1e-6)


def test_rgb24_is_full_range_whatever_the_format_says() -> None:
    fmt = VideoFormat(PixelFormat.RGB24, 1, 1, range=Range.LIMITED)
    np.testing.assert_array_equal(encoding(fmt) @ [1.0, 0.5, 0.0, 1.0], [255.0, 127.5, 0.0])
    np.testing.assert_allclose(decoding(fmt) @ [255.0, 0.0, 51.0, 1.0], [1.0, 0.0, 0.2], atol=1e-7)


@pytest.mark.parametrize(
    "layout", [layout for layout in PixelFormat if layout not in (PixelFormat.RGB24, PixelFormat.GREY)]
)
def test_a_format_has_the_matrix_of_its_colour(layout: PixelFormat) -> None:
    fmt = VideoFormat(layout, 2, 2, range=Range.FULL, matrix=Matrix.BT709)
    np.testing.assert_array_equal(encoding(fmt), encode_matrix(Matrix.BT709, Range.FULL))
    np.testing.assert_array_equal(decoding(fmt), decode_matrix(Matrix.BT709, Range.FULL))


def test_shared_matrices_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        encoding(VideoFormat(PixelFormat.YUYV, 2, 2))[0, 0] = 1.0
    encode_matrix(Matrix.BT601, Range.FULL)[0, 0] = 1.0
    assert encode_matrix(Matrix.BT601, Range.FULL)[0, 0] != 1.0


def _looked(
    matrix: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.asarray(COLOURS @ matrix.T.astype(np.float64))


def test_a_look_of_ones_changes_nothing() -> None:
    np.testing.assert_array_equal(look_matrix(), np.eye(3, 4))


def test_a_look_is_what_its_words_say() -> None:
    rgb, grey = COLOURS[:, :3], COLOURS @ encode_matrix(Matrix.BT601, Range.FULL)[0] / 255.0
    np.testing.assert_allclose(_looked(look_matrix(brightness=0.5)), rgb / 2, atol=1e-6)
    np.testing.assert_allclose(_looked(look_matrix(contrast=1.5)), 1.5 * rgb - 0.25, atol=1e-6)
    np.testing.assert_allclose(_looked(look_matrix(saturation=0.0)), np.tile(grey, (3, 1)).T, atol=1e-6)
    np.testing.assert_allclose(_looked(look_matrix(saturation=2.0)), 2 * rgb - grey[:, None], atol=1e-6)


def test_the_parts_of_a_look_come_in_their_order() -> None:
    rgb, grey = COLOURS[:, :3], COLOURS @ encode_matrix(Matrix.BT601, Range.FULL)[0] / 255.0
    bright, middle = 1.5 * rgb, 1.5 * grey[:, None]
    wanted = 0.5 * bright + 0.25
    wanted = 0.4 * wanted + 0.6 * (0.5 * middle + 0.25)
    all_three = look_matrix(brightness=1.5, contrast=0.5, saturation=0.4)
    np.testing.assert_allclose(_looked(all_three), wanted, atol=1e-6)
    wanted = 0.75 * wanted + 0.25 * np.array([0.2, 0.4, 1.0])
    np.testing.assert_allclose(_looked(tinted(all_three, 0.25, (51, 102, 255))), wanted, atol=1e-6)


def test_a_room_without_a_look_has_no_matrix_and_one_with_it_shares_it() -> None:
    assert room_matrix(RoomLook()) is None
    assert room_matrix(RoomLook(color=(1, 2, 3))) is None
    matrix = room_matrix(RoomLook(saturation=0.5, tint=0.2, color=(9, 9, 9)))
    assert matrix is not None
    assert matrix is room_matrix(RoomLook(saturation=0.5, tint=0.2, color=(9, 9, 9)))
    np.testing.assert_array_equal(matrix, tinted(look_matrix(saturation=0.5), 0.2, (9, 9, 9)))

"""V4L2's default rules, by the tables of its documentation."""

import pytest
from linuxpy.video.raw import Colorspace, Quantization, YcbcrEncoding

from vcam.frame import Matrix, PixelFormat, Range, VideoFormat
from vcam.v4l2.colour import ColourFields, declared, range_and_matrix

LIMITED_601, FULL_601 = (Range.LIMITED, Matrix.BT601), (Range.FULL, Matrix.BT601)
LIMITED_709, FULL_709 = (Range.LIMITED, Matrix.BT709), (Range.FULL, Matrix.BT709)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (ColourFields(), LIMITED_601),
        (ColourFields(Colorspace.SRGB), LIMITED_601),
        (ColourFields(Colorspace.SMPTE170M), LIMITED_601),
        (ColourFields(Colorspace.REC709), LIMITED_709),
        (ColourFields(Colorspace.JPEG), FULL_601),
        (ColourFields(Colorspace.BT2020), LIMITED_709),
        (ColourFields(Colorspace.OPRGB), LIMITED_601),
        (ColourFields(Colorspace.SRGB, YcbcrEncoding._709), LIMITED_709),
        (ColourFields(Colorspace.REC709, YcbcrEncoding._601), LIMITED_601),
        (ColourFields(Colorspace.REC709, YcbcrEncoding.XV709), LIMITED_709),
        (ColourFields(Colorspace.SRGB, 0, Quantization.FULL_RANGE), FULL_601),
        (ColourFields(Colorspace.JPEG, 0, Quantization.LIM_RANGE), LIMITED_601),
        (ColourFields(Colorspace.REC709, YcbcrEncoding._709, Quantization.FULL_RANGE), FULL_709),
    ],
)
def test_raw_formats_follow_the_driver(fields: ColourFields, expected: tuple[Range, Matrix]) -> None:
    assert range_and_matrix(PixelFormat.YUYV, fields) == expected


def test_jpeg_is_full_range_bt601_whatever_the_driver_says() -> None:
    fields = ColourFields(Colorspace.REC709, YcbcrEncoding._709, Quantization.LIM_RANGE)
    assert range_and_matrix(PixelFormat.MJPG, fields) == FULL_601


@pytest.mark.parametrize("range_", list(Range))
@pytest.mark.parametrize("matrix", list(Matrix))
@pytest.mark.parametrize("pixel_format", [PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420])
def test_what_is_declared_is_understood(pixel_format: PixelFormat, range_: Range, matrix: Matrix) -> None:
    fields = declared(VideoFormat(pixel_format, 4, 4, range=range_, matrix=matrix))
    assert 0 not in (fields.colorspace, fields.ycbcr_enc, fields.quantization, fields.xfer_func)
    assert range_and_matrix(pixel_format, fields) == (range_, matrix)


def test_rgb_is_declared_full() -> None:
    fields = declared(VideoFormat(PixelFormat.RGB24, 4, 4))
    assert (fields.colorspace, fields.quantization) == (Colorspace.SRGB, Quantization.FULL_RANGE)

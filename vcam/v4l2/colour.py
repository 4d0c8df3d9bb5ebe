"""Colour metadata by V4L2's default rules (videodev2.h: V4L2_MAP_*_DEFAULT; documentation "Defining Colorspaces")."""

from dataclasses import dataclass

from vcam.frame import Matrix, PixelFormat, Range, VideoFormat
from vcam.v4l2.abi import Colorspace, Quantization, XferFunc, YcbcrEncoding


@dataclass(frozen=True, slots=True)
class ColourFields:
    """The fields of v4l2_pix_format that say what the levels mean; 0 is "default" in each."""

    colorspace: int = 0
    ycbcr_enc: int = 0
    quantization: int = 0
    xfer_func: int = 0


_DEFAULT_709 = (Colorspace.REC709, Colorspace.DCI_P3, Colorspace.BT2020, Colorspace.SMPTE240M)
"""Colorspaces whose default encoding is BT.709, or one (BT.2020, SMPTE 240M) for which it is the nearest we have."""

_ENCODING_601 = (YcbcrEncoding._601, YcbcrEncoding.XV601, YcbcrEncoding.SYCC)  # noqa: SLF001 - linuxpy's member names


def range_and_matrix(pixel_format: PixelFormat, fields: ColourFields) -> tuple[Range, Matrix]:
    """What a camera's frames mean. JPEG is always full range BT.601 (JFIF), whatever the driver says."""
    if pixel_format is PixelFormat.MJPG:
        return Range.FULL, Matrix.BT601
    if fields.ycbcr_enc == YcbcrEncoding.DEFAULT:
        matrix = Matrix.BT709 if fields.colorspace in _DEFAULT_709 else Matrix.BT601
    else:
        matrix = Matrix.BT601 if fields.ycbcr_enc in _ENCODING_601 else Matrix.BT709
    if fields.quantization == Quantization.DEFAULT:
        full = pixel_format is PixelFormat.RGB24 or fields.colorspace == Colorspace.JPEG
    else:
        full = fields.quantization == Quantization.FULL_RANGE
    return (Range.FULL if full else Range.LIMITED), matrix


def declared(fmt: VideoFormat) -> ColourFields:
    """What an output declares, every field said."""
    if fmt.pixel_format is PixelFormat.RGB24:
        return ColourFields(Colorspace.SRGB, YcbcrEncoding.DEFAULT, Quantization.FULL_RANGE, XferFunc.SRGB)
    wide = fmt.matrix is Matrix.BT709
    return ColourFields(
        colorspace=Colorspace.REC709 if wide else Colorspace.SMPTE170M,
        ycbcr_enc=YcbcrEncoding._709 if wide else YcbcrEncoding._601,  # noqa: SLF001 - linuxpy's member names
        quantization=Quantization.FULL_RANGE if fmt.range is Range.FULL else Quantization.LIM_RANGE,
        xfer_func=XferFunc._709,  # noqa: SLF001 - linuxpy's member name
    )

"""What a frame must move through a GPU's memory, counted, so that a measured time becomes a share of the bandwidth.

Each byte is counted once, as if caches were perfect: a kernel can move more, never less.
"""

from vcam.frame import Size, VideoFormat, frame_bytes, plane_shapes

_CHANNELS = 3
_COEFFICIENTS = 8
"""A and b have four channels each."""

_TAPS = 2
"""Lines that a bilinear sample looks at."""


def picture_bytes(fmt: VideoFormat) -> int:
    """Of all planes, without padding."""
    return frame_bytes(fmt.resized(fmt.size))


def sample_bytes(camera: VideoFormat, size: Size, *, half: bool) -> int:
    """``sample``: the lines of each plane that it looks at, and the tensor that it writes.

    Whole lines: the pixels it reads lie closer together than the 32 bytes that memory is read in.
    """
    lines = _TAPS * size.height
    read = sum(min(rows, lines) * row_bytes for rows, row_bytes in plane_shapes(camera.resized(camera.size)))
    return read + _CHANNELS * size.width * size.height * _element(half=half)


def compose_bytes(camera: VideoFormat, target: VideoFormat, size: Size, *, half: bool) -> int:
    """``compose`` where no pixel is settled: camera, coefficients and background read, the target written."""
    coefficients = _COEFFICIENTS * size.width * size.height * _element(half=half)
    return picture_bytes(camera) + coefficients + 2 * picture_bytes(target)


def _element(*, half: bool) -> int:
    return 2 if half else 4

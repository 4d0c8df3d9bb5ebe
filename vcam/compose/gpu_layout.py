"""Where pictures lie in one block of device memory."""

from vcam.cuda.kernels import DevicePicture
from vcam.frame import DevicePlane, VideoFormat, plane_shapes

ALIGNMENT = 256
"""Bytes; where a GPU's allocations begin, and so what each part of a block begins at too."""


def aligned(nbytes: int) -> int:
    """Rounded up to where the next part of a block may begin."""
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def packed(fmt: VideoFormat) -> VideoFormat:
    """The format without line padding, as pictures lie in our own memory."""
    return fmt.resized(fmt.size) if fmt.stride else fmt


def picture_at(address: int, fmt: VideoFormat) -> DevicePicture:
    """Planes one after the other, as ``allocate_planes`` lays them out on the host: one copy moves them all."""
    planes = []
    for rows, row in plane_shapes(fmt):
        planes.append(DevicePlane(address, row))
        address += rows * row
    return DevicePicture(fmt, tuple(planes))

"""One contiguous frame for write(2): the planes' own memory where it is one, else a copy."""

from dataclasses import replace

import numpy as np

from vcam.frame import Image, Plane, VideoFormat, frame_bytes, split_planes


class Packer:
    """Lays frames out as a device wants them. fmt: with the device's stride."""

    def __init__(self, fmt: VideoFormat) -> None:
        self._format = fmt
        self._packed = frame_bytes(fmt) == frame_bytes(replace(fmt, stride=0))
        self._memory = np.zeros(frame_bytes(fmt), dtype=np.uint8)
        self._planes = split_planes(self._memory, fmt)

    def pack(self, image: Image) -> memoryview:
        """The frame's bytes, valid until the planes or the next call change them."""
        whole = _whole(image) if self._packed else None
        if whole is not None and whole.size == self._memory.size:
            return whole.data
        for target, plane in zip(self._planes, image.planes, strict=True):
            np.copyto(target, plane)
        return self._memory.data


def _whole(image: Image) -> Plane | None:
    """The one buffer that the planes fill without a gap, in order (allocate_planes makes such), else None."""
    first = image.planes[0]
    if len(image.planes) == 1:
        return first.reshape(-1) if first.flags.c_contiguous else None
    base = first.base
    if not isinstance(base, np.ndarray) or base.ndim != 1 or base.dtype != np.uint8 or not base.flags.c_contiguous:
        return None
    address = base.ctypes.data
    for plane in image.planes:
        if not plane.flags.c_contiguous or plane.ctypes.data != address:
            return None
        address += plane.nbytes
    return base if address == base.ctypes.data + base.nbytes else None

"""The way of pictures from the host into device memory, by as few copies as they allow."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np

from vcam.compose.gpu_layout import picture_at
from vcam.compose.gpu_pinned import PinnedPool
from vcam.cuda.device import Device
from vcam.cuda.kernels import DevicePicture
from vcam.frame import Planes, VideoFormat, frame_bytes, plane_shapes, split_planes

_KNOWN_LIMIT = 4
"""Pictures whose copies are remembered: decoders write into the same few again and again."""


class Upload:
    """Memory for a picture of one packed format, and the way there.

    Planes in memory of the pool are copied as they lie. Others go through page-locked memory of our own, which is free
    again once the stream is through.
    """

    def __init__(self, device: Device, pool: PinnedPool, fmt: VideoFormat) -> None:
        self._device = device
        self._pool = pool
        self._format = fmt
        self._shapes = plane_shapes(fmt)
        self._buffer = device.buffer(frame_bytes(fmt))
        self._staging: Staging | None = None
        self._known: dict[int, tuple[Planes, tuple[Callable[[], None], ...]]] = {}
        self.picture: DevicePicture = picture_at(self._buffer.address, fmt)

    def queue(self, planes: Planes) -> None:
        """Queue the copies. The planes must stay as they are until the stream is through.

        Raises ValueError when they are not of the format, GpuError.
        """
        known = self._known.get(id(planes))
        if known is None:
            check_shapes(planes, self._shapes)
            copies = self._copies(planes)
            if copies is None:
                self._stage(planes)
                return
            if len(self._known) >= _KNOWN_LIMIT:
                self._known.clear()
            # Keeping the planes keeps their id from naming others.
            known = self._known[id(planes)] = planes, copies
        for copy in known[1]:
            copy()

    def release(self) -> None:
        """Free the memory. Nothing that is queued may still use it."""
        self._known.clear()
        self._buffer.release()
        if self._staging is not None:
            self._staging.release()

    def _copies(self, planes: Planes) -> tuple[Callable[[], None], ...] | None:
        """The copies of planes in page-locked memory; None where they are not."""
        bounds = [np.lib.array_utils.byte_bounds(plane) for plane in planes]
        if any(plane.strides[1] != 1 or plane.strides[0] < 0 for plane in planes):
            return None
        if not all(self._pool.holds(low, high - low) for low, high in bounds):
            return None
        stream, address = self._device.cuda_stream, self.picture.planes[0].address
        total = sum(plane.size for plane in planes)
        if _adjoin(planes, bounds) and self._pool.holds(bounds[0][0], total):
            whole = np.lib.stride_tricks.as_strided(planes[0], (total,), (1,))
            return (partial(self._device.upload, address, whole, cuda_stream=stream),)
        return tuple(
            partial(self._device.upload_rows, there.address, there.stride, plane, cuda_stream=stream)
            for plane, there in zip(planes, self.picture.planes, strict=True)
        )

    def _stage(self, planes: Planes) -> None:
        if self._staging is None:
            self._staging = Staging(self._device, self._format)
        self._staging.queue(planes, self.picture.planes[0].address)


class Staging:
    """Page-locked memory on the way to the device, for a picture of one packed format."""

    def __init__(self, device: Device, fmt: VideoFormat) -> None:
        self._device = device
        self._buffer = device.pinned(frame_bytes(fmt))
        self._planes = split_planes(self._buffer.array, fmt)

    def queue(self, planes: Planes, address: int) -> None:
        """Copy the planes, and queue the copy of the copy. The stream must be through with the last one."""
        for own, plane in zip(self._planes, planes, strict=True):
            np.copyto(own, plane)
        self._device.upload(address, self._buffer.array, cuda_stream=self._device.cuda_stream)

    def release(self) -> None:
        self._buffer.release()


def check_shapes(planes: Planes, shapes: tuple[tuple[int, int], ...]) -> None:
    """Raises ValueError or TypeError unless the planes are uint8 of these shapes, as vcam.native does."""
    if not shapes or len(planes) != len(shapes):
        raise ValueError(f"expected {len(shapes)} raw planes, got {len(planes)}")
    for number, (plane, shape) in enumerate(zip(planes, shapes, strict=True)):
        if plane.dtype != np.uint8:
            raise TypeError(f"plane {number}: expected uint8 bytes")
        if plane.shape != shape:
            raise ValueError(f"plane {number}: expected shape {shape}, got {plane.shape}")


def _adjoin(planes: Planes, bounds: list[tuple[int, int]]) -> bool:
    """Whether the planes follow each other without a gap, in their order."""
    if not all(plane.flags.c_contiguous for plane in planes):
        return False
    return all(before[1] == after[0] for before, after in pairwise(bounds))

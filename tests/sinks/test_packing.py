"""One contiguous frame, without a copy where the planes are one buffer already."""

from dataclasses import replace

import numpy as np
import pytest

from vcam.frame import Image, PixelFormat, Plane, Planes, Stamp, VideoFormat, allocate_planes, frame_bytes, split_planes
from vcam.sinks.packing import Packer

RAW = [pixel_format for pixel_format in PixelFormat if pixel_format is not PixelFormat.MJPG]
STAMP = Stamp(0, 0)


def random_planes(fmt: VideoFormat) -> tuple[Plane, Planes]:
    buffer, planes = allocate_planes(fmt)
    buffer[:] = np.random.default_rng(1).integers(0, 256, buffer.size, dtype=np.uint8)
    return buffer, planes


@pytest.mark.parametrize("pixel_format", RAW)
@pytest.mark.parametrize("size", [(16, 8), (17, 9), (1, 1)])
def test_packed_planes_are_not_copied(pixel_format: PixelFormat, size: tuple[int, int]) -> None:
    fmt = VideoFormat(pixel_format, *size)
    buffer, planes = random_planes(fmt)
    data = np.asarray(Packer(fmt).pack(Image(planes, fmt, STAMP)))
    np.testing.assert_array_equal(data, buffer)
    assert np.shares_memory(data, buffer)


@pytest.mark.parametrize("pixel_format", RAW)
def test_separate_planes_are_copied_in_order(pixel_format: PixelFormat) -> None:
    fmt = VideoFormat(pixel_format, 17, 9)
    buffer, planes = random_planes(fmt)
    apart = tuple(np.pad(plane, ((0, 0), (0, 3)))[:, : plane.shape[1]] for plane in planes)
    data = np.asarray(Packer(fmt).pack(Image(apart, fmt, STAMP)))
    np.testing.assert_array_equal(data, buffer)


@pytest.mark.parametrize("pixel_format", RAW)
def test_the_devices_stride_is_honoured(pixel_format: PixelFormat) -> None:
    fmt = VideoFormat(pixel_format, 16, 8)
    _, planes = random_planes(fmt)
    padded = replace(fmt, stride=64)
    data = np.asarray(Packer(padded).pack(Image(planes, fmt, STAMP)))
    assert data.size == frame_bytes(padded)
    for found, plane in zip(split_planes(data, padded), planes, strict=True):
        np.testing.assert_array_equal(found, plane)


def test_planes_that_only_look_contiguous_are_copied() -> None:
    """Swapped chroma, or a buffer with more in it than the frame."""
    fmt = VideoFormat(PixelFormat.I420, 16, 8)
    buffer, (y, u, v) = random_planes(fmt)
    swapped = np.asarray(Packer(fmt).pack(Image((y, v, u), fmt, STAMP)))
    np.testing.assert_array_equal(swapped, np.concatenate([y.ravel(), v.ravel(), u.ravel()]))
    larger = np.concatenate([buffer, np.zeros(7, dtype=np.uint8)])
    data = np.asarray(Packer(fmt).pack(Image(split_planes(larger, fmt), fmt, STAMP)))
    np.testing.assert_array_equal(data, buffer)


def test_own_memory_is_reused() -> None:
    fmt = VideoFormat(PixelFormat.GREY, 8, 4)
    wide = np.zeros((4, 16), dtype=np.uint8)
    packer = Packer(fmt)
    first = np.asarray(packer.pack(Image((wide[:, :8],), fmt, STAMP)))
    second = np.asarray(packer.pack(Image((wide[:, 8:],), fmt, STAMP)))
    assert np.shares_memory(first, second)

"""Sizes and views of raw frames."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcam.frame import PixelFormat, VideoFormat, allocate_planes, frame_bytes, plane_shapes, plane_strides, split_planes

RAW = [fmt for fmt in PixelFormat if fmt is not PixelFormat.MJPG]


@pytest.mark.parametrize(
    ("pixel_format", "size_bytes"),
    [
        (PixelFormat.YUYV, 2 * 640 * 480),
        (PixelFormat.NV12, 640 * 480 * 3 // 2),
        (PixelFormat.I420, 640 * 480 * 3 // 2),
        (PixelFormat.I422, 2 * 640 * 480),
        (PixelFormat.I444, 3 * 640 * 480),
        (PixelFormat.GREY, 640 * 480),
        (PixelFormat.RGB24, 3 * 640 * 480),
        (PixelFormat.MJPG, 0),
    ],
)
def test_sizes_as_v4l2_gives_them(pixel_format: PixelFormat, size_bytes: int) -> None:
    assert frame_bytes(VideoFormat(pixel_format, 640, 480)) == size_bytes


@given(st.sampled_from(RAW), st.integers(1, 33), st.integers(1, 33), st.integers(0, 9))
def test_planes_partition_the_buffer(pixel_format: PixelFormat, width: int, height: int, padding: int) -> None:
    packed = VideoFormat(pixel_format, width, height)
    row = plane_strides(packed)[0]
    fmt = replace(packed, stride=row + 2 * padding)
    buffer = np.zeros(frame_bytes(fmt), np.uint8)
    planes = split_planes(buffer, fmt)
    assert tuple(plane.shape for plane in planes) == plane_shapes(fmt)
    for plane in planes:
        plane += 1
    assert buffer.max() == 1, "planes must not overlap"
    assert int(buffer.sum()) == sum(rows * bytes_ for rows, bytes_ in plane_shapes(fmt))


@given(st.sampled_from(RAW), st.integers(1, 33), st.integers(1, 33))
def test_allocated_planes_fill_one_buffer(pixel_format: PixelFormat, width: int, height: int) -> None:
    buffer, planes = allocate_planes(VideoFormat(pixel_format, width, height, stride=9999))
    for number, plane in enumerate(planes, 1):
        plane[:] = number
    assert buffer.size == sum(plane.size for plane in planes)
    assert buffer.min() == 1

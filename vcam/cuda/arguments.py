"""The arguments of the CUDA kernels: one struct by value each, as kernels/arguments.cuh lays it out.

A test compares sizes and offsets with those the C++ compiler finds. Pointers are device addresses.
"""

import ctypes
from dataclasses import dataclass
from typing import ClassVar

from vcam.color import decoding, encoding
from vcam.cuda.live import AxisStruct, axis_struct
from vcam.frame import DevicePlane, PixelFormat, Size, VideoFormat, plane_shapes

LAYOUTS = (
    PixelFormat.I420,
    PixelFormat.I422,
    PixelFormat.I444,
    PixelFormat.YUYV,
    PixelFormat.NV12,
    PixelFormat.GREY,
    PixelFormat.RGB24,
)
"""In the order of the enum Layout (native/loops.h)."""

_PLANES = 3
_MATRIX = 12


@dataclass(frozen=True, slots=True)
class DevicePicture:
    """A picture in device memory: planes in the order of the format. Borrowed: whoever made it owns the memory."""

    format: VideoFormat
    planes: tuple[DevicePlane, ...]


@dataclass(frozen=True, slots=True)
class DeviceCorrections:
    """What vcam.cuda.edge found out about the person's edge: addresses, 0 for a correction that is not made.

    smooth: (2, h, w) float32 of the matte's size. line, room: (5, rows, columns) and (4, rows, columns) float32, of
    cells of nodes (vcam.cuda.live).
    """

    smooth: int
    line: int
    room: int
    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class DeviceWash:
    """A coarse picture over a view: address of (3, rows, columns) float32, RGB in [0, 1]; 0 is none. x, y: pixels of
    the view that make one cell."""

    address: int = 0
    columns: int = 1
    rows: int = 1
    x: float = 1.0
    y: float = 1.0


@dataclass(frozen=True, slots=True)
class DeviceLook:
    """How the person is shown, once. figure: address of a FigureStruct. light: what wraps around the person. blurred:
    the person's colours, instead of the picture's own."""

    figure: int
    light: DeviceWash = DeviceWash()
    blurred: DeviceWash = DeviceWash()


@dataclass(frozen=True, slots=True)
class DeviceMatte:
    """An affine matte in device memory (see frame.AffineMatte).

    a, b: addresses of (4, h, w), float16 where ``half``, else float32; ``size`` is (w, h). view, live: addresses of a
    ViewStruct, of the pictures that it is used with, and of a LiveStruct. corrections: made by compose and alpha. look:
    made by compose.
    """

    a: int
    b: int
    size: Size
    half: bool
    view: int
    live: int
    corrections: DeviceCorrections | None = None
    look: DeviceLook | None = None


class MatrixStruct(ctypes.Structure):
    _fields_: ClassVar = [("m", ctypes.c_float * _MATRIX)]


class PictureStruct(ctypes.Structure):
    _fields_: ClassVar = [
        ("plane", ctypes.c_uint64 * _PLANES),
        ("stride", ctypes.c_int32 * _PLANES),
        ("layout", ctypes.c_int32),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
    ]


class MatteStruct(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_uint64) for name in ("a", "b", "view", "live")),
        *((name, ctypes.c_int32) for name in ("width", "height", "half")),
    ]


class EdgeStruct(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_uint64) for name in ("smooth", "line", "room")),
        *((name, ctypes.c_int32) for name in ("columns", "rows")),
    ]


class SampleArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("source", PictureStruct),
        ("decode", MatrixStruct),
        ("x", AxisStruct),
        ("y", AxisStruct),
        ("out", ctypes.c_uint64),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("half", ctypes.c_int32),
    ]


class CheckArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
        ("flag", ctypes.c_uint64),
        ("count", ctypes.c_int32),
        ("half", ctypes.c_int32),
    ]


class ComposeArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("source", PictureStruct),
        ("background", PictureStruct),
        ("target", PictureStruct),
        ("decode", MatrixStruct),
        ("encode", MatrixStruct),
        ("matte", MatteStruct),
        ("edge", EdgeStruct),
        ("flag", ctypes.c_uint64),
        ("rows", ctypes.c_int32),
    ]


class WashStruct(ctypes.Structure):
    _fields_: ClassVar = [("rgb", ctypes.c_uint64), ("x", AxisStruct), ("y", AxisStruct)]


class LookArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("compose", ComposeArguments),
        ("figure", ctypes.c_uint64),
        ("light", WashStruct),
        ("blurred", WashStruct),
        ("in_place", ctypes.c_int32),
    ]


class AlphaArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("source", PictureStruct),
        ("decode", MatrixStruct),
        ("matte", MatteStruct),
        ("edge", EdgeStruct),
        ("out", ctypes.c_uint64),
        ("rows", ctypes.c_int32),
    ]


class ScaleArguments(ctypes.Structure):
    _fields_: ClassVar = [("source", PictureStruct), ("target", PictureStruct), ("view", ctypes.c_uint64)]


class ConvertArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("source", PictureStruct),
        ("target", PictureStruct),
        ("decode", MatrixStruct),
        ("encode", MatrixStruct),
        ("same_colour", ctypes.c_int32),
    ]


class CopyArguments(ctypes.Structure):
    _fields_: ClassVar = [("source", PictureStruct), ("target", PictureStruct)]


class GridStruct(ctypes.Structure):
    """Memory of a blur: all 16-byte aligned but rgb; see blur.py for the shapes."""

    _fields_: ClassVar = [
        *((name, ctypes.c_uint64) for name in ("cells", "scratch", "middle", "far", "wide_scratch", "sums", "rgb")),
        *((name, ctypes.c_int32) for name in ("width", "height", "cell", "columns", "rows")),
    ]


class GatherArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("grid", GridStruct),
        ("source", PictureStruct),
        ("decode", MatrixStruct),
        ("matte", MatteStruct),
        ("person", ctypes.c_int32),
    ]


class StepArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("grid", GridStruct),
        ("view", ctypes.c_uint64),
        *((name, ctypes.c_int32) for name in ("number", "person")),
    ]


class RenderArguments(ctypes.Structure):
    _fields_: ClassVar = [
        ("grid", GridStruct),
        ("target", PictureStruct),
        ("encode", MatrixStruct),
        ("live", ctypes.c_uint64),
        ("x", AxisStruct),
        ("y", AxisStruct),
        *((name, ctypes.c_int32) for name in ("rows", "looked")),
    ]


class EdgeArguments(ctypes.Structure):
    """See vcam.cuda.edge for the shapes."""

    _fields_: ClassVar = [
        *((name, ctypes.c_uint64) for name in ("before", "after", "moved", "moments", "mixed", "planes")),
        *((name, ctypes.c_uint64) for name in ("small", "a", "b", "live")),
        *((name, ctypes.c_int32) for name in ("width", "height", "side", "columns", "rows", "small_half", "half")),
    ]


def picture_struct(picture: DevicePicture) -> PictureStruct:
    """Raises ValueError where the planes are not those of the format."""
    fmt = picture.format
    shapes = plane_shapes(fmt)
    if not shapes or len(shapes) != len(picture.planes):
        raise ValueError(f"{fmt.pixel_format} has {len(shapes)} raw planes, got {len(picture.planes)}")
    for (_, row), plane in zip(shapes, picture.planes, strict=True):
        if plane.stride < row:
            raise ValueError(f"a row of {row} bytes does not fit a stride of {plane.stride}")
    result = PictureStruct(layout=LAYOUTS.index(fmt.pixel_format), width=fmt.width, height=fmt.height)
    for i, plane in enumerate(picture.planes):
        result.plane[i], result.stride[i] = plane.address, plane.stride
    return result


def matte_struct(matte: DeviceMatte) -> MatteStruct:
    return MatteStruct(
        a=matte.a,
        b=matte.b,
        view=matte.view,
        live=matte.live,
        width=matte.size.width,
        height=matte.size.height,
        half=matte.half,
    )


def edge_struct(matte: DeviceMatte) -> EdgeStruct:
    """The matte's corrections."""
    given = matte.corrections
    if given is None:
        return EdgeStruct()
    return EdgeStruct(smooth=given.smooth, line=given.line, room=given.room, columns=given.columns, rows=given.rows)


def wash_struct(wash: DeviceWash) -> WashStruct:
    x, y = axis_struct(wash.x, 1.0, 0.0, wash.columns), axis_struct(wash.y, 1.0, 0.0, wash.rows)
    return WashStruct(rgb=wash.address, x=x, y=y)


def decode_struct(fmt: VideoFormat) -> MatrixStruct:
    return MatrixStruct.from_buffer_copy(decoding(fmt).tobytes())


def encode_struct(fmt: VideoFormat) -> MatrixStruct:
    return MatrixStruct.from_buffer_copy(encoding(fmt).tobytes())

"""The data that flows through vcam: formats, stamps, pictures, mattes.

Three lifetimes. *Owned*: EncodedFrame holds its own bytes. *Borrowed*: Image and AffineMatte point into their
lender's buffers and are valid until the lender's next call. *Kept*: copy it, and say so.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Plane: TypeAlias = npt.NDArray[np.uint8]
"""(rows, bytes per row) uint8, rows may be padded: stride >= row bytes, bytes within a row are contiguous."""

Planes: TypeAlias = tuple[Plane, ...]

Tensor: TypeAlias = npt.NDArray[np.float32]
"""C-contiguous float32 on the CPU."""


class PixelFormat(StrEnum):
    """Layouts that vcam handles; the value is the fourcc as V4L2 spells it."""

    MJPG = "MJPG"
    YUYV = "YUYV"
    NV12 = "NV12"
    I420 = "YU12"
    I422 = "422P"
    I444 = "YM24"
    GREY = "GREY"
    RGB24 = "RGB3"


class Range(StrEnum):
    """Quantisation: full is 0..255, limited is 16..235 for luma and 16..240 for chroma."""

    FULL = "full"
    LIMITED = "limited"


class Matrix(StrEnum):
    """Which RGB weights make luma; see color.py."""

    BT601 = "bt601"
    BT709 = "bt709"


@dataclass(frozen=True, slots=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What the bytes mean. Sizes in pixels.

    stride: bytes per line of plane 0 in a raw buffer; 0 when packed or compressed.
    """

    pixel_format: PixelFormat
    width: int
    height: int
    stride: int = 0
    range: Range = Range.LIMITED
    matrix: Matrix = Matrix.BT601

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)

    def resized(self, size: Size) -> "VideoFormat":
        """The same format at another size, packed."""
        return replace(self, width=size.width, height=size.height, stride=0)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which captured frame this is.

    pts_ns: CLOCK_MONOTONIC nanoseconds of capture (files and scenes: their own time line, in ns).
    sequence: the driver's counter; a gap means that frames were lost.
    epoch: counts how often the source was opened; a new value means that nothing before is related.
    """

    pts_ns: int
    sequence: int
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One frame as the source delivered it: JPEG bytes or raw planes. Owned."""

    data: bytes | bytearray | memoryview | Plane
    format: VideoFormat
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class DevicePlane:
    """A plane in a GPU's memory. ``stride`` in bytes."""

    address: int
    stride: int


@dataclass(frozen=True, slots=True)
class Image:
    """Decoded planes in the order of the format. Borrowed from whoever returned it.

    YUYV, GREY, RGB24: one plane. NV12: luma, interleaved chroma. I420, I422, I444: Y, U, V.
    device: where a GPU decoded the picture into its own memory, its planes there; ``planes`` is then empty.
    """

    planes: Planes
    format: VideoFormat
    stamp: Stamp
    device: tuple[DevicePlane, ...] = ()


@dataclass(frozen=True, slots=True)
class Patch:
    """What is painted onto a part of one plane, byte by byte: (color + keep * below) / 255, rounded.

    row, column: of its first byte in the plane. color: (rows, bytes) uint16, levels times (255 - keep). keep: the same
    shape, uint8, how much of what is below remains.
    """

    row: int
    column: int
    color: npt.NDArray[np.uint16]
    keep: Plane


@dataclass(frozen=True, slots=True)
class Overlay:
    """A picture with soft edges, in the layout of an output: a patch for each plane. Never changed."""

    patches: tuple[Patch, ...]


@dataclass(frozen=True, slots=True)
class AffineMatte:
    """Local affine model of alpha and foreground, (4, h, w) float32 each; borrowed until the engine's next call.

    With rgb in [0, 1], full range, and gray = mean(rgb):
    alpha = clip(a[3] * gray + b[3]); foreground = clip(rgb + a[:3] * rgb + b[:3]).
    """

    a: Tensor
    b: Tensor
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a picture or matte, in its pixels; may begin and end between pixels, must lie inside.

    A negative width reads from x to the left, a negative height from y upwards: mirrored, flipped.
    """

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Levels:
    """Stretches alpha so that ``black`` becomes 0 and ``white`` 1: a network's faint ghosts become exact background."""

    black: float = 0.0
    white: float = 1.0

    @property
    def gain(self) -> float:
        return 1.0 / (self.white - self.black)

    @property
    def offset(self) -> float:
        return -self.black * self.gain


def plane_shapes(fmt: VideoFormat) -> tuple[tuple[int, int], ...]:
    """(rows, bytes per row without padding) of each plane. Odd sizes round chroma up. MJPG has none."""
    w, h = fmt.width, fmt.height
    cw, ch = (w + 1) // 2, (h + 1) // 2
    shapes: dict[PixelFormat, tuple[tuple[int, int], ...]] = {
        PixelFormat.YUYV: ((h, 4 * cw),),
        PixelFormat.NV12: ((h, w), (ch, 2 * cw)),
        PixelFormat.I420: ((h, w), (ch, cw), (ch, cw)),
        PixelFormat.I422: ((h, w), (h, cw), (h, cw)),
        PixelFormat.I444: ((h, w), (h, w), (h, w)),
        PixelFormat.GREY: ((h, w),),
        PixelFormat.RGB24: ((h, 3 * w),),
        PixelFormat.MJPG: (),
    }
    return shapes[fmt.pixel_format]


def plane_strides(fmt: VideoFormat) -> tuple[int, ...]:
    """Bytes per line of each plane in a raw buffer, by V4L2's rules (chroma strides follow from that of plane 0)."""
    packed = tuple(row for _, row in plane_shapes(fmt))
    if not fmt.stride or fmt.stride == packed[0]:
        return packed
    match fmt.pixel_format:
        case PixelFormat.NV12:
            return (fmt.stride, fmt.stride)
        case PixelFormat.I420 | PixelFormat.I422:
            return (fmt.stride, (fmt.stride + 1) // 2, (fmt.stride + 1) // 2)
        case _:
            return (fmt.stride,) * len(packed)


def frame_bytes(fmt: VideoFormat) -> int:
    """Bytes of one raw frame, line padding included (0 for compressed formats)."""
    return sum(rows * stride for (rows, _), stride in zip(plane_shapes(fmt), plane_strides(fmt), strict=True))


def split_planes(buffer: Plane, fmt: VideoFormat) -> Planes:
    """Views of the planes inside one raw buffer, (frame_bytes,) uint8. The buffer must be large enough."""
    views: list[Plane] = []
    offset = 0
    for (rows, row), stride in zip(plane_shapes(fmt), plane_strides(fmt), strict=True):
        view = buffer[offset : offset + rows * stride].reshape(rows, stride)
        views.append(view[:, :row])
        offset += rows * stride
    return tuple(views)


def allocate_planes(fmt: VideoFormat) -> tuple[Plane, Planes]:
    """One packed buffer (frame_bytes,) and the planes inside it, so that a sink can write it in one call."""
    packed = replace(fmt, stride=0)
    buffer = np.zeros(frame_bytes(packed), dtype=np.uint8)
    return buffer, split_planes(buffer, packed)

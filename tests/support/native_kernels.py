"""The CUDA kernels' work done by vcam.native, for FakeDriver: what the GPU's host code is tested with.

The real kernels are compared with vcam.native elsewhere; here their arguments are unpacked and the work is exact, so
what a picture differs by is the fault of whoever queued the wrong thing.
"""

import ctypes
from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from vcam.cuda import arguments as packed
from vcam.cuda import live as packed_live
from vcam.cuda.driver import Dimensions
from vcam.cuda.kernels import KERNELS
from vcam.fakes import FakeMemory, Kernel
from vcam.frame import Plane, Planes, Tensor, VideoFormat, plane_shapes
from vcam.native import _pixels

_Picture = tuple[str, int, int, Planes]
_Matte = tuple[Tensor, Tensor, tuple[float, float, float, float] | None, float, float]
Arguments = TypeVar("Arguments", bound=ctypes.Structure)


def native_kernels() -> Mapping[str, Kernel]:
    """Every kernel of the fatbin, by its name."""
    blurs = _Blurs()
    known: dict[str, Kernel] = {
        "sample": _kernel(packed.SampleArguments, _sample),
        "check": _kernel(packed.CheckArguments, _check),
        "compose": _kernel(packed.ComposeArguments, _compose),
        "alpha": _kernel(packed.AlphaArguments, _alpha),
        "scale": _kernel(packed.ScaleArguments, _scale),
        "convert": _kernel(packed.ConvertArguments, _convert),
        "copy": _kernel(packed.CopyArguments, _copy),
        "blur_gather": _kernel(packed.GatherArguments, blurs.gather),
        "blur_shrink": _kernel(packed.StepArguments, blurs.shrink),
        "blur_render": _kernel(packed.RenderArguments, blurs.render),
    }
    # compose_I420_NV12 and the like are compose for layouts known beforehand.
    known |= {name: known["compose"] for name in KERNELS if name.startswith("compose") and name != "compose_look"}
    known |= {name: _nothing for name in KERNELS if name.startswith(("blur", "edge")) and name not in known}
    return {name: known.get(name, _refuse) for name in KERNELS}


def _kernel(kind: type[Arguments], work: Callable[[Arguments, FakeMemory], None]) -> Kernel:
    def run(grid: Dimensions, block: Dimensions, arguments: bytes, memory: FakeMemory) -> None:
        work(kind.from_buffer_copy(arguments), memory)

    return run


def _nothing(grid: Dimensions, block: Dimensions, arguments: bytes, memory: FakeMemory) -> None:
    """A step that another does as well."""


def _refuse(grid: Dimensions, block: Dimensions, arguments: bytes, memory: FakeMemory) -> None:
    raise AssertionError("this is for the real kernels (host_kernels)")


def _sample(given: packed.SampleArguments, memory: FakeMemory) -> None:
    small = np.zeros((3, given.height, given.width), np.float32)
    _pixels.sample(_picture(given.source, memory), _matrix(given.decode), None, small)
    _floats(memory, given.out, small.shape, half=given.half)[:] = small


def _check(given: packed.CheckArguments, memory: FakeMemory) -> None:
    for address in (given.a, given.b):
        if not np.isfinite(_floats(memory, address, (given.count,), half=given.half)).all():
            memory.array(given.flag, (1,), np.uint32)[:] = 1


def _refuse_corrections(edge: packed.EdgeStruct) -> None:
    corrections = (edge.smooth, edge.line, edge.room)
    assert corrections == (0, 0, 0), "these are for the real kernels (host_kernels)"


def _compose(given: packed.ComposeArguments, memory: FakeMemory) -> None:
    _refuse_corrections(given.edge)
    background, target = _picture(given.background, memory), _picture(given.target, memory)
    if memory.array(given.flag, (1,), np.uint32)[0]:
        for under, out in zip(background[3], target[3], strict=True):
            out[:] = under
        return
    source, matte = _picture(given.source, memory), _matte(given.matte, given.source, memory)
    _pixels.compose(source, _matrix(given.decode), matte, background, target, _matrix(given.encode))


def _alpha(given: packed.AlphaArguments, memory: FakeMemory) -> None:
    _refuse_corrections(given.edge)
    source = _picture(given.source, memory)
    out = memory.array(given.out, (source[2], source[1]), np.uint8).view(np.uint8)
    _pixels.alpha(source, _matrix(given.decode), _matte(given.matte, given.source, memory), out)


def _scale(given: packed.ScaleArguments, memory: FakeMemory) -> None:
    view = _struct(packed_live.ViewStruct, given.view, memory)
    window = (view.x, view.y, view.step_x * given.target.width, view.step_y * given.target.height)
    _pixels.scale(_picture(given.source, memory), window, _picture(given.target, memory))


def _convert(given: packed.ConvertArguments, memory: FakeMemory) -> None:
    source, target = _picture(given.source, memory), _picture(given.target, memory)
    same = bool(given.same_colour)
    _pixels.convert(source, _matrix(given.decode), target, _matrix(given.encode), same_colour=same)


def _copy(given: packed.CopyArguments, memory: FakeMemory) -> None:
    for plane, out in zip(_picture(given.source, memory)[3], _picture(given.target, memory)[3], strict=True):
        out[:] = plane


class _Blurs:
    """By the address of their cells, as the kernels know them. gather hands over; shrink knows the sigma."""

    def __init__(self) -> None:
        self._blurs: dict[int, _pixels.MaskedBlur] = {}
        self._gathered: dict[int, tuple[_Picture, Tensor, _Matte]] = {}

    def gather(self, given: packed.GatherArguments, memory: FakeMemory) -> None:
        picture = _picture(given.source, memory)
        kept: _Picture = (*picture[:3], tuple(plane.copy() for plane in picture[3]))
        self._gathered[given.grid.cells] = kept, _matrix(given.decode), _matte(given.matte, given.source, memory)

    def shrink(self, given: packed.StepArguments, memory: FakeMemory) -> None:
        blur = self._blurs[given.grid.cells] = _pixels.MaskedBlur(given.grid.width, given.grid.height)
        blur.gather(*self._gathered[given.grid.cells], _struct(packed_live.ViewStruct, given.view, memory).sigma)

    def render(self, given: packed.RenderArguments, memory: FakeMemory) -> None:
        self._blurs[given.grid.cells].render(_picture(given.target, memory), _matrix(given.encode))


def _picture(given: packed.PictureStruct, memory: FakeMemory) -> _Picture:
    fmt = VideoFormat(packed.LAYOUTS[given.layout], given.width, given.height)
    planes = []
    for (rows, row), address, stride in zip(plane_shapes(fmt), given.plane, given.stride, strict=False):
        memory_there: Plane = memory.bytes(address, (rows - 1) * stride + row)
        planes.append(np.lib.stride_tricks.as_strided(memory_there, (rows, row), (stride, 1)))
    return fmt.pixel_format.value, fmt.width, fmt.height, tuple(planes)


def _matte(given: packed.MatteStruct, picture: packed.PictureStruct, memory: FakeMemory) -> _Matte:
    shape = (4, given.height, given.width)
    view, live = (
        _struct(packed_live.ViewStruct, given.view, memory),
        _struct(packed_live.LiveStruct, given.live, memory),
    )
    a, b = (_floats(memory, each, shape, half=given.half).astype(np.float32) for each in (given.a, given.b))
    x, y = view.nodes_x, view.nodes_y
    assert (x.size, y.size) == (given.width, given.height)
    window = (x.origin, y.origin, picture.width / x.scale, picture.height / y.scale)
    return a, b, window, live.gain, live.offset


def _matrix(given: packed.MatrixStruct) -> Tensor:
    return np.array(given.m, np.float32).reshape(3, 4)


def _struct(kind: type[Arguments], address: int, memory: FakeMemory) -> Arguments:
    return kind.from_buffer_copy(memory.bytes(address, ctypes.sizeof(kind)).tobytes())


def _floats(memory: FakeMemory, address: int, shape: tuple[int, ...], *, half: int) -> npt.NDArray[np.generic]:
    return memory.array(address, shape, np.float16 if half else np.float32)

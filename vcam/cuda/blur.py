"""The room behind the person, blurred as if the person were not there, on the GPU: the twin of native.MaskedBlur.

Or the person, blurred as if the room were not there.
"""

from dataclasses import dataclass

from vcam.cuda.arguments import (
    DeviceMatte,
    DevicePicture,
    DeviceWash,
    GatherArguments,
    GridStruct,
    RenderArguments,
    StepArguments,
    decode_struct,
    encode_struct,
    matte_struct,
    picture_struct,
)
from vcam.cuda.kernels import ROWS_PER_THREAD, Kernels, bands
from vcam.cuda.live import axis_struct
from vcam.frame import Size

_CELLS_PER_SIDE = 320
_WIDE = 4
"""As kMaxBlurCells (native/loops.h) and kWideFactor (native/blur_plan.h); a test holds them equal."""

_CHANNELS = 4
_COLOURS = 3
_FLOAT_BYTES = 4
_NEAR_STEPS, _ALL_STEPS = 6, 12
"""Three boxes along rows, three along columns: of the cells and the middle blur at once, then of the far one."""


@dataclass(frozen=True, slots=True)
class _Cells:
    """How a picture is divided: square cells of ``side`` pixels, and wide ones of _WIDE x _WIDE cells."""

    side: int
    columns: int
    rows: int

    @property
    def count(self) -> int:
        return self.columns * self.rows

    @property
    def wide(self) -> "_Cells":
        return _Cells(_WIDE * self.side, -(-self.columns // _WIDE), -(-self.rows // _WIDE))


def _divide(size: Size) -> _Cells:
    side = 2 * -(-max(size.width, size.height) // (2 * _CELLS_PER_SIDE))
    return _Cells(side, -(-size.width // side), -(-size.height // side))


def blur_bytes(size: Size) -> int:
    """Device memory that DeviceBlur needs for pictures of ``size``."""
    cells = _divide(size)
    floats = (2 * _CHANNELS + _COLOURS) * cells.count + _CHANNELS * (3 * cells.wide.count + cells.wide.rows)
    return _FLOAT_BYTES * floats


class DeviceBlur:
    """For pictures of one size. memory: address of ``blur_bytes(size)`` bytes, the caller's, 16-byte aligned.

    person: it is the person who is blurred, and not the room.
    """

    def __init__(self, kernels: Kernels, size: Size, memory: int, *, person: bool = False) -> None:
        self._kernels = kernels
        self._size = size
        self._person = person
        self._cells = _divide(size)
        self._grid = self._layout(memory)

    def gather(self, source: DevicePicture, matte: DeviceMatte, *, cuda_stream: int) -> None:
        """Blur what is wanted of ``source``; the Gaussian's sigma is that of the matte's view."""
        self._require_size(source)
        cells, wide = self._cells, self._cells.wide
        gathered = GatherArguments(
            grid=self._grid,
            source=picture_struct(source),
            decode=decode_struct(source.format),
            matte=matte_struct(matte),
            person=self._person,
        )
        whole, coarse = (cells.columns, cells.rows, 1), (wide.columns, wide.rows, 1)
        both = (cells.columns, cells.rows + wide.rows, 1)
        self._kernels.launch("blur_gather", gathered, threads=whole, cuda_stream=cuda_stream)
        step = StepArguments(grid=self._grid, view=matte.view, person=self._person)
        self._kernels.launch("blur_shrink", step, threads=whole, cuda_stream=cuda_stream)
        self._kernels.launch("blur_widen", step, threads=coarse, cuda_stream=cuda_stream)
        for number in range(_ALL_STEPS):
            step.number = number
            threads = both if number < _NEAR_STEPS else coarse
            self._kernels.launch("blur_smooth", step, threads=threads, cuda_stream=cuda_stream)
        self._kernels.launch("blur_divide", step, threads=whole, cuda_stream=cuda_stream)

    def render(self, target: DevicePicture, look: int = 0, *, cuda_stream: int) -> None:
        """Write what was gathered last into ``target``. Call ``gather`` first: the memory holds nothing before.

        look: address of a LiveStruct whose look of the room is to be seen; 0: of none.
        """
        self._require_size(target)
        cells = self._cells
        arguments = RenderArguments(
            grid=self._grid,
            target=picture_struct(target),
            encode=encode_struct(target.format),
            x=axis_struct(cells.side, 1.0, 0.0, cells.columns),
            y=axis_struct(cells.side, 1.0, 0.0, cells.rows),
            live=look,
            rows=ROWS_PER_THREAD,
            looked=look != 0,
        )
        self._kernels.launch("blur_render", arguments, threads=bands(target.format), cuda_stream=cuda_stream)

    @property
    def wash(self) -> DeviceWash:
        """What was gathered last, to be spread over a picture of this size."""
        cells = self._cells
        return DeviceWash(self._grid.rgb, cells.columns, cells.rows, cells.side, cells.side)

    def _layout(self, memory: int) -> GridStruct:
        cells, wide = self._cells, self._cells.wide
        sizes = {
            "cells": _CHANNELS * cells.count,
            "scratch": _CHANNELS * cells.count,
            "middle": _CHANNELS * wide.count,
            "far": _CHANNELS * wide.count,
            "wide_scratch": _CHANNELS * wide.count,
            "sums": _CHANNELS * wide.rows,
            "rgb": _COLOURS * cells.count,
        }
        grid = GridStruct(
            width=self._size.width, height=self._size.height, cell=cells.side, columns=cells.columns, rows=cells.rows
        )
        for name, floats in sizes.items():
            setattr(grid, name, memory)
            memory += _FLOAT_BYTES * floats
        return grid

    def _require_size(self, picture: DevicePicture) -> None:
        if picture.format.size != self._size:
            raise ValueError(f"this blur is for pictures of {self._size}, got {picture.format.size}")

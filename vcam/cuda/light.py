"""The light of the background around the person, on the GPU: the twin of native.SurroundingLight."""

import ctypes
from typing import ClassVar

from vcam.cuda.arguments import DeviceMatte, DevicePicture, DeviceWash, MatteStruct, matte_struct
from vcam.cuda.kernels import Kernels
from vcam.cuda.live import light_cells_of
from vcam.frame import Size

_COLOURS = 3
_CELL = 4
_FLOAT_BYTES = 4
_SMOOTHS = 6
"""Three boxes along rows, three along columns."""


class LightArguments(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_uint64) for name in ("camera", "background", "cells", "scratch", "rgb")),
        ("matte", MatteStruct),
        *((name, ctypes.c_int32) for name in ("columns", "rows", "number")),
    ]


def light_bytes(size: Size) -> int:
    """Device memory that DeviceLight needs for views of ``size``."""
    cells = light_cells_of(size)
    return _FLOAT_BYTES * (2 * _CELL + 3 * _COLOURS) * cells.width * cells.height


class DeviceLight:
    """For views of one size. memory: address of ``light_bytes(size)`` bytes, the caller's, 16-byte aligned."""

    def __init__(self, kernels: Kernels, size: Size, memory: int) -> None:
        self._kernels = kernels
        self._size = size
        self._cells = light_cells_of(size)
        cells = _FLOAT_BYTES * self._cells.width * self._cells.height
        names = {"cells": _CELL, "scratch": _CELL, "camera": _COLOURS, "background": _COLOURS, "rgb": _COLOURS}
        self._arguments = LightArguments(columns=self._cells.width, rows=self._cells.height)
        for name, floats in names.items():
            setattr(self._arguments, name, memory)
            memory += floats * cells

    def gather(
        self, source: DevicePicture, background: DevicePicture, matte: DeviceMatte, *, cuda_stream: int
    ) -> DeviceWash:
        """Queue finding the light; what is spread over the view then. source: the view. Raises ValueError."""
        if source.format.size != self._size:
            raise ValueError(f"this light is for pictures of {self._size}, got {source.format.size}")
        arguments, cells = self._arguments, self._cells
        for picture, out in ((source, arguments.camera), (background, arguments.background)):
            self._kernels.sample(picture, out, cells, half=False, cuda_stream=cuda_stream)
        arguments.matte = matte_struct(matte)
        steps = [("light_cells", 0), *(("light_smooth", number) for number in range(_SMOOTHS)), ("light_finish", 0)]
        for name, number in steps:
            arguments.number = number
            self._kernels.launch(name, arguments, threads=(cells.width, cells.height, 1), cuda_stream=cuda_stream)
        x, y = self._size.width / cells.width, self._size.height / cells.height
        return DeviceWash(arguments.rgb, cells.width, cells.height, x, y)

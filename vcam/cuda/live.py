"""What may change from frame to frame without recording it anew: structs in device memory, which kernels read there.

As kernels/live.cuh lays them out; a test compares them.
"""

import ctypes
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from vcam.frame import Levels, Size, Window
from vcam.stages import MatteControls

_CELLS_PER_SIDE = 85
"""As in native/post.h; a test holds them equal."""


LOOK_FLOATS = 34 + 3 * 1024
"""As in native/look.h; a test holds them equal."""


@dataclass(frozen=True, slots=True)
class Cells:
    """How a matte is divided for the corrections of its edge: cells of side x side nodes."""

    side: int
    columns: int
    rows: int


def cells_of(matte: Size) -> Cells:
    side = max(2, (max(matte.width, matte.height) + _CELLS_PER_SIDE // 2) // _CELLS_PER_SIDE)
    return Cells(side, -(-matte.width // side), -(-matte.height // side))


class AxisStruct(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_float) for name in ("scale", "reciprocal", "origin")),
        ("size", ctypes.c_int32),
    ]


class ViewStruct(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, AxisStruct) for name in ("nodes_x", "nodes_y", "cells_x", "cells_y")),
        *((name, ctypes.c_float) for name in ("step_x", "step_y", "x", "y", "sigma", "person_sigma")),
        ("unused", ctypes.c_float * 2),
    ]


class LiveStruct(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_float) for name in ("gain", "offset", "smoothing", "refine", "despill")),
        ("unused", ctypes.c_float * 3),
    ]


class FigureStruct(ctypes.Structure):
    """look: LOOK_FLOATS, as vcam.compose.look makes them."""

    _fields_: ClassVar = [
        ("look", ctypes.c_float * LOOK_FLOATS),
        ("pairs", ctypes.c_int32),
        ("unused", ctypes.c_int32),
    ]


def axis_struct(out: float, extent: float, origin: float, size: int) -> AxisStruct:
    """Of a linear resize to ``out`` samples of what lies between ``origin`` and ``origin + extent`` of ``size``."""
    scale = np.float32(out) / np.float32(extent)
    return AxisStruct(scale=scale, reciprocal=np.float32(1.0) / scale, origin=origin, size=size)


def view_struct(
    picture: Size, shown: Window, camera: Size, matte: Size, sigmas_px: tuple[float, float] = (0.0, 0.0)
) -> ViewStruct:
    """Of pictures of a size that show this window of the camera's, whose matte has the size ``matte``.

    sigmas_px: of the blurred room behind the person, and of the blurred person.
    """
    window = _scaled(shown, matte.width / camera.width, matte.height / camera.height)
    cells = cells_of(matte)
    divided = _scaled(window, 1.0 / cells.side, 1.0 / cells.side)
    return ViewStruct(
        nodes_x=axis_struct(picture.width, window.width, window.x, matte.width),
        nodes_y=axis_struct(picture.height, window.height, window.y, matte.height),
        cells_x=axis_struct(picture.width, divided.width, divided.x, cells.columns),
        cells_y=axis_struct(picture.height, divided.height, divided.y, cells.rows),
        step_x=np.float32(shown.width) / np.float32(picture.width),
        step_y=np.float32(shown.height) / np.float32(picture.height),
        x=shown.x,
        y=shown.y,
        sigma=sigmas_px[0],
        person_sigma=sigmas_px[1],
    )


def live_struct(levels: Levels, controls: MatteControls) -> LiveStruct:
    """levels: of alpha; of the controls only the strengths of the corrections."""
    return LiveStruct(
        gain=levels.gain,
        offset=levels.offset,
        smoothing=controls.smoothing,
        refine=controls.refine,
        despill=controls.despill,
    )


def _scaled(window: Window, x: float, y: float) -> Window:
    return Window(x * window.x, y * window.y, x * window.width, y * window.height)

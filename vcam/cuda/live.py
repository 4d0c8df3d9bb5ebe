"""What may change from frame to frame without recording it anew: structs in device memory, which kernels read there.

As kernels/live.cuh lays them out; a test compares them.
"""

import ctypes
from dataclasses import dataclass
from typing import ClassVar

from vcam.frame import Levels, Size, Tensor, Window
from vcam.stages import MatteControls

_CELLS_PER_SIDE = 85
_LIGHT_CELLS = 160
"""As in native/post.h and native/look.h; a test holds them equal."""


LOOK_HEAD = 34
LOOK_FLOATS = LOOK_HEAD + 3 * 1024
"""As in native/look.h; a test holds them equal. The head is what may change with time, the rest are tables."""


_MATRIX = 12


@dataclass(frozen=True, slots=True)
class Cells:
    """How a matte is divided for the corrections of its edge: cells of side x side nodes."""

    side: int
    columns: int
    rows: int


def cells_of(matte: Size) -> Cells:
    side = max(2, (max(matte.width, matte.height) + _CELLS_PER_SIDE // 2) // _CELLS_PER_SIDE)
    return Cells(side, -(-matte.width // side), -(-matte.height // side))


def light_cells_of(picture: Size) -> Size:
    """How many cells the light around the person has in pictures of this size."""
    share = min(1.0, _LIGHT_CELLS / max(picture.width, picture.height))
    return Size(max(1, round(share * picture.width)), max(1, round(share * picture.height)))


class AxisStruct(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_float) for name in ("scale", "reciprocal", "origin")),
        ("size", ctypes.c_int32),
    ]


class ViewStruct(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, AxisStruct) for name in ("nodes_x", "nodes_y", "cells_x", "cells_y", "light_x", "light_y")),
        *((name, ctypes.c_float) for name in ("step_x", "step_y", "x", "y", "sigma", "person_sigma")),
        ("unused", ctypes.c_float * 2),
    ]


class LiveStruct(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_float) for name in ("gain", "offset", "smoothing", "refine", "despill", "grow")),
        ("unused", ctypes.c_float * 2),
        ("room", ctypes.c_float * _MATRIX),
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
    scale = _single(_single(out) / _single(extent))
    return AxisStruct(scale, 1.0 / scale, origin, size)


def view_struct(
    picture: Size, shown: Window, camera: Size, matte: Size, sigmas_px: tuple[float, float] = (0.0, 0.0)
) -> ViewStruct:
    """Of pictures of a size that show this window of the camera's, whose matte has the size ``matte``.

    sigmas_px: of the blurred room behind the person, and of the blurred person.
    """
    window = _scaled(shown, matte.width / camera.width, matte.height / camera.height)
    cells = cells_of(matte)
    divided = _scaled(window, 1.0 / cells.side, 1.0 / cells.side)
    light = light_cells_of(picture)
    return ViewStruct(
        nodes_x=axis_struct(picture.width, window.width, window.x, matte.width),
        nodes_y=axis_struct(picture.height, window.height, window.y, matte.height),
        cells_x=axis_struct(picture.width, divided.width, divided.x, cells.columns),
        cells_y=axis_struct(picture.height, divided.height, divided.y, cells.rows),
        light_x=axis_struct(light.width, window.width, window.x, matte.width),
        light_y=axis_struct(light.height, window.height, window.y, matte.height),
        step_x=_single(shown.width) / picture.width,
        step_y=_single(shown.height) / picture.height,
        x=shown.x,
        y=shown.y,
        sigma=sigmas_px[0],
        person_sigma=sigmas_px[1],
    )


def live_struct(levels: Levels, controls: MatteControls, room: Tensor | None = None) -> LiveStruct:
    """levels: of alpha, instead of the controls' own. room: (3, 4), of the blurred room."""
    return LiveStruct(
        gain=levels.gain,
        offset=levels.offset,
        smoothing=controls.smoothing,
        refine=controls.refine,
        despill=controls.despill,
        grow=controls.grow,
        room=(ctypes.c_float * _MATRIX)() if room is None else tuple(room.ravel().tolist()),
    )


def _single(value: float) -> float:
    """The nearest float32. A quotient of two of them, rounded in double and then again, is what float32 makes of them
    (Figueroa 1995)."""
    return ctypes.c_float(value).value


def _scaled(window: Window, x: float, y: float) -> Window:
    return Window(x * window.x, y * window.y, x * window.width, y * window.height)

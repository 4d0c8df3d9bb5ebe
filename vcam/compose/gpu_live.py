"""What a scene asks of the kernels, in device memory: brought there between two frames, only when it changed."""

import ctypes
from collections.abc import Iterable

import numpy as np

from vcam.color import room_matrix
from vcam.compose.look import LookNumbers, haunted, matte_levels
from vcam.compose.view import framed_window
from vcam.cuda.device import Device
from vcam.cuda.live import LOOK_FLOATS, LOOK_HEAD, FigureStruct, LiveStruct, ViewStruct, live_struct, view_struct
from vcam.frame import Levels, Plane, Size, Tensor, Window
from vcam.native import BLUR_SIGMA
from vcam.stages import PersonLook, Scene

GHOSTS = 2
"""At most, of one person."""

_FULL_STRENGTH = 100.0
_VIEW, _FIGURE = ctypes.sizeof(ViewStruct), ctypes.sizeof(FigureStruct)


class LiveBlock:
    """LiveStructs of the matte, and of what it becomes when it is grown; a ViewStruct of the camera's own pictures and
    one for each output size; FigureStructs: the person's for each size, and those of its ghosts. All in one block, of
    which only as much is brought as is read.

    Kernels read it through pointers, so what stands here may change without recording a frame anew.
    """

    def __init__(self, device: Device, matte: Size, levels: Levels, sizes: Iterable[Size]) -> None:
        """matte: size of the engine's. levels: of its alpha."""
        self._device = device
        self._matte = matte
        self._levels = levels
        self._sizes = tuple(sizes)
        self._views = 2 * ctypes.sizeof(LiveStruct)
        self._figures = self._views + _VIEW * (1 + len(self._sizes))
        self._end = self._figures + _FIGURE * (1 + GHOSTS) * len(self._sizes)
        self._wanted: Plane = np.zeros(self._end, np.uint8)
        self._host = device.pinned(self._end).array
        self._buffer = device.buffer(self._end)
        self._look = LookNumbers(PersonLook())
        self._asked: tuple[Size, Scene] | None = None
        self._written: dict[int, object] = {}
        self._there = 0

    @property
    def live(self) -> int:
        """Address of the LiveStruct."""
        return self._buffer.address

    @property
    def folded(self) -> int:
        """Address of the LiveStruct of a matte into which the levels are folded already."""
        return self._buffer.address + ctypes.sizeof(LiveStruct)

    def view(self, size: Size | None = None) -> int:
        """Address of the view of an output size, or of the camera's own pictures."""
        number = 0 if size is None else 1 + self._sizes.index(size)
        return self._buffer.address + self._views + _VIEW * number

    def figure(self, size: Size, ghost: int = -1) -> int:
        """Address of the person's figure in an output size, or of one of its ghosts."""
        return self._buffer.address + self._figure(size, ghost)

    def ask(self, camera: Size, scene: Scene, pts_ns: int) -> None:
        """What the kernels of the frame of this time shall read, for pictures of a camera of this size."""
        if self._asked is None or self._asked[0] != camera or self._asked[1] is not scene:
            self._asked = camera, scene
            self._place(camera, scene)
            if scene.person != self._look.person:
                self._look = LookNumbers(scene.person)
                self._dress(pts_ns, LOOK_FLOATS)
        if scene.person.hologram > 0:
            self._dress(pts_ns, LOOK_HEAD)

    def queue(self) -> None:
        """Queue bringing it there, if it is not. The stream must be through with the last time. Raises GpuError."""
        end = self._read()
        if self._there >= end:
            return
        np.copyto(self._host[:end], self._wanted[:end])
        self._device.upload(self._buffer.address, self._host[:end], cuda_stream=self._device.cuda_stream)
        self._there = end

    def forget(self) -> None:
        """Bring it there anew: the memory may hold something else."""
        self._there = 0

    def _read(self) -> int:
        """How many bytes kernels read, from the begin."""
        if self._look.plain:
            return self._figures
        return self._end if self._look.person.hologram else self._figures + _FIGURE * len(self._sizes)

    def _figure(self, size: Size, ghost: int) -> int:
        return self._figures + _FIGURE * (len(self._sizes) * (1 + ghost) + self._sizes.index(size))

    def _place(self, camera: Size, scene: Scene) -> None:
        matte, room = scene.matte, scene.room
        if self._is_other(0, (matte, room)):
            look = room_matrix(room)
            self._put(0, live_struct(matte_levels(self._levels, matte), matte, look))
            self._put(ctypes.sizeof(LiveStruct), live_struct(Levels(), matte, look))
        if self._is_other(self._views, camera):
            whole = Window(0.0, 0.0, camera.width, camera.height)
            self._put(self._views, view_struct(camera, whole, camera, self._matte))
        for number, size in enumerate(self._sizes, start=1):
            offset = self._views + _VIEW * number
            if self._is_other(offset, (camera, scene.framing, scene.blur, scene.person.blur)):
                sigmas_px = _sigma_px(scene.blur, size), _sigma_px(scene.person.blur, size)
                window = framed_window(camera, size, scene.framing)
                self._put(offset, view_struct(size, window, camera, self._matte, sigmas_px))

    def _is_other(self, offset: int, given: object) -> bool:
        """Whether what stands there was not made of this."""
        if self._written.get(offset) == given:
            return False
        self._written[offset] = given
        return True

    def _dress(self, pts_ns: int, floats: int) -> None:
        """Write so many numbers of each look, from the first."""
        for size in self._sizes:
            numbers = self._look.at(size, pts_ns)
            self._draw(self._figure(size, -1), numbers[:floats], 0)
            for number, ghost in enumerate(self._look.ghosts(size, pts_ns)):
                self._draw(self._figure(size, number), haunted(numbers[:floats], ghost), ghost.pairs)

    def _draw(self, offset: int, numbers: Tensor, pairs: int) -> None:
        place = self._wanted[offset : offset + _FIGURE]
        place[: numbers.nbytes].view(np.float32)[:] = numbers
        place[FigureStruct.pairs.offset :].view(np.int32)[0] = pairs
        self._there = 0

    def _put(self, offset: int, values: ctypes.Structure) -> None:
        self._wanted[offset : offset + ctypes.sizeof(values)] = np.frombuffer(bytes(values), np.uint8)
        self._there = 0


def _sigma_px(strength: float, size: Size) -> float:
    """Strength as in native.MaskedBlur.gather."""
    return strength / _FULL_STRENGTH * BLUR_SIGMA * size.width

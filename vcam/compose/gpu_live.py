"""What a scene asks of the kernels, in device memory: brought there between two frames, only when it changed."""

import ctypes
from collections.abc import Iterable

import numpy as np

from vcam.compose.view import cover_window
from vcam.cuda.device import Device
from vcam.cuda.live import LiveStruct, ViewStruct, live_struct, view_struct
from vcam.frame import Levels, Plane, Size, Window
from vcam.native import BLUR_SIGMA
from vcam.stages import Scene

_FULL_STRENGTH = 100.0


class LiveBlock:
    """A LiveStruct, then a ViewStruct of the camera's own pictures and one for each output size, in one block.

    Kernels read it through pointers, so what stands here may change without recording a frame anew.
    """

    def __init__(self, device: Device, matte: Size, levels: Levels, sizes: Iterable[Size]) -> None:
        """matte: size of the engine's. levels: of its alpha."""
        self._device = device
        self._matte = matte
        self._levels = levels
        self._offsets: dict[Size | None, int] = {}
        end = ctypes.sizeof(LiveStruct)
        for size in (None, *sizes):
            self._offsets[size] = end
            end += ctypes.sizeof(ViewStruct)
        self._wanted: Plane = np.zeros(end, np.uint8)
        self._host = device.pinned(end).array
        self._buffer = device.buffer(end)
        self._asked: tuple[Size, Scene] | None = None
        self._is_there = False

    @property
    def live(self) -> int:
        """Address of the LiveStruct."""
        return self._buffer.address

    def view(self, size: Size | None = None) -> int:
        """Address of the view of an output size, or of the camera's own pictures."""
        return self._buffer.address + self._offsets[size]

    def ask(self, camera: Size, scene: Scene) -> None:
        """What the next frame's kernels shall read, for pictures of a camera of this size."""
        if self._asked is not None and self._asked[0] == camera and self._asked[1] is scene:
            return
        self._asked = camera, scene
        before = self._wanted.tobytes()
        self._put(0, live_struct(self._levels, scene.matte))
        for size, offset in self._offsets.items():
            self._put(offset, self._view(camera, size, scene))
        self._is_there &= before == self._wanted.tobytes()

    def queue(self) -> None:
        """Queue bringing it there, if it is not. The stream must be through with the last time. Raises GpuError."""
        if self._is_there:
            return
        np.copyto(self._host, self._wanted)
        self._device.upload(self._buffer.address, self._host, cuda_stream=self._device.cuda_stream)
        self._is_there = True

    def forget(self) -> None:
        """Bring it there anew: the memory may hold something else."""
        self._is_there = False

    def _view(self, camera: Size, size: Size | None, scene: Scene) -> ViewStruct:
        if size is None:
            return view_struct(camera, Window(0.0, 0.0, camera.width, camera.height), camera, self._matte)
        sigma_px = scene.blur / _FULL_STRENGTH * BLUR_SIGMA * size.width
        return view_struct(size, cover_window(camera, size), camera, self._matte, sigma_px)

    def _put(self, offset: int, values: ctypes.Structure) -> None:
        self._wanted[offset : offset + ctypes.sizeof(values)] = np.frombuffer(bytes(values), np.uint8)

"""The person made larger or smaller, at the matte's size, on the GPU: the twin of native.MatteGrower."""

import ctypes
from dataclasses import replace
from typing import ClassVar

from vcam.cuda.arguments import DeviceMatte
from vcam.cuda.kernels import Kernels
from vcam.frame import Size

_CHANNELS = 4
_FLOAT_BYTES = 4
_STEPS = ("grow_seed", "grow_reach", "grow_finish")


class GrowArguments(ctypes.Structure):
    _fields_: ClassVar = [
        *((name, ctypes.c_uint64) for name in ("small", "a", "b", "live", "seeds", "reach", "grown_a", "grown_b")),
        *((name, ctypes.c_int32) for name in ("width", "height", "small_half", "half")),
    ]


def grow_bytes(size: Size) -> int:
    """Device memory that DeviceGrow needs for mattes of ``size``."""
    return _FLOAT_BYTES * (2 + 2 * _CHANNELS) * size.width * size.height


class DeviceGrow:
    """For mattes of one size. memory: address of ``grow_bytes(size)`` bytes, the caller's.

    live: address of the LiveStruct of the grown matte, into which the levels of alpha are folded.
    """

    def __init__(self, kernels: Kernels, size: Size, memory: int, live: int) -> None:
        plane = _FLOAT_BYTES * size.width * size.height
        self._kernels = kernels
        self._size = size
        self._live = live
        self._seeds, self._reach = memory, memory + plane
        self._a, self._b = memory + 2 * plane, memory + (2 + _CHANNELS) * plane

    def grow(self, small: int, matte: DeviceMatte, *, small_half: bool, cuda_stream: int) -> DeviceMatte:
        """Queue growing the matte as strongly as its LiveStruct says; what it becomes.

        small: address of (3, h, w), what the matte was made of, float16 where ``small_half``. Raises ValueError.
        """
        if matte.size != self._size:
            raise ValueError(f"this grows mattes of {self._size}, got {matte.size}")
        arguments = GrowArguments(
            small=small,
            a=matte.a,
            b=matte.b,
            live=matte.live,
            seeds=self._seeds,
            reach=self._reach,
            grown_a=self._a,
            grown_b=self._b,
            width=self._size.width,
            height=self._size.height,
            small_half=small_half,
            half=matte.half,
        )
        for name in _STEPS:
            threads = (self._size.width, self._size.height, 1)
            self._kernels.launch(name, arguments, threads=threads, cuda_stream=cuda_stream)
        return self.grown(matte)

    def grown(self, matte: DeviceMatte) -> DeviceMatte:
        """What the matte became that was grown last."""
        return replace(matte, a=self._a, b=self._b, half=False, live=self._live)

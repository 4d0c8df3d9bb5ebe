"""A library with nvJPEG's functions on a GPU that is none: libjpeg-turbo decodes, the fake driver's memory gets it.

The functions are C functions of the very signatures that vcam declares, so arguments are passed as to the real one. As
there, the pixels arrive only when the stream is synchronised.
"""

import ctypes
from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from vcam.decode.nvjpeg_library import (
    BITSTREAM_STRICT,
    OUTPUT_YUV,
    SIGNATURES,
    Destination,
    Functions,
    Status,
    Subsampling,
)
from vcam.decode.turbo import TurboDecoder
from vcam.decode.turbo_library import Decompressor, JpegError, find_library
from vcam.errors import DecodeError
from vcam.fakes import FakeDriver, FakeMemory
from vcam.frame import EncodedFrame, PixelFormat, Plane, Planes, Stamp, VideoFormat

_FROM_TURBO = (
    Subsampling.S444, Subsampling.S422, Subsampling.S420, Subsampling.GREY, Subsampling.S440, Subsampling.S411,
)  # fmt: skip
"""By TJSAMP_*."""

Spoil = Callable[[Planes], Planes]


class NvJpegLike:
    """calls: every call, by its name. spoil: changes the planes before they are written. lenient: frames that are
    broken give a grey picture instead of an error."""

    def __init__(self, driver: FakeDriver, *, spoil: Spoil | None = None, lenient: bool = False) -> None:
        self._driver = driver
        self._spoil = spoil
        self._lenient = lenient
        self._faults: dict[str, tuple[int, int]] = {}
        self._alive: set[int] = set()
        self._next = 0x7000
        self.calls: list[str] = []
        self.functions: Functions = MappingProxyType({name: self._function(name) for name in SIGNATURES})

    def fail(self, call: str, status: int, *, on: int = 1) -> None:
        """The ``on``-th call from now answers ``status``, and does nothing."""
        self._faults[call] = (on, status)

    def leaks(self) -> list[str]:
        return [f"handle {each:#x}" for each in self._alive]

    def _function(self, name: str) -> Callable[..., int]:
        body: Callable[..., int] = getattr(self, f"_{name}")

        def call(*arguments: object) -> int:
            self.calls.append(name)
            left, status = self._faults.get(name, (0, 0))
            if left:
                self._faults[name] = (left - 1, status)
            return status if left == 1 else int(body(*arguments))

        # Arguments arrive as plain integers and pointers, as C would see them.
        return ctypes.CFUNCTYPE(ctypes.c_int, *SIGNATURES[name])(call)

    def _make(self, out: "ctypes._Pointer[ctypes.c_void_p]") -> int:
        self._driver.free_memory()  # refuses where no context is current
        self._next += 0x10
        self._alive.add(self._next)
        out[0] = self._next
        return Status.SUCCESS

    def _drop(self, handle: int) -> int:
        if handle not in self._alive:
            return Status.INVALID_PARAMETER
        self._alive.remove(handle)
        return Status.SUCCESS

    def _nvjpegGetProperty(self, part: int, out: "ctypes._Pointer[ctypes.c_int]") -> int:  # noqa: N802
        out[0] = (13, 0, 2)[part]
        return Status.SUCCESS

    def _nvjpegCreateEx(  # noqa: N802
        self, backend: int, device: int | None, pinned: int | None, flags: int, out: "ctypes._Pointer[ctypes.c_void_p]"
    ) -> int:
        assert (device, pinned, flags) == (None, None, BITSTREAM_STRICT)
        return self._make(out)

    def _nvjpegDestroy(self, handle: int) -> int:  # noqa: N802
        return self._drop(handle)

    def _nvjpegJpegStateCreate(self, handle: int, out: "ctypes._Pointer[ctypes.c_void_p]") -> int:  # noqa: N802
        return self._make(out) if handle in self._alive else Status.NOT_INITIALIZED

    def _nvjpegJpegStateDestroy(self, state: int) -> int:  # noqa: N802
        return self._drop(state)

    def _nvjpegGetImageInfo(self, handle: int, data: int, size: int, *out: "ctypes._Pointer[ctypes.c_int]") -> int:  # noqa: N802
        if handle not in self._alive:
            return Status.NOT_INITIALIZED
        decompressor = Decompressor(find_library())
        try:
            header = decompressor.header(np.frombuffer(ctypes.string_at(data, size), np.uint8))
        except JpegError:
            return Status.BAD_JPEG
        finally:
            decompressor.close()
        kind = _FROM_TURBO[header.subsampling]
        across = 1 if kind in (Subsampling.S444, Subsampling.S440) else 4 if kind is Subsampling.S411 else 2
        down = 2 if kind in (Subsampling.S420, Subsampling.S440) else 1
        chroma = 0 if kind is Subsampling.GREY else 2
        widths = [header.width, *[-(-header.width // across)] * chroma]
        heights = [header.height, *[-(-header.height // down)] * chroma]
        components, subsampling, *sizes = out
        components[0], subsampling[0] = len(widths), int(kind)
        for target, values in zip(sizes, (widths, heights), strict=True):
            for index in range(4):
                target[index] = values[index] if index < len(values) else 0
        return Status.SUCCESS

    def _nvjpegDecode(  # noqa: N802
        self,
        handle: int,
        state: int,
        data: int,
        size: int,
        output: int,
        destination: "ctypes._Pointer[Destination]",
        stream: int,
    ) -> int:
        assert output == OUTPUT_YUV
        if not {handle, state} <= self._alive:
            return Status.NOT_INITIALIZED
        planes = self._decoded(ctypes.string_at(data, size))
        if planes is None:
            return Status.INCOMPLETE_BITSTREAM
        if self._spoil is not None:
            planes = self._spoil(planes)
        image = destination.contents
        targets = [(image.channel[i], image.pitch[i]) for i in range(len(planes)) if image.channel[i]]

        def write(memory: FakeMemory) -> None:
            for plane, (address, pitch) in zip(planes, targets, strict=False):
                _write(memory, plane, address, pitch)

        self._driver.enqueue("nvjpeg", write, cuda_stream=stream)
        return Status.SUCCESS

    def _decoded(self, jpeg: bytes) -> Planes | None:
        """None for a broken one."""
        frame = EncodedFrame(jpeg, VideoFormat(PixelFormat.MJPG, 0, 0), Stamp(0, 0))
        with TurboDecoder() as decoder:
            try:
                return tuple(plane.copy() for plane in decoder.decode(frame).planes)
            except DecodeError:
                return (np.full((1, 1), 128, np.uint8),) if self._lenient else None


def _write(memory: FakeMemory, plane: Plane, address: int, pitch: int) -> None:
    for number, row in enumerate(plane):
        memory.bytes(address + number * pitch, row.size)[:] = row

"""JPEG to planes in the GPU's memory, through nvJPEG."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from vcam.cuda.device import Device, DeviceBuffer
from vcam.decode.faults import check_size, corrupt, unusual
from vcam.decode.nvjpeg_bytes import whole_jpeg
from vcam.decode.nvjpeg_library import (
    Backend,
    Destination,
    Functions,
    JpegInfo,
    NvJpeg,
    NvJpegError,
    Subsampling,
    load_nvjpeg,
    version,
)
from vcam.errors import GpuError
from vcam.frame import DevicePlane, EncodedFrame, Image, Matrix, PixelFormat, Range, VideoFormat, plane_shapes

log = logging.getLogger(__name__)

_LAYOUTS = {
    Subsampling.S444: PixelFormat.I444,
    Subsampling.S422: PixelFormat.I422,
    Subsampling.S420: PixelFormat.I420,
    Subsampling.GREY: PixelFormat.I420,
}
"""The rest is libjpeg-turbo's, which repeats chroma on the way."""

_NEUTRAL_CHROMA = 128
_ALIGNMENT = 128
"""Lines begin where a GPU's memory transactions do."""

_HINT = "libjpeg-turbo decodes instead; `vcam doctor` looks at the driver"


@dataclass(frozen=True, slots=True)
class _Target:
    """Memory for one size and subsampling."""

    info: JpegInfo
    format: VideoFormat
    buffer: DeviceBuffer
    planes: tuple[DevicePlane, ...]
    destination: Destination


class NvJpegDecoder:
    """Satisfies Decoder; its pictures have ``device`` planes only. One thread at a time.

    Full range BT.601 (JFIF, ITU-T T.871 section 7). Standard Huffman tables stand in where a camera omits them.
    open_device: a Device of the decoder's own, so that it has a stream of its own beside the processor's; entered here.
    """

    name = "nvjpeg"

    def __init__(
        self,
        open_device: Callable[[], Device],
        *,
        load: Callable[[], Functions] = load_nvjpeg,
        backend: Backend = Backend.DEFAULT,
    ) -> None:
        self._open_device = open_device
        self._load = load
        self._backend = backend
        self._stack = ExitStack()
        self._opened: tuple[Device, NvJpeg] | None = None
        self._target: _Target | None = None

    def __enter__(self) -> Self:
        """Raises MissingDependencyError, GpuError and what opening the device raises."""
        functions = self._load()
        with ExitStack() as stack:
            device = stack.enter_context(self._open_device())
            with device.current():
                codec = _start(functions, self._backend)
            stack.callback(_close, device, codec)
            self._opened = device, codec
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._opened, self._target = None, None
        self._stack.close()

    def decode(self, frame: EncodedFrame) -> Image:
        """Planes borrowed until the next call, whole when this returns. ``Image.format`` is what the JPEG says.

        Raises DecodeError for a frame that is truncated, corrupt or of a kind that no camera sends; GpuError.
        """
        if self._opened is None:
            raise RuntimeError("NvJpegDecoder is used outside its with block")
        device, codec = self._opened
        data = np.frombuffer(whole_jpeg(_as_bytes(frame)), dtype=np.uint8)
        with device.current():
            try:
                target = self._target_for(codec.info(data.ctypes.data, data.size), device)
                codec.decode(data.ctypes.data, data.size, target.destination, cuda_stream=device.cuda_stream)
            except NvJpegError as error:
                _recover(device, codec)
                if error.of_the_frame:
                    raise corrupt(str(error), data.size) from error
                raise _fault(error) from error
            device.synchronize()
        return Image((), target.format, frame.stamp, target.planes)

    def _target_for(self, info: JpegInfo, device: Device) -> _Target:
        if self._target is None or self._target.info != info:
            fmt = _format_of(info)
            old, self._target = self._target, None
            if old is not None:
                old.buffer.release()
            self._target = _make_target(info, fmt, device)
            log.info("decode.size", extra={"width": fmt.width, "height": fmt.height})
        return self._target


def _close(device: Device, codec: NvJpeg) -> None:
    try:
        device.synchronize()
    except GpuError as error:
        log.warning("decode.nvjpeg_close_failed", extra={"problem": error.problem})
    with device.current():
        codec.close()


def _as_bytes(frame: EncodedFrame) -> bytes | bytearray:
    return frame.data if isinstance(frame.data, bytes | bytearray) else bytes(frame.data)


def _start(functions: Functions, backend: Backend) -> NvJpeg:
    try:
        log.info("decode.nvjpeg", extra={"version": version(functions), "backend": backend.name.lower()})
        return NvJpeg(functions, backend=backend)
    except NvJpegError as error:
        raise _fault(error) from error


def _recover(device: Device, codec: NvJpeg) -> None:
    """What is left of the failed frame ends before its state is replaced."""
    device.synchronize()
    try:
        codec.renew()
    except NvJpegError as error:
        raise _fault(error) from error


def _fault(error: NvJpegError) -> GpuError:
    return GpuError(f"nvJPEG failed: {error}", hint=_HINT, status=error.code)


def _format_of(info: JpegInfo) -> VideoFormat:
    """Raises DecodeError unless the frame is of a size and kind that a camera may send."""
    layout = next((layout for kind, layout in _LAYOUTS.items() if kind == info.subsampling), None)
    if layout is None or not info.sizes:
        raise unusual(f"{len(info.sizes)} components, nvJPEG's subsampling {info.subsampling}")
    width, height = info.sizes[0]
    if width <= 0 or height <= 0:
        raise corrupt(f"it announces {width}x{height} pixels", 0)
    check_size(width, height)
    fmt = VideoFormat(layout, width, height, range=Range.FULL, matrix=Matrix.BT601)
    coded = plane_shapes(fmt)[: 1 if info.subsampling == Subsampling.GREY else None]
    if info.sizes != tuple((row, rows) for rows, row in coded):
        raise unusual(f"components of {info.sizes}")
    return fmt


def _make_target(info: JpegInfo, fmt: VideoFormat, device: Device) -> _Target:
    shapes = plane_shapes(fmt)
    strides = [-(-row // _ALIGNMENT) * _ALIGNMENT for _, row in shapes]
    sizes = [rows * stride for (rows, _), stride in zip(shapes, strides, strict=True)]
    buffer = device.buffer(sum(sizes))
    destination, planes, address = Destination(), [], buffer.address
    for number, (stride, size) in enumerate(zip(strides, sizes, strict=True)):
        planes.append(DevicePlane(address, stride))
        if number < len(info.sizes):
            destination.channel[number], destination.pitch[number] = address, stride
        else:
            device.fill(address, _NEUTRAL_CHROMA, size, cuda_stream=device.cuda_stream)
        address += size
    return _Target(info, fmt, buffer, tuple(planes), destination)

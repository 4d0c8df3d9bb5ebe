"""The pixel arithmetic on the GPU: typed launches of the kernels in the package's fatbin.

The twin of vcam.native, for pictures and mattes in device memory; equal to it within 1 level. Every method checks its
arguments (ValueError), queues and returns; what it is given must stay alive and unchanged until the stream is through.
The blur has a module of its own: vcam.cuda.blur.
"""

import ctypes
from importlib import resources
from typing import TypeAlias

from vcam.color import same_colour
from vcam.cuda.arguments import (
    AlphaArguments,
    CheckArguments,
    ComposeArguments,
    ConvertArguments,
    CopyArguments,
    DeviceMatte,
    DevicePicture,
    SampleArguments,
    ScaleArguments,
    decode_struct,
    encode_struct,
    matte_struct,
    picture_struct,
    window_struct,
)
from vcam.cuda.device import Device
from vcam.errors import EngineUnavailableError
from vcam.frame import PixelFormat, Size, VideoFormat, Window, plane_shapes

__all__ = ["DeviceMatte", "DevicePicture", "Kernels", "read_fatbin"]

FATBIN = "vcam.fatbin"
KERNELS = (
    "sample",
    "check",
    "compose",
    "alpha",
    "scale",
    "convert",
    "copy",
    "blur_gather",
    "blur_shrink",
    "blur_widen",
    "blur_smooth",
    "blur_divide",
    "blur_render",
)
"""Every kernel of the fatbin, by its name there."""

Threads: TypeAlias = tuple[int, int, int]

_BLOCK = (32, 4, 1)
_CHANNELS = 4
_WORD_BYTES = 4
_ROWS_PER_THREAD = 8
"""A thread of compose walks down so many rows: what it interpolates across columns serves several of them."""
_HALVED_ROWS = frozenset({PixelFormat.I420, PixelFormat.NV12})


def read_fatbin() -> bytes:
    """The kernels compiled for every architecture. Raises EngineUnavailableError where the package lacks them."""
    file = resources.files("vcam.cuda") / FATBIN
    try:
        return file.read_bytes()
    except OSError as error:
        raise EngineUnavailableError(
            f"the CUDA kernels are not built: {file} is missing",
            hint="run `make kernels` in a checkout (it needs nvcc), or install vcam from an image that has them",
        ) from error


class Kernels:
    """Made on an entered Device, and valid as long as that stays entered. image: what ``read_fatbin`` gives."""

    def __init__(self, device: Device, image: bytes) -> None:
        module = device.module(image)
        self._functions = {name: module.function(name) for name in KERNELS}

    def sample(self, source: DevicePicture, out: int, size: Size, *, half: bool, cuda_stream: int) -> None:
        """Resize the picture into ``out``, (3, h, w) RGB in [0, 1], float16 where ``half``, else float32."""
        arguments = SampleArguments(
            source=picture_struct(source),
            decode=decode_struct(source.format),
            out=out,
            width=size.width,
            height=size.height,
            half=half,
        )
        self.launch("sample", arguments, threads=(size.width, size.height, 1), cuda_stream=cuda_stream)

    def check(self, matte: DeviceMatte, flag: int, *, cuda_stream: int) -> None:
        """Set the uint32 at ``flag`` to 1 where a value of A or b is not finite; it is never cleared here."""
        count = _CHANNELS * matte.size.width * matte.size.height
        arguments = CheckArguments(a=matte.a, b=matte.b, flag=flag, count=count, half=matte.half)
        self.launch("check", arguments, threads=(count, 1, 1), cuda_stream=cuda_stream)

    def compose(
        self,
        source: DevicePicture,
        matte: DeviceMatte,
        background: DevicePicture,
        target: DevicePicture,
        flag: int,
        *,
        cuda_stream: int,
    ) -> None:
        """Blend the person of ``source`` over ``background`` into ``target``; see native.compose.

        Pixels of alpha 0 get the background's bytes; all do where the uint32 at ``flag`` is not 0, and ``source`` is
        then not read.
        """
        _require_same_size(source, background, target)
        layout = target.format.pixel_format
        if background.format.pixel_format != layout or layout is PixelFormat.GREY:
            raise ValueError(f"cannot compose over {background.format.pixel_format} into {layout}")
        arguments = ComposeArguments(
            source=picture_struct(source),
            background=picture_struct(background),
            target=picture_struct(target),
            decode=decode_struct(source.format),
            encode=encode_struct(target.format),
            matte=matte_struct(matte),
            flag=flag,
            rows=_ROWS_PER_THREAD,
        )
        self.launch("compose", arguments, threads=_bands(target.format), cuda_stream=cuda_stream)

    def alpha(self, source: DevicePicture, matte: DeviceMatte, out: int, *, cuda_stream: int) -> None:
        """The matte at the picture's resolution into ``out``, (H, W) uint8."""
        arguments = AlphaArguments(
            source=picture_struct(source),
            decode=decode_struct(source.format),
            matte=matte_struct(matte),
            out=out,
            rows=_ROWS_PER_THREAD,
        )
        self.launch("alpha", arguments, threads=_bands(source.format), cuda_stream=cuda_stream)

    def scale(self, source: DevicePicture, target: DevicePicture, window: Window, *, cuda_stream: int) -> None:
        """The window of the picture at the target's size, in the same layout and colour; see native.scale."""
        if source.format.pixel_format != target.format.pixel_format:
            raise ValueError(f"cannot scale {source.format.pixel_format} into {target.format.pixel_format}")
        arguments = ScaleArguments(
            source=picture_struct(source), target=picture_struct(target), window=window_struct(window)
        )
        self.launch("scale", arguments, threads=_words(target.format), cuda_stream=cuda_stream)

    def convert(self, source: DevicePicture, target: DevicePicture, *, cuda_stream: int) -> None:
        """Repack the picture into ``target``, any layout and colour to any other; see native.convert."""
        _require_same_size(source, target)
        alike = same_colour(source.format, target.format)
        if alike and source.format.pixel_format == target.format.pixel_format:
            copied = CopyArguments(source=picture_struct(source), target=picture_struct(target))
            self.launch("copy", copied, threads=_words(target.format), cuda_stream=cuda_stream)
            return
        arguments = ConvertArguments(
            source=picture_struct(source),
            target=picture_struct(target),
            decode=decode_struct(source.format),
            encode=encode_struct(target.format),
            same_colour=alike,
        )
        self.launch("convert", arguments, threads=blocks(target.format), cuda_stream=cuda_stream)

    def launch(self, name: str, arguments: ctypes.Structure, *, threads: Threads, cuda_stream: int) -> None:
        """Queue one of KERNELS over so many threads (x, y, z) at least; its arguments are copied now."""
        x, y, z = threads
        grid = (-(-x // _BLOCK[0]), -(-y // _BLOCK[1]), z)
        self._functions[name].launch(grid, _BLOCK, bytes(arguments), cuda_stream=cuda_stream)


def _pairs(fmt: VideoFormat) -> int:
    return (fmt.width + 1) // 2


def _bands(fmt: VideoFormat) -> Threads:
    """One thread for each pair of columns and _ROWS_PER_THREAD rows."""
    return _pairs(fmt), -(-fmt.height // _ROWS_PER_THREAD), 1


def blocks(fmt: VideoFormat) -> Threads:
    """One thread for each pair of columns and the rows that share chroma."""
    return _pairs(fmt), (fmt.height + 1) // 2 if fmt.pixel_format in _HALVED_ROWS else fmt.height, 1


def _words(fmt: VideoFormat) -> Threads:
    """One thread for each word of a row of the largest plane, in each plane."""
    shapes = plane_shapes(fmt)
    return -(-max(row for _, row in shapes) // _WORD_BYTES), max(rows for rows, _ in shapes), len(shapes)


def _require_same_size(first: DevicePicture, *others: DevicePicture) -> None:
    for other in others:
        if other.format.size != first.format.size:
            raise ValueError(f"pictures of one size are needed, got {first.format.size} and {other.format.size}")

"""The pixel arithmetic on the GPU: typed launches of the kernels in the package's fatbin.

The twin of vcam.native, for pictures and mattes in device memory; equal to it within 1 level. Every method checks its
arguments (ValueError), queues and returns; what it is given must stay alive and unchanged until the stream is through.
What takes several steps has modules of its own: vcam.cuda.blur, edge, grow and light.
"""

import ctypes
from typing import TypeAlias

from vcam.color import same_colour
from vcam.cuda.arguments import (
    AlphaArguments,
    CheckArguments,
    ComposeArguments,
    ConvertArguments,
    CopyArguments,
    DeviceLook,
    DeviceMatte,
    DevicePicture,
    LookArguments,
    SampleArguments,
    ScaleArguments,
    decode_struct,
    edge_struct,
    encode_struct,
    matte_struct,
    picture_struct,
    wash_struct,
)
from vcam.cuda.device import Device
from vcam.cuda.fatbin import read_fatbin
from vcam.cuda.live import axis_struct
from vcam.frame import PixelFormat, Size, VideoFormat, plane_shapes

__all__ = ["DeviceMatte", "DevicePicture", "Kernels", "read_fatbin"]

FAST_SOURCES = (PixelFormat.I420, PixelFormat.I422, PixelFormat.I444, PixelFormat.YUYV, PixelFormat.NV12)
FAST_TARGETS = (PixelFormat.YUYV, PixelFormat.NV12, PixelFormat.I420)
KERNELS = (
    *(f"compose_{source.name}_{target.name}" for source in FAST_SOURCES for target in FAST_TARGETS),
    "sample",
    "check",
    "compose",
    "compose_edge",
    "compose_look",
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
    "edge_difference",
    "edge_follow",
    "edge_gather",
    "edge_mix",
    "edge_solve",
    "grow_seed",
    "grow_reach",
    "grow_finish",
    "light_cells",
    "light_smooth",
    "light_finish",
)
"""Every kernel of the fatbin, by its name there. Those of compose that name layouts need whole words and halves."""

Threads: TypeAlias = tuple[int, int, int]

_BLOCK = (32, 4, 1)
_CHANNELS = 4
_WORD_BYTES = 4
_COPY_BYTES = 16
_QUAD = 4
_SAMPLED = 2
ROWS_PER_THREAD = 8
"""A thread walks down so many rows (an even number): what it interpolates across columns serves several of them."""
_WORDS: dict[PixelFormat, tuple[int, ...]] = {
    PixelFormat.I420: (4, 2, 2),
    PixelFormat.I422: (4, 2, 2),
    PixelFormat.I444: (4, 4, 4),
    PixelFormat.YUYV: (8,),
    PixelFormat.NV12: (4, 4),
}
"""What four pixels take in each plane: where all rows begin at multiples of it, they are read and written at once."""
_HALVED_ROWS = frozenset({PixelFormat.I420, PixelFormat.NV12})


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
            x=axis_struct(size.width, source.format.width, 0.0, source.format.width),
            y=axis_struct(size.height, source.format.height, 0.0, source.format.height),
            out=out,
            width=size.width,
            height=size.height,
            half=half,
        )
        self.launch("sample", arguments, threads=(-(-size.width // _SAMPLED), size.height, 1), cuda_stream=cuda_stream)

    def check(self, matte: DeviceMatte, flag: int, *, cuda_stream: int) -> None:
        """Set the uint32 at ``flag`` to 1 where a value of A or b is not finite; it is never cleared here."""
        count = _CHANNELS * matte.size.width * matte.size.height
        per_thread = 8 if matte.half else 4
        arguments = CheckArguments(a=matte.a, b=matte.b, flag=flag, count=count, half=matte.half)
        self.launch("check", arguments, threads=(-(-count // per_thread), 1, 1), cuda_stream=cuda_stream)

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
        then not read. With a look, background and target may be one picture.
        """
        arguments = _compose_arguments(source, matte, background, target, flag)
        if matte.look is not None:
            looked = _look_arguments(arguments, matte.look, in_place=background.planes == target.planes)
            self.launch("compose_look", looked, threads=_blocks(target.format), cuda_stream=cuda_stream)
            return
        name = _compose_for(source, matte, background, target)
        self.launch(name, arguments, threads=bands(target.format), cuda_stream=cuda_stream)

    def alpha(self, source: DevicePicture, matte: DeviceMatte, out: int, *, cuda_stream: int) -> None:
        """The matte at the picture's resolution into ``out``, (H, W) uint8."""
        arguments = AlphaArguments(
            source=picture_struct(source),
            decode=decode_struct(source.format),
            matte=matte_struct(matte),
            edge=edge_struct(matte),
            out=out,
            rows=ROWS_PER_THREAD,
        )
        self.launch("alpha", arguments, threads=bands(source.format), cuda_stream=cuda_stream)

    def scale(self, source: DevicePicture, target: DevicePicture, view: int, *, cuda_stream: int) -> None:
        """What a view shows of the picture, at the target's size, in the same layout and colour; see native.scale.

        view: address of its ViewStruct.
        """
        if source.format.pixel_format != target.format.pixel_format:
            raise ValueError(f"cannot scale {source.format.pixel_format} into {target.format.pixel_format}")
        arguments = ScaleArguments(source=picture_struct(source), target=picture_struct(target), view=view)
        self.launch("scale", arguments, threads=_pieces(target.format, _WORD_BYTES), cuda_stream=cuda_stream)

    def convert(self, source: DevicePicture, target: DevicePicture, *, cuda_stream: int) -> None:
        """Repack the picture into ``target``, any layout and colour to any other; see native.convert."""
        _require_same_size(source, target)
        alike = same_colour(source.format, target.format)
        if alike and source.format.pixel_format == target.format.pixel_format:
            copied = CopyArguments(source=picture_struct(source), target=picture_struct(target))
            self.launch("copy", copied, threads=_pieces(target.format, _COPY_BYTES), cuda_stream=cuda_stream)
            return
        arguments = ConvertArguments(
            source=picture_struct(source),
            target=picture_struct(target),
            decode=decode_struct(source.format),
            encode=encode_struct(target.format),
            same_colour=alike,
        )
        self.launch("convert", arguments, threads=_blocks(target.format), cuda_stream=cuda_stream)

    def launch(self, name: str, arguments: ctypes.Structure, *, threads: Threads, cuda_stream: int) -> None:
        """Queue one of KERNELS over so many threads (x, y, z) at least; its arguments are copied now."""
        x, y, z = threads
        grid = (-(-x // _BLOCK[0]), -(-y // _BLOCK[1]), z)
        self._functions[name].launch(grid, _BLOCK, bytes(arguments), cuda_stream=cuda_stream)


def _compose_arguments(
    source: DevicePicture, matte: DeviceMatte, background: DevicePicture, target: DevicePicture, flag: int
) -> ComposeArguments:
    _require_same_size(source, background, target)
    layout = target.format.pixel_format
    if background.format.pixel_format != layout or layout is PixelFormat.GREY:
        raise ValueError(f"cannot compose over {background.format.pixel_format} into {layout}")
    return ComposeArguments(
        source=picture_struct(source),
        background=picture_struct(background),
        target=picture_struct(target),
        decode=decode_struct(source.format),
        encode=encode_struct(target.format),
        matte=matte_struct(matte),
        edge=edge_struct(matte),
        flag=flag,
        rows=ROWS_PER_THREAD,
    )


def _look_arguments(compose: ComposeArguments, look: DeviceLook, *, in_place: bool) -> LookArguments:
    return LookArguments(
        compose=compose,
        figure=look.figure,
        light=wash_struct(look.light),
        blurred=wash_struct(look.blurred),
        in_place=in_place,
    )


def _quads(fmt: VideoFormat) -> int:
    return -(-fmt.width // _QUAD)


def bands(fmt: VideoFormat) -> Threads:
    """One thread for each quad of columns and ROWS_PER_THREAD rows."""
    return _quads(fmt), -(-fmt.height // ROWS_PER_THREAD), 1


def _blocks(fmt: VideoFormat) -> Threads:
    """One thread for each quad of columns and the rows that share chroma."""
    return _quads(fmt), (fmt.height + 1) // 2 if fmt.pixel_format in _HALVED_ROWS else fmt.height, 1


def _pieces(fmt: VideoFormat, nbytes: int) -> Threads:
    """One thread for each piece of a row of the largest plane, in each plane."""
    shapes = plane_shapes(fmt)
    return -(-max(row for _, row in shapes) // nbytes), max(rows for rows, _ in shapes), len(shapes)


def _compose_for(source: DevicePicture, matte: DeviceMatte, background: DevicePicture, target: DevicePicture) -> str:
    """The kernel that is made for just this, or one that is made for all."""
    if matte.corrections is not None:
        return "compose_edge"
    fast = matte.half and _whole_words(source, FAST_SOURCES)
    if fast and _whole_words(background, FAST_TARGETS) and _whole_words(target, FAST_TARGETS):
        return f"compose_{source.format.pixel_format.name}_{target.format.pixel_format.name}"
    return "compose"


def _whole_words(picture: DevicePicture, layouts: tuple[PixelFormat, ...]) -> bool:
    """Whether the picture is of one of the layouts, and all its quads can be read and written as words."""
    fmt = picture.format
    return (
        fmt.pixel_format in layouts
        and fmt.width % _QUAD == 0
        and all(
            (plane.address | plane.stride) % unit == 0
            for plane, unit in zip(picture.planes, _WORDS[fmt.pixel_format], strict=True)
        )
    )


def _require_same_size(first: DevicePicture, *others: DevicePicture) -> None:
    for other in others:
        if other.format.size != first.format.size:
            raise ValueError(f"pictures of one size are needed, got {first.format.size} and {other.format.size}")

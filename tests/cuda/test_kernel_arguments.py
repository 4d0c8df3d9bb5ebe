"""What Python packs is what the kernels unpack; what makes no sense is refused before it is queued."""

import ctypes
from dataclasses import replace

import numpy as np
import pytest

from tests.cuda.kernel_rig import KernelRig, MakeRig, make_rig
from tests.native.pictures import matte
from tests.support.host_kernels import Field, host_kernels, host_library
from vcam.cuda import arguments, blur, edge, grow, kernels, light, live
from vcam.cuda.arguments import DevicePicture, picture_struct
from vcam.frame import DevicePlane, PixelFormat, Size, VideoFormat

__all__ = ["make_rig"]

STRUCTS: dict[str, type[ctypes.Structure]] = {
    ("Matrix34" if name == "MatrixStruct" else name.removesuffix("Struct")): struct
    for module in (arguments, live, grow, light)
    for name, struct in vars(module).items()
    if isinstance(struct, type) and issubclass(struct, ctypes.Structure)
}
NV12 = VideoFormat(PixelFormat.NV12, 64, 32)


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_structs_are_laid_out_alike(name: str) -> None:
    struct = STRUCTS[name]
    python = [Field(name, field, getattr(struct, field).offset, getattr(struct, field).size) for field in names(struct)]
    python.append(Field(name, "", ctypes.sizeof(struct), 0))
    assert python == [field for field in host_library().fields() if field.structure == name]


def test_structs_of_one_block_leave_each_other_aligned() -> None:
    for struct in (live.LiveStruct, live.ViewStruct, live.FigureStruct):
        assert ctypes.sizeof(struct) % 16 == 0


def test_every_struct_is_compared() -> None:
    assert set(STRUCTS) == {field.structure for field in host_library().fields()}


def names(struct: type[ctypes.Structure]) -> list[str]:
    return [field[0] for field in struct._fields_]


def test_constants_are_the_same() -> None:
    constants = host_library().constants()
    assert [constants[layout.name] for layout in arguments.LAYOUTS] == list(range(len(arguments.LAYOUTS)))
    assert constants["kMaxBlurCells"] == blur._CELLS_PER_SIDE
    assert constants["kWideFactor"] == blur._WIDE
    assert constants["kPasses"] == blur._NEAR_STEPS == blur._ALL_STEPS // 2
    assert constants["kCellsPerSide"] == live._CELLS_PER_SIDE
    assert constants["kStatePlanes"] == edge._STATE_PLANES
    assert constants["kLinePlanes"] == edge._LINE_PLANES
    assert constants["kRoomPlanes"] == edge._ROOM_PLANES
    assert constants["kLightCells"] == live._LIGHT_CELLS
    assert constants["kLookFloats"] == live.LOOK_FLOATS
    assert constants["kSums"] == edge._SUMS


def test_kernels_are_the_same() -> None:
    assert sorted(kernels.KERNELS) == sorted(host_kernels())


@pytest.mark.parametrize(
    ("fmt", "strides", "problem"),
    [
        (NV12, (64,), "has 2 raw planes, got 1"),
        (NV12, (64, 63), "a row of 64 bytes does not fit a stride of 63"),
        (replace(NV12, pixel_format=PixelFormat.MJPG), (), "has 0 raw planes"),
    ],
)
def test_planes_that_are_not_those_of_the_format_are_refused(
    fmt: VideoFormat, strides: tuple[int, ...], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        picture_struct(DevicePicture(fmt, tuple(DevicePlane(4096, stride) for stride in strides)))


def compose(rig: KernelRig, source: VideoFormat, background: VideoFormat, target: VideoFormat) -> None:
    camera, under, out = (rig.blank(fmt) for fmt in (source, background, target))
    rig.kernels.compose(camera, rig.matte(matte((3, 4)), half=True), under, out, rig.flag(), cuda_stream=rig.stream)


def test_compose_refuses_what_it_cannot_blend(make_rig: MakeRig) -> None:
    other, grey = replace(NV12, pixel_format=PixelFormat.YUYV), replace(NV12, pixel_format=PixelFormat.GREY)
    with make_rig() as rig:
        with pytest.raises(ValueError, match="cannot compose over YUYV into NV12"):
            compose(rig, NV12, other, NV12)
        with pytest.raises(ValueError, match="cannot compose over GREY into GREY"):
            compose(rig, NV12, grey, grey)
        with pytest.raises(ValueError, match="64x32 and 60x32"):
            compose(rig, NV12, NV12, NV12.resized(Size(60, 32)))


def test_scale_and_convert_refuse_what_they_cannot_do(make_rig: MakeRig) -> None:
    with make_rig() as rig:
        source = rig.blank(NV12)
        with pytest.raises(ValueError, match="cannot scale NV12 into YUYV"):
            rig.kernels.scale(
                source,
                rig.blank(replace(NV12, pixel_format=PixelFormat.YUYV)),
                rig.flag(),
                cuda_stream=rig.stream,
            )
        with pytest.raises(ValueError, match="64x32 and 32x32"):
            rig.kernels.convert(source, rig.blank(NV12.resized(Size(32, 32))), cuda_stream=rig.stream)


def test_a_launch_covers_all_threads_and_copies_its_arguments(make_rig: MakeRig) -> None:
    with make_rig() as rig:
        flag, values = rig.flag(), rig.memory(np.full(4096, np.nan, np.float32))
        given = arguments.CheckArguments(a=values, b=values, flag=flag, count=4096, half=0)
        rig.kernels.launch("check", given, threads=(1024, 1, 1), cuda_stream=rig.stream)
        given.flag = 0
        assert rig.read(flag, (1,), np.uint32)[0] == 1

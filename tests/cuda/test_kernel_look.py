"""The person's look on the GPU against native.Look."""

import ctypes
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cuda.kernel_rig import (
    LOW,
    PACKED,
    PLACES,
    KernelRig,
    Live,
    MakeRig,
    Place,
    assert_alike,
    assert_equal,
    examples,
    make_rig,
    rounded,
    windows,
    without_padding,
)
from tests.native import look_reference
from tests.native.pictures import SEEDS, SOURCES, TARGETS, blank, formats, matte, noise
from vcam import native
from vcam.cuda import live
from vcam.cuda.arguments import DeviceLook, DeviceWash
from vcam.cuda.blur import DeviceBlur, blur_bytes
from vcam.cuda.live import FigureStruct
from vcam.frame import AffineMatte, Image, PixelFormat, Plane, Range, Size, Tensor, VideoFormat, Window
from vcam.native.look import LOOK_FLOATS

__all__ = ["make_rig"]

CAMERA = VideoFormat(PixelFormat.I422, 330, 190, range=Range.FULL)
TARGET = VideoFormat(PixelFormat.YUYV, 330, 190)


@dataclass(frozen=True)
class Shown:
    """What is composed with which look. in_place: over the background's own planes, as every ghost but the first."""

    image: Image
    model: AffineMatte
    background: Image
    numbers: Tensor
    light: Tensor | None = None
    shift: int = 0
    in_place: bool = False
    half: bool = True
    window: Window | None = None
    flag: int = 0


def figure(rig: KernelRig, numbers: Tensor, pairs: int = 0) -> int:
    assert numbers.size == live.LOOK_FLOATS
    values = FigureStruct(pairs=pairs)
    ctypes.memmove(values.look, numbers.ctypes.data, numbers.nbytes)
    return rig.struct(values)


def wash(rig: KernelRig, light: Tensor | None, size: Size) -> DeviceWash:
    if light is None:
        return DeviceWash()
    _, rows, columns = light.shape
    return DeviceWash(rig.memory(light), columns, rows, size.width / columns, size.height / rows)


def on_device(rig: KernelRig, given: Shown, place: Place = PACKED) -> tuple[Plane, ...]:
    size, under = given.image.format.size, rig.picture(given.background, place)
    look = DeviceLook(figure(rig, given.numbers, given.shift), wash(rig, given.light, size))
    model = replace(rig.matte(given.model, half=given.half, live=Live(size, given.window)), look=look)
    out = under if given.in_place else rig.blank(given.background.format, place)
    source = rig.picture(given.image, place)
    rig.kernels.compose(source, model, under, out, rig.flag(given.flag), cuda_stream=rig.stream)
    return rig.planes(out)


def on_cpu(given: Shown) -> tuple[Plane, ...]:
    """Always in place: only so can it be shifted."""
    out = tuple(plane.copy() for plane in given.background.planes)
    under = replace(given.background, planes=out)
    look = native.Look(given.numbers, given.light, shift=given.shift)
    look.compose(given.image, rounded(given.model, half=given.half), under, out, window=given.window)
    return out


@examples(60)
@given(
    source=formats(SOURCES),
    target=formats(TARGETS),
    low=LOW,
    cells=st.none() | LOW,
    seed=SEEDS,
    place=PLACES,
    curved=st.booleans(),
    data=st.data(),
)
def test_any_picture(
    make_rig: MakeRig,
    source: VideoFormat,
    target: VideoFormat,
    low: tuple[int, int],
    cells: tuple[int, int] | None,
    seed: int,
    place: Place,
    curved: bool,
    data: st.DataObject,
) -> None:
    fmt = target.resized(source.size)
    light = None if cells is None else np.random.default_rng(seed).uniform(0.0, 1.0, (3, *cells)).astype(np.float32)
    given = Shown(
        noise(source, seed),
        matte(low, seed),
        noise(fmt, seed + 1),
        look_reference.numbers(seed, curved=curved),
        light,
        data.draw(st.integers(-source.width, source.width)) if data.draw(st.booleans()) else 0,
        data.draw(st.booleans()),
        data.draw(st.booleans()),
        data.draw(windows(low)),
    )
    with make_rig() as rig:
        got = on_device(rig, given, place)
    assert_alike(without_padding(got, fmt), without_padding(on_cpu(given), fmt))


@pytest.mark.parametrize("layout", TARGETS)
@pytest.mark.parametrize(("width", "shift"), [(64, -7), (64, 31), (63, -7), (63, -31), (63, 5), (64, 1000)])
def test_a_ghost_is_moved(make_rig: MakeRig, layout: PixelFormat, width: int, shift: int) -> None:
    source, target = VideoFormat(PixelFormat.NV12, width, 20), VideoFormat(layout, width, 20)
    given = Shown(noise(source, 1), matte((10, 16), 3), noise(target, 2), look_reference.numbers(5), shift=shift)
    with make_rig() as rig:
        for each in (given, replace(given, in_place=True)):
            got = without_padding(on_device(rig, each), target)
            assert_alike(got, without_padding(on_cpu(each), target))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("case", ["alpha 0", "the flag", "alpha that is no number"])
def test_without_a_person_the_background_stays(
    make_rig: MakeRig, target: PixelFormat, in_place: bool, case: str
) -> None:
    """Light wraps around nobody."""
    model = matte((9, 16), alpha=0.0 if case == "alpha 0" else 1.0)
    if case == "alpha that is no number":
        model.b[3] = np.nan
    background = noise(replace(TARGET, pixel_format=target), 2)
    numbers, light = look_reference.numbers(1, curved=True), np.ones((3, 2, 2), np.float32)
    given = Shown(noise(CAMERA, 1), model, background, numbers, light, 3, in_place, flag=case == "the flag")
    with make_rig() as rig:
        assert_equal(on_device(rig, given), background.planes)


@pytest.mark.parametrize("strength", [5.0, 60.0])
def test_a_blurred_person_takes_the_place_of_the_sharp_one(make_rig: MakeRig, strength: float) -> None:
    size, model, image, background = CAMERA.size, matte((36, 64), 1), noise(CAMERA, 3), noise(TARGET, 4)
    numbers, wanted = look_reference.numbers(2), blank(TARGET)
    person = native.MaskedBlur(size)
    person.gather(image, rounded(model, half=True), strength, person=True)
    native.Look(numbers, blurred=person).compose(image, rounded(model, half=True), background, wanted)
    with make_rig() as rig:
        memory = rig.memory(np.full(blur_bytes(size), 0xFF, np.uint8))
        blur = DeviceBlur(rig.kernels, size, memory, person=True)
        sigma_px = strength / 100.0 * native.BLUR_SIGMA * size.width
        source, known = rig.picture(image), rig.matte(model, half=True, live=Live(size, sigma_px=sigma_px))
        blur.gather(source, known, cuda_stream=rig.stream)
        out = rig.blank(TARGET)
        looked = replace(known, look=DeviceLook(figure(rig, numbers), blurred=blur.wash))
        rig.kernels.compose(source, looked, rig.picture(background), out, rig.flag(), cuda_stream=rig.stream)
        assert_alike(rig.planes(out), wanted)


def test_the_numbers_are_as_many_as_the_cpu_s() -> None:
    assert live.LOOK_FLOATS == LOOK_FLOATS

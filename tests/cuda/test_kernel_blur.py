"""The blurred room on the GPU against native.MaskedBlur."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cuda.kernel_rig import (
    LOW,
    PLACES,
    KernelRig,
    Live,
    MakeRig,
    Place,
    assert_alike,
    examples,
    make_rig,
    rounded,
    windows,
    without_padding,
)
from tests.native.pictures import SEEDS, SOURCES, STAMP, TARGETS, blank, formats, matte, noise
from vcam import native
from vcam.color import look_matrix, tinted
from vcam.cuda.blur import DeviceBlur, blur_bytes
from vcam.cuda.live import live_struct
from vcam.frame import AffineMatte, Image, Levels, PixelFormat, Planes, Range, Size, VideoFormat, Window
from vcam.stages import MatteControls

__all__ = ["make_rig"]

CAMERA = VideoFormat(PixelFormat.I420, 330, 190, range=Range.FULL)


def person(size: tuple[int, int], centre: float = 0.5) -> AffineMatte:
    """(h, w): a disc with a soft rim."""
    height, width = size
    y, x = np.mgrid[0:height, 0:width]
    distance = np.hypot((x + 0.5) / width - centre, (y + 0.5) / height - 0.6)
    model = matte(size, alpha=0.0)
    model.b[3] = np.clip(3.0 - 10.0 * distance, 0.0, 1.0)
    return model


def sigma_px(strength: float, size: Size) -> float:
    return strength / 100.0 * native.BLUR_SIGMA * size.width


def on_device(
    rig: KernelRig,
    image: Image,
    model: AffineMatte,
    strength: float,
    target: VideoFormat,
    place: Place,
    *,
    half: bool = True,
    window: Window | None = None,
) -> Planes:
    size = image.format.size
    blur = DeviceBlur(rig.kernels, size, rig.memory(np.full(blur_bytes(size), 0xFF, np.uint8)))
    source = rig.picture(image, place)
    live = Live(size, window, sigma_px=sigma_px(strength, size))
    blur.gather(source, rig.matte(model, half=half, live=live), cuda_stream=rig.stream)
    out = rig.blank(target, place)
    blur.render(out, cuda_stream=rig.stream)
    return rig.planes(out)


def on_cpu(
    image: Image, model: AffineMatte, strength: float, target: VideoFormat, window: Window | None = None
) -> Planes:
    blur = native.MaskedBlur(image.format.size)
    blur.gather(image, model, strength, window=window)
    out = blank(target)
    blur.render(out, target)
    return out


@examples(50)
@given(
    source=formats(SOURCES),
    target=formats(TARGETS),
    low=LOW,
    seed=SEEDS,
    place=PLACES,
    half=st.booleans(),
    strength=st.floats(0.0, 100.0),
    data=st.data(),
)
def test_any_picture(
    make_rig: MakeRig,
    source: VideoFormat,
    target: VideoFormat,
    low: tuple[int, int],
    seed: int,
    place: Place,
    half: bool,
    strength: float,
    data: st.DataObject,
) -> None:
    image, fmt, model = noise(source, seed), target.resized(source.size), matte(low, seed)
    model.b[3] -= 0.5
    window = data.draw(windows(low))
    wanted = on_cpu(image, rounded(model, half=half), strength, fmt, window)
    with make_rig() as rig:
        got = on_device(rig, image, model, strength, fmt, place, half=half, window=window)
    assert_alike(without_padding(got, fmt), without_padding(wanted, fmt), differing=0.01)


@pytest.mark.parametrize("strength", [0.0, 1.0, 35.0, 100.0])
@pytest.mark.parametrize("centre", [0.5, 0.05])
def test_a_room_behind_a_person(make_rig: MakeRig, strength: float, centre: float) -> None:
    image, model, target = noise(CAMERA, 3), person((36, 64), centre), VideoFormat(PixelFormat.NV12, 330, 190)
    with make_rig() as rig:
        got = on_device(rig, image, model, strength, target, Place())
    assert_alike(got, on_cpu(image, rounded(model, half=True), strength, target))


@pytest.mark.parametrize("layout", TARGETS)
def test_every_output(make_rig: MakeRig, layout: PixelFormat) -> None:
    image, model = noise(replace(CAMERA, pixel_format=PixelFormat.YUYV), 4), person((36, 64))
    target = replace(CAMERA, pixel_format=layout, range=Range.LIMITED)
    with make_rig() as rig:
        assert_alike(on_device(rig, image, model, 40.0, target, Place()), on_cpu(image, model, 40.0, target))


@pytest.mark.parametrize("layout", TARGETS)
def test_a_look_of_the_room(make_rig: MakeRig, layout: PixelFormat) -> None:
    image, model = noise(CAMERA, 8), person((36, 64))
    target, size = replace(CAMERA, pixel_format=layout), CAMERA.size
    look = tinted(look_matrix(brightness=1.5, contrast=1.4, saturation=0.3), 0.3, (0, 60, 255))
    cpu, wanted = native.MaskedBlur(size), blank(target)
    cpu.gather(image, model, 20.0)
    cpu.render(wanted, target, look)
    with make_rig() as rig:
        blur = DeviceBlur(rig.kernels, size, rig.memory(np.zeros(blur_bytes(size), np.uint8)))
        live = Live(size, sigma_px=sigma_px(20.0, size))
        blur.gather(rig.picture(image), rig.matte(model, half=False, live=live), cuda_stream=rig.stream)
        out = rig.blank(target)
        there = rig.struct(live_struct(Levels(), MatteControls(), look))
        blur.render(out, there, cuda_stream=rig.stream)
        assert_alike(rig.planes(out), wanted)


@pytest.mark.parametrize("size", [Size(1300, 60), Size(50, 1290), Size(1, 1), Size(643, 2)], ids=str)
def test_cells_of_every_size(make_rig: MakeRig, size: Size) -> None:
    image, model = noise(CAMERA.resized(size), 5), person((20, 30))
    target = VideoFormat(PixelFormat.I444, size.width, size.height)
    with make_rig() as rig:
        assert_alike(on_device(rig, image, model, 60.0, target, Place()), on_cpu(image, model, 60.0, target))


def test_where_there_is_no_room_it_is_black(make_rig: MakeRig) -> None:
    image, model = noise(CAMERA, 6), matte((9, 16), alpha=1.0)
    target = replace(CAMERA, pixel_format=PixelFormat.RGB24)
    with make_rig() as rig:
        (got,) = on_device(rig, image, model, 50.0, target, Place())
    assert not got.any()


def test_no_colour_of_the_person_enters(make_rig: MakeRig) -> None:
    red, grey = (replace(CAMERA, pixel_format=PixelFormat.RGB24) for _ in range(2))
    y, x = np.mgrid[0:190, 0:330]
    inside = np.hypot((x + 0.5) / 330 - 0.5, (y + 0.5) / 190 - 0.6) < 0.3
    pixels = np.where(inside[..., None], [255, 0, 0], [90, 90, 90]).astype(np.uint8)
    image = Image((pixels.reshape(190, -1),), red, STAMP)
    with make_rig() as rig:
        (got,) = on_device(rig, image, person((36, 64)), 50.0, grey, Place())
    assert np.abs(got.astype(int) - 90).max() <= 1


def test_pictures_of_another_size_are_refused(make_rig: MakeRig) -> None:
    with make_rig() as rig:
        blur = DeviceBlur(rig.kernels, Size(64, 48), rig.memory(np.zeros(blur_bytes(Size(64, 48)), np.uint8)))
        other = rig.blank(CAMERA)
        with pytest.raises(ValueError, match="64x48"):
            blur.render(other, cuda_stream=rig.stream)
        with pytest.raises(ValueError, match="64x48"):
            blur.gather(other, rig.matte(matte((3, 4)), half=True), cuda_stream=rig.stream)


def test_levels_decide_what_is_room(make_rig: MakeRig) -> None:
    image, model = noise(CAMERA, 7), matte((9, 16), alpha=0.1)
    target, size = replace(CAMERA, pixel_format=PixelFormat.I444), CAMERA.size
    levels = Levels(black=0.2, white=0.9)  # what is left of 0.1 is room
    cpu, wanted = native.MaskedBlur(size), blank(target)
    cpu.gather(image, model, 20.0, levels=levels)
    cpu.render(wanted, target)
    with make_rig() as rig:
        blur = DeviceBlur(rig.kernels, size, rig.memory(np.zeros(blur_bytes(size), np.uint8)))
        live = Live(size, levels=levels, sigma_px=sigma_px(20.0, size))
        blur.gather(rig.picture(image), rig.matte(model, half=False, live=live), cuda_stream=rig.stream)
        out = rig.blank(target)
        blur.render(out, cuda_stream=rig.stream)
        assert_alike(rig.planes(out), wanted)

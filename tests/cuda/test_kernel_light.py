"""The light around the person on the GPU, against native.SurroundingLight."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cuda.kernel_rig import LOW, PLACES, Live, MakeRig, Place, examples, make_rig, rounded, windows
from tests.native.pictures import SEEDS, SOURCES, TARGETS, formats, matte, noise
from vcam.cuda.light import DeviceLight, light_bytes
from vcam.frame import AffineMatte, Image, Levels, PixelFormat, Range, Size, VideoFormat, Window
from vcam.native.effects import SurroundingLight

__all__ = ["make_rig"]

LEVELS = Levels(2.0 / 255.0, 253.0 / 255.0)
CAMERA = VideoFormat(PixelFormat.I422, 330, 190, range=Range.FULL)
TARGET = VideoFormat(PixelFormat.YUYV, 330, 190)


def assert_alike(
    make_rig: MakeRig, image: Image, background: Image, model: AffineMatte, window: Window, place: Place, *, half: bool
) -> None:
    size = image.format.size
    wanted = SurroundingLight(size).gather(image, background, rounded(model, half=half), LEVELS, window)
    with make_rig() as rig:
        memory = rig.memory(np.full(light_bytes(size), 0xFF, np.uint8))
        light = DeviceLight(rig.kernels, size, memory)
        known = rig.matte(model, half=half, live=Live(size, window, LEVELS))
        source, under = rig.picture(image, place), rig.picture(background, place)
        wash = light.gather(source, under, known, cuda_stream=rig.stream)
        assert (3, wash.rows, wash.columns) == wanted.shape
        assert (wash.x * wash.columns, wash.y * wash.rows) == pytest.approx((size.width, size.height))
        got = rig.read(wash.address, wanted.shape, np.float32)
    np.testing.assert_allclose(got.astype(np.float32), wanted, rtol=0, atol=2e-5)


@examples(60)
@given(
    source=formats(SOURCES),
    target=formats(TARGETS),
    low=LOW,
    seed=SEEDS,
    place=PLACES,
    half=st.booleans(),
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
    data: st.DataObject,
) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    assert_alike(make_rig, image, background, matte(low, seed), data.draw(windows(low)), place, half=half)


@pytest.mark.parametrize("size", [Size(330, 190), Size(190, 330), Size(161, 3), Size(1, 1)], ids=str)
def test_views_larger_and_smaller_than_the_cells(make_rig: MakeRig, size: Size) -> None:
    image, background = noise(CAMERA.resized(size), 1), noise(TARGET.resized(size), 2)
    whole = Window(0.0, 0.0, 64.0, 36.0)
    assert_alike(make_rig, image, background, matte((36, 64), 3), whole, Place(), half=True)


def test_pictures_of_another_size_are_refused(make_rig: MakeRig) -> None:
    size = Size(64, 48)
    with make_rig() as rig:
        light = DeviceLight(rig.kernels, size, rig.memory(np.zeros(light_bytes(size), np.uint8)))
        camera, target = rig.blank(CAMERA), rig.blank(replace(TARGET, width=64, height=48))
        with pytest.raises(ValueError, match="64x48, got 330x190"):
            light.gather(camera, target, rig.matte(matte((3, 4)), half=True), cuda_stream=rig.stream)

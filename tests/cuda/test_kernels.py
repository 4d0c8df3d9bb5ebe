"""Every kernel against its twin on the CPU: always compiled for the CPU itself, and as it is where there is a GPU."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
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
from tests.native.pictures import SEEDS, SOURCES, STAMP, TARGETS, blank, formats, matte, noise
from vcam import native
from vcam.cuda.kernels import FAST_SOURCES, FAST_TARGETS, DevicePicture
from vcam.cuda.live import view_struct
from vcam.fakes import FakeDriver
from vcam.frame import AffineMatte, Image, Levels, PixelFormat, Range, Size, VideoFormat, Window

__all__ = ["make_rig"]

LEVELS = st.sampled_from([Levels(), Levels(2.0 / 255.0, 253.0 / 255.0), Levels(0.3, 0.6)])
WIDE = VideoFormat(PixelFormat.NV12, 244, 131)
"""Larger than a block of threads, four pixels wide, of odd height; the twin's vectors and tiles end elsewhere."""


def composed(
    rig: KernelRig,
    image: Image,
    model: AffineMatte,
    background: Image,
    place: Place = PACKED,
    *,
    half: bool = True,
    flag: int = 0,
    levels: Levels | None = None,
    window: Window | None = None,
) -> DevicePicture:
    out = rig.blank(background.format, place)
    on_device = rig.matte(model, half=half, live=Live(image.format.size, window, levels or Levels()))
    under, source = rig.picture(background, place), rig.picture(image, place)
    rig.kernels.compose(source, on_device, under, out, rig.flag(flag), cuda_stream=rig.stream)
    return out


@examples(50)
@given(source=formats(SOURCES), size=LOW, seed=SEEDS, place=PLACES, half=st.booleans())
def test_sample(
    make_rig: MakeRig, source: VideoFormat, size: tuple[int, int], seed: int, place: Place, half: bool
) -> None:
    image = noise(source, seed)
    kind = np.float16 if half else np.float32
    wanted = np.empty((3, *size), np.float32)
    native.sample(image, wanted)
    with make_rig() as rig:
        out = rig.memory(np.full(wanted.shape, -1, kind))
        rig.kernels.sample(rig.picture(image, place), out, Size(size[1], size[0]), half=half, cuda_stream=rig.stream)
        got = rig.read(out, wanted.shape, kind)
    np.testing.assert_allclose(got.astype(np.float32), wanted, rtol=0, atol=2.5e-4 if half else 2e-6)


@examples(80)
@given(
    source=formats(SOURCES),
    target=formats(TARGETS),
    low=LOW,
    seed=SEEDS,
    place=PLACES,
    half=st.booleans(),
    levels=LEVELS,
    data=st.data(),
)
def test_compose(
    make_rig: MakeRig,
    source: VideoFormat,
    target: VideoFormat,
    low: tuple[int, int],
    seed: int,
    place: Place,
    half: bool,
    levels: Levels,
    data: st.DataObject,
) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    model, window = matte(low, seed), data.draw(windows(low))
    fmt, wanted = background.format, blank(background.format)
    native.compose(image, rounded(model, half=half), background, wanted, levels=levels, window=window)
    with make_rig() as rig:
        out = composed(rig, image, model, background, place, half=half, levels=levels, window=window)
        assert_alike(without_padding(rig.planes(out), fmt), without_padding(wanted, fmt))


@pytest.mark.parametrize("target", FAST_TARGETS)
@pytest.mark.parametrize("source", FAST_SOURCES)
@pytest.mark.parametrize("low", [(35, 65), (53, 98), (9, 16), (150, 300)], ids=str)
def test_compose_in_whole_words(
    make_rig: MakeRig, source: PixelFormat, target: PixelFormat, low: tuple[int, int]
) -> None:
    image = noise(replace(WIDE, pixel_format=source, range=Range.FULL), 1)
    background = noise(replace(WIDE, pixel_format=target), 2)
    model, wanted = matte(low, 3), blank(background.format)
    model.b[3, : low[0] // 3] -= 5.0  # a part is surely background
    native.compose(image, rounded(model, half=True), background, wanted)
    with make_rig() as rig:
        assert_alike(rig.planes(composed(rig, image, model, background)), wanted)
        assert_alike(rig.planes(composed(rig, image, model, background, Place(padding=8))), wanted)
        if isinstance(rig.driver, FakeDriver):
            assert rig.driver.ran.count(f"launch compose_{source.name}_{target.name}") == 2


@examples(30)
@given(
    source=formats(SOURCES), target=formats(TARGETS), low=LOW, seed=SEEDS, place=PLACES, below=st.sampled_from([0, -3])
)
def test_compose_where_alpha_is_zero_gives_the_background_exactly(
    make_rig: MakeRig,
    source: VideoFormat,
    target: VideoFormat,
    low: tuple[int, int],
    seed: int,
    place: Place,
    below: float,
) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    with make_rig() as rig:
        out = composed(rig, image, matte(low, alpha=below), background, place)
        assert_equal(rig.planes(out), background.planes)


@pytest.mark.parametrize(("slope", "offset"), [(1.0, -0.3125), (-1.0, 0.4375)])
def test_compose_looks_wherever_some_colour_could_be_the_person(make_rig: MakeRig, slope: float, offset: float) -> None:
    image, background = noise(WIDE, 1), noise(WIDE, 2)
    model, wanted = matte((35, 65), alpha=offset), blank(WIDE)
    model.a[3] = slope  # 0 at one end of gray, above it at the other
    native.compose(image, model, background, wanted)
    with make_rig() as rig:
        assert_alike(rig.planes(composed(rig, image, model, background)), wanted)
    assert (wanted[0] != background.planes[0]).mean() > 0.2


@pytest.mark.parametrize("target", TARGETS)
def test_compose_beside_the_person_gives_the_background_exactly(make_rig: MakeRig, target: PixelFormat) -> None:
    fmt = VideoFormat(target, 320, 96)
    image, background = noise(replace(fmt, pixel_format=PixelFormat.I422), 1), noise(fmt, 2)
    model = matte((24, 80), alpha=0.0)
    model.b[3, :, 40:] = 1.0
    with make_rig() as rig:
        (first, *_) = rig.planes(composed(rig, image, model, background))
    columns = first.shape[1] * 39 // 80
    np.testing.assert_array_equal(first[:, :columns], background.planes[0][:, :columns])
    assert (first[:, first.shape[1] // 2 :] != background.planes[0][:, first.shape[1] // 2 :]).mean() > 0.9


@examples(30)
@given(source=formats(SOURCES), target=formats(TARGETS), seed=SEEDS, poison=st.sampled_from([0.5, np.nan, np.inf]))
@example(VideoFormat(PixelFormat.I422, 64, 33), VideoFormat(PixelFormat.YUYV, 1, 1), 0, 0.5)
def test_compose_with_the_flag_gives_the_background_exactly(
    make_rig: MakeRig, source: VideoFormat, target: VideoFormat, seed: int, poison: float
) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    model = matte((5, 7), alpha=1.0)
    model.b[3, 2, 3] = poison
    with make_rig() as rig:
        assert_equal(rig.planes(composed(rig, image, model, background, flag=1)), background.planes)


@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("tensor", ["a", "b"])
def test_check_finds_what_is_not_finite_wherever_it_is(
    make_rig: MakeRig, half: bool, poison: float, tensor: str
) -> None:
    clean = matte((3, 5), 1)
    clean.a[0, 0, 0] = 65504.0  # the largest half
    clean.b[1, 1, 1] = -6e-8  # the smallest
    size = clean.a.size
    with make_rig() as rig:
        flags = []
        for index in (None, 0, 3, 7, 8, size // 2, size - 1):
            model = AffineMatte(clean.a.copy(), clean.b.copy(), STAMP)
            if index is not None:
                getattr(model, tensor).reshape(-1)[index] = poison
            flags.append(rig.flag())
            rig.kernels.check(rig.matte(model, half=half), flags[-1], cuda_stream=rig.stream)
        assert [rig.read(flag, (1,), np.uint32)[0] for flag in flags] == [0, 1, 1, 1, 1, 1, 1]


def test_check_never_clears_the_flag(make_rig: MakeRig) -> None:
    with make_rig() as rig:
        flag = rig.flag(1)
        rig.kernels.check(rig.matte(matte((3, 5)), half=True), flag, cuda_stream=rig.stream)
        assert rig.read(flag, (1,), np.uint32)[0] == 1


@examples(50)
@given(source=formats(SOURCES), low=LOW, seed=SEEDS, place=PLACES, half=st.booleans(), levels=LEVELS, data=st.data())
def test_alpha(
    make_rig: MakeRig,
    source: VideoFormat,
    low: tuple[int, int],
    seed: int,
    place: Place,
    half: bool,
    levels: Levels,
    data: st.DataObject,
) -> None:
    image, model, window = noise(source, seed), matte(low, seed), data.draw(windows(low))
    wanted = np.empty((source.height, source.width), np.uint8)
    native.alpha(image, rounded(model, half=half), wanted, levels=levels, window=window)
    with make_rig() as rig:
        out = rig.memory(np.full(wanted.shape, 77, np.uint8))
        on_device = rig.matte(model, half=half, live=Live(image.format.size, window, levels))
        rig.kernels.alpha(rig.picture(image, place), on_device, out, cuda_stream=rig.stream)
        assert_alike([rig.read(out, wanted.shape, np.uint8).view(np.uint8)], [wanted])


@examples(60)
@given(source=formats(SOURCES), size=LOW, seed=SEEDS, place=PLACES, data=st.data())
def test_scale(
    make_rig: MakeRig, source: VideoFormat, size: tuple[int, int], seed: int, place: Place, data: st.DataObject
) -> None:
    image, target = noise(source, seed), source.resized(Size(size[1], size[0]))
    window, wanted = data.draw(windows((source.height, source.width))), blank(target)
    native.scale(image, wanted, target, window)
    with make_rig() as rig:
        out = rig.blank(target, place)
        view = rig.struct(view_struct(target.size, window, source.size, source.size))
        rig.kernels.scale(rig.picture(image, place), out, view, cuda_stream=rig.stream)
        assert_alike(rig.planes(out), wanted, differing=0.1)  # many sums are halves, which any rounding decides


@examples(80)
@given(source=formats(SOURCES), target=formats(SOURCES), seed=SEEDS, place=PLACES)
def test_convert(make_rig: MakeRig, source: VideoFormat, target: VideoFormat, seed: int, place: Place) -> None:
    image, fmt = noise(source, seed), target.resized(source.size)
    wanted = blank(fmt)
    native.convert(image, wanted, fmt)
    with make_rig() as rig:
        out = rig.blank(fmt, place)
        rig.kernels.convert(rig.picture(image, place), out, cuda_stream=rig.stream)
        assert_alike(rig.planes(out), wanted)


@pytest.mark.parametrize("layout", SOURCES)
@pytest.mark.parametrize("place", [PACKED, Place(padding=16), Place(padding=3, offset=1)], ids=str)
def test_convert_to_the_same_copies_every_byte(make_rig: MakeRig, layout: PixelFormat, place: Place) -> None:
    image = noise(replace(WIDE, pixel_format=layout, width=243), 1)
    with make_rig() as rig:
        out = rig.blank(image.format, place)
        rig.kernels.convert(rig.picture(image, place), out, cuda_stream=rig.stream)
        assert_equal(rig.planes(out), image.planes)

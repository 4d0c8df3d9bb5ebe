"""compose with a look against the float64 reference, on every instruction set, and what it must never do."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native import look_reference, reference
from tests.native.pictures import LOW_SIZES, SEEDS, SOURCES, STAMP, TARGETS, as_floats, blank, formats, matte, noise
from vcam import native
from vcam.frame import AffineMatte, Image, PixelFormat, Plane, Size, VideoFormat
from vcam.native.look import LOOK_FLOATS
from vcam.stages import MatteControls


@pytest.fixture(params=native.isas())
def isa(request: pytest.FixtureRequest) -> Iterator[str]:
    before = native.isa()
    native.select_isa(request.param)
    yield request.param
    native.select_isa(before)


def run(
    look: native.Look, image: Image, model: AffineMatte, background: Image, window: native.Window | None = None
) -> tuple[Plane, ...]:
    out = blank(background.format)
    look.compose(image, model, background, out, window=window)
    return out


def assert_close(got: tuple[Plane, ...], wanted: tuple[Plane, ...], fmt: VideoFormat) -> None:
    """Within a level, but for the padding of an odd YUYV row."""
    if fmt.pixel_format == PixelFormat.YUYV and fmt.width % 2:
        got[0][:, -2] = wanted[0][:, -2]
    for plane, reference_plane in zip(got, wanted, strict=True):
        difference = np.abs(plane.astype(int) - reference_plane.astype(int))
        assert difference.max(initial=0) <= 1
        assert (difference > 0).mean() < 0.04 + 1.5 / difference.size


@settings(max_examples=120)
@given(source=formats(SOURCES), target=formats(TARGETS), low=LOW_SIZES, seed=SEEDS, curved=st.booleans())
def test_a_look_equals_the_reference(
    source: VideoFormat, target: VideoFormat, low: tuple[int, int], seed: int, *, curved: bool
) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    model, numbers = matte(low, seed), look_reference.numbers(seed, curved=curved)
    got = run(native.Look(numbers), image, model, background)
    wanted = look_reference.composed(numbers, image, (as_floats(model.a), as_floats(model.b)), background)
    assert_close(got, wanted, background.format)


@settings(max_examples=60)
@given(source=formats(SOURCES), target=formats(TARGETS), cells=LOW_SIZES, seed=SEEDS)
def test_light_is_spread_over_the_picture(
    source: VideoFormat, target: VideoFormat, cells: tuple[int, int], seed: int
) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    model, numbers = matte((9, 16), seed), look_reference.numbers(seed)
    light = np.random.default_rng(seed).uniform(0.0, 1.0, (3, *cells)).astype(np.float32)
    got = run(native.Look(numbers, light), image, model, background)
    wanted = look_reference.composed(
        numbers, image, (as_floats(model.a), as_floats(model.b)), background, light=as_floats(light)
    )
    assert_close(got, wanted, background.format)


@pytest.mark.parametrize("curved", [False, True])
@pytest.mark.parametrize("target", TARGETS)
def test_every_instruction_set_shows_the_same(isa: str, target: PixelFormat, *, curved: bool) -> None:
    fmt = VideoFormat(target, 613, 70)
    image, background, model = noise(fmt, 1), noise(fmt, 2), matte((20, 60), 3)
    numbers = look_reference.numbers(4, curved=curved)
    got = run(native.Look(numbers), image, model, background)
    wanted = look_reference.composed(numbers, image, (as_floats(model.a), as_floats(model.b)), background)
    assert_close(got, wanted, fmt)


@settings(max_examples=60)
@given(source=formats(SOURCES), target=formats(TARGETS), seed=SEEDS, low=LOW_SIZES, curved=st.booleans())
def test_alpha_zero_stays_the_background_bit_exactly(
    source: VideoFormat, target: VideoFormat, seed: int, low: tuple[int, int], *, curved: bool
) -> None:
    image, background = noise(source, seed), noise(target.resized(source.size), seed + 1)
    light = np.ones((3, 2, 2), np.float32)
    look = native.Look(look_reference.numbers(seed, curved=curved), light)
    for plane, under in zip(run(look, image, matte(low, alpha=0.0), background), background.planes, strict=True):
        np.testing.assert_array_equal(plane, under)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_never_uncover_what_the_matte_covers(isa: str, value: float) -> None:
    fmt = VideoFormat(PixelFormat.YUYV, 64, 32)
    image, background = noise(fmt, 1), noise(fmt, 2)
    model = matte((8, 16), alpha=0.0)
    model.a[:3] = value
    look = native.Look(look_reference.numbers(1, curved=True))
    np.testing.assert_array_equal(run(look, image, model, background)[0], background.planes[0])
    model = matte((8, 16), alpha=1.0)
    model.b[3] = np.nan
    np.testing.assert_array_equal(run(look, image, model, background)[0], background.planes[0])


def test_opacity_is_alpha_times_it() -> None:
    fmt = VideoFormat(PixelFormat.I444, 64, 32)
    image, background = noise(fmt, 1), noise(fmt, 2)
    got = run(native.Look(_plain(opacity=0.25)), image, matte((8, 16), alpha=1.0), background)
    wanted = run(native.Look(_plain()), image, matte((8, 16), alpha=0.25), background)
    for plane, expected in zip(got, wanted, strict=True):
        np.testing.assert_allclose(plane, expected, atol=1)


@pytest.mark.parametrize("layout", TARGETS)
@pytest.mark.parametrize(("width", "shift"), [(64, -7), (64, 3), (64, 31), (64, -31), (63, -7), (63, -31)])
def test_a_ghost_is_the_person_moved_over_what_is_there(layout: PixelFormat, shift: int, width: int) -> None:
    source, target = VideoFormat(PixelFormat.I444, width, 20), VideoFormat(layout, width, 20)
    image, background = noise(source, 1), noise(target, 2)
    model, numbers = matte((10, 16), 3), look_reference.numbers(5)
    out = tuple(plane.copy() for plane in background.planes)
    look = native.Look(numbers, shift=shift)
    look.compose(image, model, Image(out, target, STAMP), out)
    wanted = look_reference.composed(numbers, *_moved(image, model, 2 * shift), background)
    assert_close(out, wanted, target)


def test_a_ghost_far_outside_is_nothing() -> None:
    fmt = VideoFormat(PixelFormat.NV12, 64, 32)
    background = noise(fmt, 2)
    out = tuple(plane.copy() for plane in background.planes)
    for shift in (32, -32, 1000, -(2**31), 2**31 - 1):
        look = native.Look(look_reference.numbers(5), shift=shift)
        look.compose(noise(fmt, 1), matte((8, 16)), Image(out, fmt, STAMP), out)
    for plane, under in zip(out, background.planes, strict=True):
        np.testing.assert_array_equal(plane, under)


def test_painting_over_a_background_is_composing_with_it() -> None:
    for layout in TARGETS:
        fmt = VideoFormat(layout, 130, 50)
        image, background, model = noise(fmt, 1), noise(fmt, 2), matte((9, 16), 3)
        wanted, out = blank(fmt), tuple(plane.copy() for plane in background.planes)
        native.compose(image, model, background, wanted)
        native.compose(image, model, Image(out, fmt, STAMP), out)
        for plane, expected in zip(out, wanted, strict=True):
            np.testing.assert_array_equal(plane, expected)


def test_the_edge_and_the_look_work_together() -> None:
    fmt = VideoFormat(PixelFormat.I444, 64, 36)
    image, background, model = noise(fmt, 1), noise(fmt, 2), matte((9, 16), 3)
    small = np.zeros((3, 9, 16), np.float32)
    native.sample(image, small)
    edge = native.PersonEdge(Size(16, 9))
    edge.prepare(small, model, MatteControls(refine=0.5, despill=0.5))
    plain, looked, alpha = blank(fmt), blank(fmt), np.zeros((36, 64), np.float32)
    edge.compose(image, background, plain)
    edge.compose(image, background, looked, look=native.Look(_plain(opacity=0.5)))
    edge.alpha(image, alpha)
    for plane, person, under in zip(looked, plain, background.planes, strict=True):
        half = 0.5 * person.astype(float) + 0.5 * under.astype(float)
        np.testing.assert_allclose(plane, half, atol=1.01)
    assert 0.1 < alpha.mean() < 0.9


def test_a_blurred_person_takes_the_place_of_the_sharp_one() -> None:
    fmt = VideoFormat(PixelFormat.I444, 640, 360)
    image, background = noise(fmt, 1), noise(fmt, 2)
    model = matte((9, 16), alpha=1.0)
    blur = native.MaskedBlur(fmt.size)
    blur.gather(image, model, 50.0, person=True)
    got = run(native.Look(_plain(), blurred=blur), image, model, background)
    wanted = blank(fmt)
    blur.render(wanted, fmt)
    for plane, expected in zip(got, wanted, strict=True):
        assert np.abs(plane.astype(int) - expected.astype(int)).max() <= 1
    assert got[0].std() < 3.0
    assert image.planes[0].std() > 60.0


def test_bad_looks_are_refused() -> None:
    fmt = VideoFormat(PixelFormat.NV12, 64, 32)
    image, background, out = noise(fmt, 1), noise(fmt, 2), blank(fmt)
    model = matte((8, 16))
    with pytest.raises(ValueError, match=f"look: expected {LOOK_FLOATS} numbers, got 5"):
        native.Look(np.zeros(5, np.float32)).compose(image, model, background, out)
    with pytest.raises(ValueError, match="only what is drawn in place can be shifted"):
        native.Look(_plain(), shift=1).compose(image, model, background, out)
    with pytest.raises(ValueError, match=r"light: expected shape \(3, h, w\)"):
        native.Look(_plain(), np.zeros((4, 2, 2), np.float32)).compose(image, model, background, out)
    with pytest.raises(ValueError, match="source: expected 32x32"):
        native.Look(_plain(), blurred=native.MaskedBlur(Size(32, 32))).compose(image, model, background, out)


def _plain(opacity: float = 1.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Changes nothing but the opacity."""
    numbers = np.zeros(LOOK_FLOATS, np.float32)
    numbers[0:12] = numbers[12:24] = np.eye(3, 4, dtype=np.float32).ravel()
    numbers[24] = opacity
    return numbers


def _moved(image: Image, model: AffineMatte, pixels: int) -> tuple[Image, tuple[reference.Array, reference.Array]]:
    """A picture and a matte at its resolution, moved to the right; what moves in has alpha 0."""
    height, width = image.format.height, image.format.width
    columns = np.arange(width) - pixels
    inside = (columns >= 0) & (columns < width)
    if pixels < 0 and width % 2:  # the second pixel of the last pair repeats the first
        inside |= columns == width
    source = np.clip(columns, 0, width - 1)
    a, b = (reference.resized(as_floats(part), height, width)[:, :, source] for part in (model.a, model.b))
    a[3] *= inside
    b[3] *= inside
    return Image(tuple(plane[:, source] for plane in image.planes), image.format, STAMP), (a, b)

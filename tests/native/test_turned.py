"""Windows with a negative width or height: mirrored and flipped, in every loop that takes a window."""

from typing import TypeAlias

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native import post_reference, reference
from tests.native.pictures import (
    LOW_SIZES,
    SEEDS,
    SOURCES,
    STAMP,
    TARGETS,
    as_floats,
    blank,
    formats,
    matte,
    noise,
    smooth,
)
from tests.native.reference import Array
from tests.native.test_look import isa  # noqa: F401  # a fixture
from vcam import native
from vcam.frame import Image, PixelFormat, Size, VideoFormat
from vcam.native import Window
from vcam.stages import MatteControls

Share: TypeAlias = tuple[float, float, float, float]
Turn: TypeAlias = tuple[bool, bool]

SHARES = st.tuples(*[st.floats(0.05, 0.5)] * 4)
TURNS = st.sampled_from([(True, False), (False, True), (True, True)])
EVEN = [PixelFormat.I444, PixelFormat.RGB24, PixelFormat.YUYV, PixelFormat.I422, PixelFormat.NV12, PixelFormat.I420]


def turned(part: Window, turn: Turn) -> Window:
    x, width = (part.x + part.width, -part.width) if turn[0] else (part.x, part.width)
    y, height = (part.y + part.height, -part.height) if turn[1] else (part.y, part.height)
    return Window(x, y, width, height)


def part_of(size: tuple[int, int], share: Share, turn: Turn) -> Window:
    height, width = size
    return turned(Window(share[0] * width, share[1] * height, share[2] * width, share[3] * height), turn)


def turn_back(values: Array, turn: Turn) -> Array:
    """(C, H, W), mirrored and flipped."""
    return values[:, :: -1 if turn[1] else 1, :: -1 if turn[0] else 1]


@pytest.mark.parametrize("layout", EVEN)
@pytest.mark.parametrize("turn", [(True, False), (False, True), (True, True)])
def test_the_whole_picture_is_turned_byte_for_byte(layout: PixelFormat, turn: Turn) -> None:
    fmt = VideoFormat(layout, 138, 50)
    image, out = noise(fmt, 1), blank(fmt)
    native.scale(image, out, fmt, turned(Window(0, 0, 138, 50), turn))
    got = reference.components(Image(out, fmt, STAMP))
    np.testing.assert_array_equal(got, turn_back(reference.components(image), turn))


@settings(max_examples=60)
@given(target=formats(SOURCES, 90), share=SHARES, seed=SEEDS, turn=TURNS)
def test_a_turned_part_is_the_part_turned(target: VideoFormat, share: Share, seed: int, turn: Turn) -> None:
    """Enlarged, or as the mean of an area. Odd sizes have no chroma of their own for the last column: I444 only."""
    fmt = VideoFormat(PixelFormat.I444, 140, 100)
    image, size = noise(fmt, seed), target.resized(target.size)
    part = Window(share[0] * 140, share[1] * 100, share[2] * 140, share[3] * 100)
    to = VideoFormat(PixelFormat.I444, size.width, size.height)
    plain, got = blank(to), blank(to)
    native.scale(image, plain, to, part)
    native.scale(image, got, to, turned(part, turn))
    difference = np.abs(np.stack(got).astype(int) - turn_back(np.stack(plain).astype(np.float64), turn))
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.05 + 1.5 / difference.size


@settings(max_examples=60)
@given(source=formats(SOURCES), low=LOW_SIZES, seed=SEEDS, share=SHARES, turn=TURNS)
def test_sample_and_alpha_read_turned(
    source: VideoFormat,
    low: tuple[int, int],
    seed: int,
    share: Share,
    turn: Turn,
) -> None:
    image, model = noise(source, seed), matte(low, seed)
    window = part_of((source.height, source.width), share, turn)
    small = np.empty((3, 7, 11), np.float32)
    native.sample(image, small, window)
    np.testing.assert_allclose(small, reference.resized(reference.rgb(image), 7, 11, window), atol=1e-4)
    window = part_of(low, share, turn)
    out = np.empty((source.height, source.width), np.float32)
    native.alpha(image, model, out, window=window)
    wanted, _ = reference.matte_at(image, as_floats(model.a), as_floats(model.b), window)
    np.testing.assert_allclose(out, wanted, atol=4e-4)


@settings(max_examples=60)
@given(target=formats(TARGETS), low=LOW_SIZES, seed=SEEDS, turn=TURNS)
def test_compose_reads_a_turned_matte(target: VideoFormat, low: tuple[int, int], seed: int, turn: Turn) -> None:
    source = VideoFormat(PixelFormat.I422, target.width, target.height)
    image, background, model = smooth(source, seed), noise(target, seed + 1), matte(low, seed)
    window, out = turned(Window(0, 0, low[1], low[0]), turn), blank(target)
    native.compose(image, model, background, out, window=window)
    wanted = reference.composed(image, as_floats(model.a), as_floats(model.b), background, window)
    for got, plane in zip(out, wanted, strict=True):
        end = -2 if target.pixel_format == PixelFormat.YUYV and target.width % 2 else None
        assert np.abs(got[:, :end].astype(int) - plane[:, :end].astype(int)).max(initial=0) <= 1


def test_a_wide_picture_is_turned_without_seams_on_every_instruction_set(isa: str) -> None:  # noqa: F811
    """Where a person stands on one side, on the other is exactly the background: nothing was skipped, or unskipped."""
    fmt = VideoFormat(PixelFormat.YUYV, 1002, 60)
    image, background, model = smooth(fmt, 3), noise(fmt, 4), matte((20, 130), alpha=0.0)
    model.b[3, :, 20:40] = 1.0
    out, window = blank(fmt), Window(130, 20, -130, -20)
    native.compose(image, model, background, out, window=window)
    wanted = reference.composed(image, as_floats(model.a), as_floats(model.b), background, window)
    assert np.abs(out[0].astype(int) - wanted[0].astype(int)).max() <= 1
    np.testing.assert_array_equal(out[0][:, :1300], background.planes[0][:, :1300])
    assert (out[0][:, 1400:1680] != background.planes[0][:, 1400:1680]).mean() > 0.9


@pytest.mark.parametrize("turn", [(True, False), (False, True), (True, True)])
def test_corrections_of_the_edge_are_read_turned(turn: Turn) -> None:
    model = matte((18, 32), 5)
    small = np.random.default_rng(5).uniform(0.2, 0.8, (3, 18, 32)).astype(np.float32)
    window = turned(Window(3.5, 2.25, 20.0, 12.0), turn)
    image = smooth(VideoFormat(PixelFormat.I444, 61, 47), 5)
    edge, out = native.PersonEdge(Size(32, 18)), np.empty((47, 61), np.float32)
    edge.prepare(small, model, MatteControls(1.0, 1.0, 1.0))
    edge.alpha(image, out, window=window)
    frame = post_reference.Frame(as_floats(small), as_floats(model.a), as_floats(model.b), window=window)
    controls = MatteControls(1.0, 1.0, 1.0)
    wanted, _ = post_reference.corrected(image, frame, post_reference.follow(frame, None, 1.0), controls)
    np.testing.assert_allclose(out, wanted, atol=2e-3)


def test_a_blurred_room_is_weighted_by_the_turned_matte() -> None:
    """A bright person before a dark room is weighted out only where the matte is read the right way round."""
    fmt = VideoFormat(PixelFormat.GREY, 320, 180)
    picture = np.full((180, 320), 20, np.uint8)
    picture[40:140, 200:300] = 250
    model = matte((18, 32), alpha=0.0)
    model.b[3, 3:15, 1:13] = 1.0  # mirrored: columns 190 to 310
    blur, out = native.MaskedBlur(fmt.size), blank(VideoFormat(PixelFormat.I420, 320, 180))
    blur.gather(Image((picture,), fmt, STAMP), model, 40.0, window=Window(32, 0, -32, 18))
    blur.render(out, VideoFormat(PixelFormat.I420, 320, 180))
    assert out[0].max() < 45


def test_a_window_without_extent_or_outside_is_refused() -> None:
    fmt = VideoFormat(PixelFormat.GREY, 32, 18)
    for window in (Window(0, 0, -8, 8), Window(0, 0, 0, 8), Window(20, 19, -8, -8), Window(20, 18, -21, -8)):
        with pytest.raises(ValueError, match="window"):
            native.sample(noise(fmt), np.empty((3, 4, 4), np.float32), window)

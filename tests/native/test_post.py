"""Corrections along the person's edge against plain NumPy, and what they must never do."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native import post_reference as reference
from tests.native.pictures import (
    LOW_SIZES,
    PADDING,
    SEEDS,
    SOURCES,
    TARGETS,
    as_floats,
    blank,
    formats,
    matte,
    noise,
    smooth,
)
from vcam import native
from vcam.frame import AffineMatte, Image, Levels, PixelFormat, Size, Tensor, VideoFormat, Window
from vcam.stages import MatteControls

STRENGTHS = st.sampled_from((0.0, 0.3, 1.0))
CONTROLS = st.builds(MatteControls, STRENGTHS, STRENGTHS, STRENGTHS)
ALL = MatteControls(1.0, 1.0, 1.0)
RGB = VideoFormat(PixelFormat.RGB24, 40, 24)


def small_picture(size: tuple[int, int], seed: int) -> Tensor:
    """(3, h, w): two colours with a little noise, so that there is an edge to learn from."""
    rng = np.random.default_rng(seed)
    h, w = size
    left = np.arange(w) < w // 2
    colours = rng.uniform(0.1, 0.9, (2, 3, 1, 1)).astype(np.float32)
    picture: Tensor = np.where(left, colours[0], colours[1]) + rng.normal(0, 0.01, (3, h, w)).astype(np.float32)
    return np.ascontiguousarray(np.clip(picture, 0.0, 1.0), dtype=np.float32)


def edge_matte(size: tuple[int, int], seed: int) -> AffineMatte:
    """Background, person and soft alpha, each on a part of the nodes."""
    model = matte(size, seed)
    rng = np.random.default_rng(seed + 1)
    model.b[3] += rng.choice([-3.0, 0.0, 3.0], size).astype(np.float32)
    return model


def nodes(size: tuple[int, int]) -> Size:
    return Size(size[1], size[0])


def alpha_of(edge: native.PersonEdge, image: Image, window: Window | None = None) -> Tensor:
    out = np.empty((image.format.height, image.format.width), np.float32)
    edge.alpha(image, out, window=window)
    return out


def own_alpha(image: Image, model: AffineMatte, levels: Levels = native.UNCHANGED) -> Tensor:
    out = np.empty((image.format.height, image.format.width), np.float32)
    native.alpha(image, model, out, levels=levels)
    return out


@settings(max_examples=80)
@given(source=formats(SOURCES), target=formats(TARGETS), size=LOW_SIZES, controls=CONTROLS, seed=SEEDS, padding=PADDING)
def test_it_is_what_its_words_say(
    source: VideoFormat, target: VideoFormat, size: tuple[int, int], controls: MatteControls, seed: int, padding: int
) -> None:
    target = target.resized(source.size)
    image, background = smooth(source, seed), noise(target, seed + 1, padding)
    levels = Levels(0.02, 0.97)
    edge = native.PersonEdge(nodes(size))
    state: reference.State | None = None
    for step in range(3):
        model, small = edge_matte(size, seed + step), small_picture(size, seed)
        small += np.float32(0.012 * step)
        edge.prepare(small, model, controls, levels=levels)
        frame = reference.Frame(as_floats(small), as_floats(model.a), as_floats(model.b), levels)
        state = reference.follow(frame, state if controls.smoothing else None, controls.smoothing)
    assert state is not None
    wanted = reference.corrected(image, frame, state, controls)
    np.testing.assert_allclose(alpha_of(edge, image), wanted[0], atol=2e-3)
    out = blank(target, padding)
    edge.compose(image, background, out)
    planes = reference.composed(image, wanted, background)
    if target.pixel_format == PixelFormat.YUYV and source.width % 2:
        out[0][:, -2] = planes[0][:, -2]  # the second luma of the last pair is padding: no pixel
    for got, plane in zip(out, planes, strict=True):
        assert np.abs(got.astype(int) - plane.astype(int)).max() <= 1


def test_a_window_of_the_matte_is_cut_out_of_everything() -> None:
    model, small = edge_matte((18, 32), 5), small_picture((18, 32), 5)
    window = Window(3.5, 2.25, 20.0, 12.0)
    image = smooth(VideoFormat(PixelFormat.I444, 61, 47), 5)
    edge = native.PersonEdge(Size(32, 18))
    edge.prepare(small, model, ALL)
    frame = reference.Frame(as_floats(small), as_floats(model.a), as_floats(model.b), window=window)
    wanted, _ = reference.corrected(image, frame, reference.follow(frame, None, 1.0), ALL)
    np.testing.assert_allclose(alpha_of(edge, image, window), wanted, atol=2e-3)


@settings(max_examples=100)
@given(size=LOW_SIZES, controls=CONTROLS, seed=SEEDS, past=st.sampled_from(("person", "noise", "not a number")))
def test_nothing_is_uncovered_that_this_frame_covers(
    size: tuple[int, int], controls: MatteControls, seed: int, past: str
) -> None:
    """Where the frame's own alpha is 0, the bytes are the background's, whatever came before."""
    small = small_picture(size, seed)
    before = matte(size, alpha=1.0) if past == "person" else edge_matte(size, seed + 7)
    if past == "not a number":
        before.b[3, 0, 0] = np.nan
    edge = native.PersonEdge(nodes(size))
    edge.prepare(small, before, controls)
    model = edge_matte(size, seed)
    edge.prepare(small, model, controls)
    image, background = noise(RGB, seed), noise(RGB, seed + 1)
    out, plain = blank(RGB), blank(RGB)
    edge.compose(image, background, out)
    native.compose(image, model, background, plain)
    own = own_alpha(image, model)
    got, under, over = (planes[0].reshape(24, 40, 3) for planes in (out, background.planes, plain))
    np.testing.assert_array_equal(got[own == 0.0], under[own == 0.0])
    np.testing.assert_array_equal(got[own == 1.0], over[own == 1.0])
    corrected = alpha_of(edge, image)
    assert (corrected[own == 0.0] == 0.0).all()
    assert (corrected[own == 1.0] == 1.0).all()


@settings(max_examples=30)
@given(source=formats(SOURCES), target=formats(TARGETS), size=LOW_SIZES, seed=SEEDS)
def test_without_controls_it_is_compose_to_the_bit(
    source: VideoFormat, target: VideoFormat, size: tuple[int, int], seed: int
) -> None:
    target = target.resized(source.size)
    image, model, background = noise(source, seed), edge_matte(size, seed), noise(target, seed + 1)
    edge = native.PersonEdge(nodes(size))
    edge.prepare(small_picture(size, seed), model, MatteControls())
    out, plain = blank(target), blank(target)
    edge.compose(image, background, out)
    native.compose(image, model, background, plain)
    for got, wanted in zip(out, plain, strict=True):
        np.testing.assert_array_equal(got, wanted)


def step_matte(size: tuple[int, int], alpha: float) -> AffineMatte:
    return matte(size, alpha=alpha)


def test_where_nothing_moves_alpha_follows_slowly() -> None:
    size, image = (9, 16), smooth(RGB)
    edge, small = native.PersonEdge(Size(16, 9)), small_picture((9, 16), 1)
    seen = []
    for alpha in (0.4, 0.6, 0.6, 0.6):
        edge.prepare(small, step_matte(size, alpha), MatteControls(smoothing=1.0))
        seen.append(float(alpha_of(edge, image).mean()))
    assert seen == pytest.approx([0.4, 0.42, 0.438, 0.4542], abs=1e-4)


def test_what_moves_is_followed_at_once_and_only_there() -> None:
    size, image = (18, 32), smooth(VideoFormat(PixelFormat.RGB24, 64, 36))
    edge, small = native.PersonEdge(Size(32, 18)), small_picture(size, 1)
    controls = MatteControls(smoothing=1.0)
    edge.prepare(small, step_matte(size, 0.4), controls)
    moved = small.copy()
    moved[:, :, :8] = 1.0 - moved[:, :, :8] + np.float32(0.2)
    edge.prepare(moved, step_matte(size, 0.6), controls)
    alpha = alpha_of(edge, image)
    assert alpha[:, :14] == pytest.approx(0.6, abs=1e-5)
    assert alpha[:, 22:] == pytest.approx(0.42, abs=1e-5)


@pytest.mark.parametrize("before", [1, 2])
@pytest.mark.parametrize("forget", ["reset", "a frame without smoothing"])
def test_what_was_forgotten_never_returns(forget: str, before: int) -> None:
    size, image = (9, 16), smooth(RGB)
    edge, small = native.PersonEdge(Size(16, 9)), small_picture((9, 16), 1)
    controls = MatteControls(smoothing=1.0)
    for _ in range(before):
        edge.prepare(small, step_matte(size, 0.4), controls)
    if forget == "reset":
        edge.reset()
    else:
        edge.prepare(small, step_matte(size, 0.1), MatteControls(refine=1.0))
    for alpha in (0.6, 0.6):
        edge.prepare(small, step_matte(size, alpha), controls)
        np.testing.assert_array_equal(alpha_of(edge, image), own_alpha(image, step_matte(size, 0.6)))


def test_a_matte_that_was_no_number_is_left_behind() -> None:
    size, image = (9, 16), smooth(RGB)
    edge, small = native.PersonEdge(Size(16, 9)), small_picture((9, 16), 1)
    broken = small.copy()
    broken[1, 4, 4] = np.nan
    controls = MatteControls(smoothing=1.0)
    edge.prepare(broken, step_matte(size, 0.3), controls)
    for _ in range(2):
        edge.prepare(small, step_matte(size, 0.6), controls)
        assert np.isfinite(alpha_of(edge, image)).all()


def test_refinement_finds_coverage_in_the_colour() -> None:
    """A red room and a blue person: a mask that is unsure all along the seam becomes the colour's own share."""
    h, w = 36, 64
    share = np.clip((np.arange(w) - 29) / 4.0, 0.0, 1.0)
    red, blue = np.array([0.8, 0.1, 0.1]), np.array([0.1, 0.2, 0.9])
    row = red + share[:, None] * (blue - red)
    picture = np.broadcast_to((255 * row).round().astype(np.uint8), (h, w, 3)).reshape(h, 3 * w).copy()
    fmt = VideoFormat(PixelFormat.RGB24, w, h)
    image = Image((picture,), fmt, noise(fmt).stamp)
    model = matte((h, w), alpha=0.0)
    model.b[3] = np.clip((np.arange(w) - 26) / 11.0, 0.0, 1.0)
    small = np.zeros((3, h, w), np.float32)
    native.sample(image, small)
    edge = native.PersonEdge(Size(w, h))
    edge.prepare(small, model, MatteControls(refine=1.0))
    before, after = own_alpha(image, model), alpha_of(edge, image)
    seam = slice(26, 38)
    assert np.abs(before - share)[:, seam].mean() > 0.08
    assert np.abs(after - share)[:, seam].mean() < 0.03


def test_despill_solves_for_the_foreground() -> None:
    """The true alpha over a wall of one colour: what comes out has nothing of the wall in it."""
    h, w = 36, 64
    share = np.clip((np.arange(w) - 28) / 8.0, 0.0, 1.0)
    wall, hair = np.array([0.9, 0.15, 0.1]), np.array([0.25, 0.2, 0.1])
    row = wall + share[:, None] * (hair - wall)
    picture = np.broadcast_to((255 * row).round().astype(np.uint8), (h, w, 3)).reshape(h, 3 * w).copy()
    fmt = VideoFormat(PixelFormat.RGB24, w, h)
    image, black = Image((picture,), fmt, noise(fmt).stamp), Image((np.zeros_like(picture),), fmt, noise(fmt).stamp)
    model = matte((h, w), alpha=0.0)
    model.b[3] = share
    small = np.zeros((3, h, w), np.float32)
    native.sample(image, small)
    errors: list[float] = []
    for despill in (0.0, 1.0):
        edge, out = native.PersonEdge(Size(w, h)), blank(fmt)
        edge.prepare(small, model, MatteControls(despill=despill))
        edge.compose(image, black, out)
        wanted = 255.0 * share[:, None] * hair
        errors.append(float(np.abs(out[0].reshape(h, w, 3) - wanted)[:, 28:37].mean()))
    assert errors[0] > 8.0
    assert errors[1] < errors[0] / 3.0


@pytest.mark.parametrize("isa", native.isas())
def test_instruction_sets_agree(isa: str) -> None:
    size, fmt = (27, 48), VideoFormat(PixelFormat.I420, 131, 73)
    image, target = smooth(fmt, 3), VideoFormat(PixelFormat.YUYV, 131, 73)
    background = noise(target, 4)
    best = native.isa()

    def run() -> tuple[npt.NDArray[np.uint8], Tensor]:
        edge, out = native.PersonEdge(Size(48, 27)), blank(target)
        for seed in (3, 4):
            edge.prepare(small_picture(size, 3), edge_matte(size, seed), ALL)
        edge.compose(image, background, out)
        return out[0], alpha_of(edge, image)

    wanted = run()
    try:
        native.select_isa(isa)
        got = run()
    finally:
        native.select_isa(best)
    assert np.abs(got[0].astype(int) - wanted[0].astype(int)).max() <= 1
    np.testing.assert_allclose(got[1], wanted[1], atol=1e-3)


def test_wrong_arguments_are_named() -> None:
    edge = native.PersonEdge(Size(16, 9))
    small, model = small_picture((9, 16), 1), matte((9, 16))
    with pytest.raises(RuntimeError, match="prepare"):
        alpha_of(edge, smooth(RGB))
    with pytest.raises(ValueError, match="small: expected 16x9"):
        edge.prepare(small_picture((9, 15), 1), model, ALL)
    with pytest.raises(ValueError, match="matte: expected 16x9"):
        edge.prepare(small, matte((8, 16)), ALL)
    with pytest.raises(TypeError, match="small"):
        edge.prepare(small.astype(np.float64), model, ALL)
    for strength in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="strengths"):
            edge.prepare(small, model, MatteControls(refine=strength))
    with pytest.raises(ValueError, match="size"):
        native.PersonEdge(Size(0, 9))

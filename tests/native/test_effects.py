"""The matte grown and shrunk, and the light around the person: against NumPy, and what they must never do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.native import reference
from tests.native.pictures import LOW_SIZES, SEEDS, as_floats, matte, noise
from tests.native.reference import Array
from vcam import native
from vcam.frame import AffineMatte, Levels, PixelFormat, Size, Tensor, VideoFormat
from vcam.native.effects import MatteGrower, SurroundingLight

FAINT = Levels(2.0 / 255.0, 253.0 / 255.0)
HEIGHT, WIDTH = 54, 96
SEEN = VideoFormat(PixelFormat.RGB24, 4 * WIDTH, 4 * HEIGHT)


def small_picture(size: tuple[int, int], seed: int) -> Tensor:
    return np.random.default_rng(seed).uniform(0.0, 1.0, (3, *size)).astype(np.float32)


def disc(radius: float) -> tuple[Tensor, AffineMatte]:
    """A picture, and the matte of a disc with a soft edge of a node."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    model = matte((HEIGHT, WIDTH), alpha=0.0)
    model.b[3] = np.clip(radius + 0.5 - np.hypot(y - HEIGHT / 2, x - WIDTH / 2), 0.0, 1.0)
    return small_picture((HEIGHT, WIDTH), 1), model


def alpha_of(small: Tensor, model: AffineMatte, levels: Levels = FAINT) -> Array:
    raw = as_floats(model.a[3]) * as_floats(small).mean(axis=0) + as_floats(model.b[3])
    alpha: Array = np.clip((raw - levels.black) / (levels.white - levels.black), 0.0, 1.0)
    return alpha


def moved(alpha: Array, strength: float) -> Array:
    """grow.h by looking at every pair of nodes."""
    height, width = alpha.shape
    radius = abs(strength) * 0.03 * max(height, width)
    seeds = 1.0 - alpha if strength < 0.0 else alpha
    reach = seeds.copy()
    span = int(np.sqrt(2.0) * radius)
    padded = np.pad(seeds, span, constant_values=-np.inf)
    for dy in range(-span, span + 1):
        for dx in range(-span, span + 1):
            fall = (dy * dy + dx * dx) / (2.0 * radius * radius) if dy or dx else 0.0
            reach = np.maximum(reach, padded[span + dy :, span + dx :][:height, :width] - fall)
    to = np.clip(0.5 + max(1.0, radius / 1.5) * (reach - 0.5), 0.0, 1.0)
    result: Array = np.minimum(alpha, 1.0 - to) if strength < 0.0 else np.maximum(alpha, to)
    return result


@settings(max_examples=60)
@given(size=LOW_SIZES, seed=SEEDS, strength=st.floats(-1.0, 1.0).filter(lambda each: abs(each) > 1e-3))
def test_alpha_at_each_node_moves_as_the_reference(size: tuple[int, int], seed: int, strength: float) -> None:
    small, model = small_picture(size, seed), matte(size, seed)
    own = alpha_of(small, model)
    wanted = moved(own, strength)
    got = MatteGrower(Size(size[1], size[0])).grow(small, model, strength, FAINT)
    alpha = alpha_of(small, got, Levels())
    whole = np.abs(wanted - own) > 0.2501 * (own if strength < 0.0 else 1.0 - own)
    if strength > 0.0:
        np.testing.assert_allclose(alpha[whole], wanted[whole], atol=1e-4)
        assert (alpha >= own - 1e-4).all()
    else:
        assert (alpha[whole] <= wanted[whole] + 1e-4).all()
        assert (alpha <= own + 1e-6).all()
    still = wanted == own
    np.testing.assert_allclose(alpha[still], own[still], atol=1e-4)
    np.testing.assert_array_equal(got.a[:3], model.a[:3])
    np.testing.assert_array_equal(got.b[:3], model.b[:3])


@pytest.mark.parametrize("strength", [-1.0, -0.5, 0.5, 1.0])
def test_a_disc_becomes_another_disc(strength: float) -> None:
    """By the radius that is asked for, in all directions."""
    small, model = disc(14.0)
    got = alpha_of(small, MatteGrower(Size(WIDTH, HEIGHT)).grow(small, model, strength, FAINT), Levels())
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    away = np.hypot(y - HEIGHT / 2, x - WIDTH / 2)
    edge = 14.0 + strength * 0.03 * WIDTH
    assert (got[away < edge - 2.1] > 0.98).all()
    assert (got[away > edge + 2.1] == 0.0).all()


@settings(max_examples=60)
@given(low=LOW_SIZES, seed=SEEDS, strength=st.floats(-1.0, 0.0, exclude_max=True))
def test_a_smaller_person_uncovers_no_pixel(low: tuple[int, int], seed: int, strength: float) -> None:
    """Alpha of every pixel of the picture is at most the matte's own, whatever the picture shows there."""
    image, model = noise(SEEN, seed), matte(low, seed)
    small = np.zeros((3, *low), np.float32)
    native.sample(image, small)
    own, less = (np.zeros((SEEN.height, SEEN.width), np.float32) for _ in range(2))
    native.alpha(image, model, own, levels=FAINT)
    shrunk = MatteGrower(Size(low[1], low[0])).grow(small, model, strength, FAINT)
    native.alpha(image, shrunk, less)
    assert (less <= own + 1e-5).all()
    assert (less[own == 0.0] <= 1e-5).all()


def test_what_shall_be_gone_is_exactly_gone() -> None:
    small, model = disc(1.0)
    got = MatteGrower(Size(WIDTH, HEIGHT)).grow(small, model, -1.0, FAINT)
    assert (got.b[3] < 0.0).all()
    assert (got.a[3] + got.b[3] < 0.0).all()


@pytest.mark.parametrize("strength", [-0.7, 0.7])
def test_a_node_that_is_no_number_stays_covered(strength: float) -> None:
    small, model = disc(14.0)
    model.b[3, 5, 7] = np.nan
    got = MatteGrower(Size(WIDTH, HEIGHT)).grow(small, model, strength, FAINT)
    assert not got.b[3, 5, 7] > 0.0
    assert np.isnan(got.b[3]).sum() <= 1


@pytest.mark.parametrize("isa", native.isas())
def test_every_instruction_set_grows_and_lights_alike(isa: str) -> None:
    before = native.isa()
    small, model = small_picture((33, 61), 3), matte((33, 61), 4)
    image, background = noise(SEEN, 1), noise(SEEN, 2)
    window = native.Window(61.0, 3.0, -40.0, 27.0)
    grown, lights = [], []
    try:
        for name in (before, isa):
            native.select_isa(name)
            grown.append(MatteGrower(Size(61, 33)).grow(small, model, 0.8, FAINT).b)
            lights.append(SurroundingLight(SEEN.size).gather(image, background, model, FAINT, window))
    finally:
        native.select_isa(before)
    np.testing.assert_allclose(grown[0], grown[1], atol=1e-5)
    np.testing.assert_allclose(lights[0], lights[1], atol=1e-5)


@settings(max_examples=30)
@given(seed=SEEDS, mirrored=st.booleans())
def test_light_is_the_background_where_nobody_is_spread_around(seed: int, *, mirrored: bool) -> None:
    image, background, model = noise(SEEN, seed), noise(SEEN, seed + 1), matte((18, 32), seed)
    window = native.Window(30.0, 1.0, -28.0, 16.0) if mirrored else native.Window(1.0, 1.0, 28.0, 16.0)
    got = SurroundingLight(SEEN.size).gather(image, background, model, FAINT, window)
    rows, columns = got.shape[1:]
    assert max(rows, columns) == 160
    seen, behind = np.zeros_like(got), np.zeros_like(got)
    native.sample(image, seen)
    native.sample(background, behind)
    a, b = (reference.resized(as_floats(part), rows, columns, window) for part in (model.a, model.b))
    raw = a[3] * as_floats(seen).mean(axis=0) + b[3]
    alpha = np.clip((raw - FAINT.black) / (FAINT.white - FAINT.black), 0.0, 1.0)
    wanted = (1.0 - alpha) * as_floats(behind)
    for axis in (1, 2):
        for _ in range(3):
            wanted = _box(wanted, (0.02 * 160) ** 2 / 3.0, axis)
    np.testing.assert_allclose(got, np.clip(wanted, 0.0, 1.0), atol=2e-4)


def test_nobody_is_lit_by_a_background_they_hide() -> None:
    image, background = noise(SEEN, 1), noise(SEEN, 2)
    light = SurroundingLight(SEEN.size)
    whole = native.Window(0.0, 0.0, 32.0, 18.0)
    assert light.gather(image, background, matte((18, 32), alpha=1.0), FAINT, whole).max() == 0.0
    assert light.gather(image, background, matte((18, 32), alpha=0.0), FAINT, whole).min() > 0.05


def test_what_does_not_fit_is_refused() -> None:
    small, model = disc(5.0)
    with pytest.raises(ValueError, match="small: expected 96x54"):
        MatteGrower(Size(WIDTH, HEIGHT)).grow(small[:, :20].copy(), model, 0.5, FAINT)
    with pytest.raises(ValueError, match="rows: expected 96x54"):
        MatteGrower(Size(WIDTH, 20)).grow(small, model, 0.5, FAINT)
    with pytest.raises(ValueError, match="strength: expected -1 to 1"):
        MatteGrower(Size(WIDTH, HEIGHT)).grow(small, model, 1.5, FAINT)


def _box(values: Array, variance: float, axis: int) -> Array:
    """blur_plan.h's Box; zeros beyond the border."""
    radius = int((np.sqrt(1.0 + 12.0 * variance) - 1.0) / 2.0)
    share = (2 * radius + 1) * (variance - radius * (radius + 1) / 3.0) / (2.0 * ((radius + 1) ** 2 - variance))
    weights = np.array([share, *[1.0] * (2 * radius + 1), share])
    weights /= weights.sum()
    return np.apply_along_axis(lambda line: np.convolve(line, weights, mode="same"), axis, values)

"""The plate engine on the drawn scene, whose alpha is known, and on what a real room does to it."""

import logging
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tests.support.affine import full_alpha
from tests.support.sampling import gray, small_rgb
from vcam.engines.plate import PlateEngine
from vcam.errors import MatteInvalidError
from vcam.frame import AffineMatte, Plane, Size, Stamp, Tensor
from vcam.sources.test_scene import TestScene
from vcam.stages import MattingEngine

FPS = 10
PICTURE, SMALL = Size(640, 360), Size(160, 90)
LEARNED, MIDDLE = 19, 45
"""The last frame of the empty room; a frame with the figure in the middle."""

Change = Callable[[Plane], Plane]


class _Shown:
    """The scene as the engine sees it; each small picture is made once."""

    def __init__(self) -> None:
        self.scene = TestScene(PICTURE, FPS)
        self._small: dict[int, Tensor] = {}

    def small(self, sequence: int) -> Tensor:
        if sequence not in self._small:
            self._small[sequence] = small_rgb(self.scene.picture(sequence), SMALL)
        return self._small[sequence]

    def learn(self, engine: PlateEngine, sequence: int = 0) -> None:
        """Show the empty room for its two seconds, stamped from ``sequence`` on."""
        for step in range(LEARNED + 1):
            _matte(engine, self.small(step), sequence + step)
        assert not engine.learning

    def error(self, engine: PlateEngine, sequence: int, change: Change | None = None) -> float:
        """Mean absolute error of alpha at full size."""
        picture = self.scene.picture(sequence)
        alpha = _alpha(engine, picture if change is None else change(picture), sequence)
        return float(np.abs(alpha - self.scene.alpha(sequence)).mean())


@pytest.fixture(scope="module")
def shown() -> _Shown:
    return _Shown()


@pytest.fixture
def engine() -> Iterator[PlateEngine]:
    with PlateEngine(SMALL) as engine:
        yield engine


def _matte(engine: PlateEngine, small: Tensor, sequence: int) -> AffineMatte:
    return engine.matte(small, Stamp(sequence * 1_000_000_000 // FPS, sequence))


def _alpha(engine: PlateEngine, picture: Plane, sequence: int) -> Tensor:
    matte = _matte(engine, small_rgb(picture, SMALL), sequence)
    return full_alpha(matte.a, matte.b, gray(picture))


def _anybody(engine: PlateEngine, small: Tensor, sequence: int) -> bool:
    matte = _matte(engine, small, sequence)
    return bool(matte.a.any() or matte.b.any())


def _brightened(by: float) -> Change:
    return lambda picture: np.clip(picture * by, 0, 255).astype(np.uint8)


def _shaded(small: Tensor, share: float) -> Tensor:
    """Darker by ``share`` around one place of the wall."""
    y, x = np.mgrid[: SMALL.height, : SMALL.width]
    shaded: Tensor = (small * (1.0 - share * np.exp(-((x - 75) ** 2 + (y - 37) ** 2) / (2 * 15.0**2)))).astype(
        np.float32
    )
    return shaded


def test_follows_the_known_alpha_of_the_scene(engine: PlateEngine, shown: _Shown) -> None:
    shown.learn(engine)
    errors = [shown.error(engine, sequence) for sequence in range(LEARNED, 140, 4)]
    assert max(errors) < 0.01
    assert np.mean(errors) < 0.006


def test_shows_nobody_while_it_learns(engine: PlateEngine, shown: _Shown) -> None:
    assert engine.learning
    assert not any(_anybody(engine, shown.small(sequence), sequence) for sequence in range(30, 45))


def test_does_not_learn_a_person_who_moves(
    engine: PlateEngine, shown: _Shown, caplog: pytest.LogCaptureFixture
) -> None:
    for sequence in range(60, 110):
        _matte(engine, shown.small(sequence), sequence)
    assert engine.learning
    assert [record.message for record in caplog.records].count("plate.disturbed") == 1
    for sequence in range(135, 140 + LEARNED):
        _matte(engine, shown.small(sequence), sequence)
    assert shown.error(engine, 140 + MIDDLE) < 0.01


def test_learn_starts_again(engine: PlateEngine, shown: _Shown) -> None:
    shown.learn(engine)
    engine.learn()
    assert not _anybody(engine, shown.small(MIDDLE), MIDDLE)
    shown.learn(engine, MIDDLE + 1)
    assert shown.error(engine, 140 + MIDDLE) < 0.01


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_brightened(0.75), id="the light is dimmed at once"),
        pytest.param(_brightened(1.15), id="the camera raises its exposure"),
        pytest.param(
            lambda picture: np.clip(picture * [1.08, 1.0, 0.9], 0, 255).astype(np.uint8), id="white balance drifts"
        ),
        pytest.param(
            lambda picture: np.clip(picture + np.random.default_rng(1).normal(0, 4, picture.shape), 0, 255).astype(
                np.uint8
            ),
            id="more noise than was learned",
        ),
    ],
)
def test_bears_a_change_of_the_whole_picture(engine: PlateEngine, shown: _Shown, change: Change) -> None:
    shown.learn(engine)
    errors = [shown.error(engine, sequence, change) for sequence in (MIDDLE, MIDDLE + 1, MIDDLE + 20)]
    assert max(errors) < 0.012


def test_a_shadow_on_the_wall_is_no_person(engine: PlateEngine, shown: _Shown) -> None:
    shown.learn(engine)
    assert not _anybody(engine, _shaded(shown.small(LEARNED), 0.18), LEARNED + 1)
    assert _anybody(engine, _shaded(shown.small(LEARNED), 0.6), LEARNED + 2), "what is darker than a shadow is somebody"


def test_slow_light_is_followed_where_nobody_is(engine: PlateEngine, shown: _Shown) -> None:
    """A shadow grows over a minute, far darker than shadows are in the end, and is never taken for a person."""
    shown.learn(engine)
    dark = shown.small(0)
    for step in range(120):
        dark = _shaded(shown.small(step % LEARNED), 0.5 * step / 120)
        assert not _anybody(engine, dark, LEARNED + 1 + 5 * step)
    with PlateEngine(SMALL) as other:
        shown.learn(other)
        assert _anybody(other, dark, LEARNED + 1), "at once, it would be seen"


def test_a_person_who_stays_is_not_learned(engine: PlateEngine, shown: _Shown) -> None:
    shown.learn(engine)
    for step in range(60):
        _matte(engine, shown.small(MIDDLE), MIDDLE + 10 * step)
    assert shown.error(engine, MIDDLE) < 0.01


@pytest.mark.parametrize("shift", [(0, 1), (2, 0), (10, 25)])
def test_a_camera_that_was_moved_shows_nothing_and_is_learned_again(
    engine: PlateEngine, shown: _Shown, shift: tuple[int, int], caplog: pytest.LogCaptureFixture
) -> None:
    shown.learn(engine)
    caplog.clear()
    with caplog.at_level(logging.INFO, "vcam.engines.plate"):
        for step in range(60):
            moved = np.roll(shown.small(step % LEARNED), shift, (1, 2))
            assert not _anybody(engine, moved, LEARNED + 1 + step), "the room"
    messages = [record.message for record in caplog.records]
    assert messages == ["plate.lost", "plate.learning", "plate.learned"]
    assert _anybody(engine, np.roll(shown.small(MIDDLE), shift, (1, 2)), 100)


def test_reset_keeps_what_still_fits_and_shows_nobody_before_another_room(engine: PlateEngine, shown: _Shown) -> None:
    shown.learn(engine)
    engine.reset()
    assert shown.error(engine, MIDDLE) < 0.01
    engine.reset()
    other = TestScene(PICTURE, FPS, seed=9, room=(90, 140, 90))
    small = small_rgb(other.picture(MIDDLE), SMALL)
    assert not any(_anybody(engine, small, MIDDLE + 1 + step) for step in range(10))


def test_refuses_pixels_that_are_not_numbers_and_goes_on(engine: PlateEngine, shown: _Shown) -> None:
    shown.learn(engine)
    small = shown.small(MIDDLE).copy()
    small[1, 3, 3] = np.nan
    with pytest.raises(MatteInvalidError, match="not finite") as caught:
        _matte(engine, small, MIDDLE)
    assert caught.value.hint
    assert shown.error(engine, MIDDLE) < 0.01


def test_an_empty_room_is_cleaned_of_islands_and_a_person_of_holes(engine: PlateEngine, shown: _Shown) -> None:
    shown.learn(engine)
    specks = shown.scene.picture(LEARNED)
    specks[50:56, 200:206] = (255, 0, 255)
    assert not _anybody(engine, small_rgb(specks, SMALL), LEARNED + 1)
    holed = shown.scene.picture(MIDDLE)
    holed[300:306, 300:306] = shown.scene.room()[300:306, 300:306]
    assert shown.scene.alpha(MIDDLE)[300:306, 300:306].min() == 1.0
    assert _alpha(engine, holed, MIDDLE)[300:306, 300:306].min() > 0.95


def test_clothes_like_the_room_in_another_brightness_are_clothes(engine: PlateEngine, shown: _Shown) -> None:
    """A patch of 24x24 pixels, far above the size of noise, of the wall's colour but fifteen percent darker."""
    shown.learn(engine)
    inside = np.s_[280:304, 300:324]
    patched = shown.scene.picture(MIDDLE)
    assert shown.scene.alpha(MIDDLE)[inside].min() == 1.0
    patched[inside] = shown.scene.room()[inside] * 0.85
    assert _alpha(engine, patched, MIDDLE)[inside].min() > 0.95
    patched[inside] = shown.scene.room()[inside]
    assert _alpha(engine, patched, MIDDLE + 1)[288:296, 308:316].mean() < 0.1, "a gap through which the room shows"


def test_bears_the_stamp_and_says_what_it_is(engine: PlateEngine, shown: _Shown) -> None:
    as_protocol: MattingEngine = engine
    stamp = Stamp(7, 3, 2)
    assert as_protocol.matte(shown.small(0), stamp).stamp == stamp
    assert as_protocol.input_size == SMALL
    info = as_protocol.info
    assert (info.engine, info.model, info.precision, info.device) == ("plate", "plate", "fp32", "cpu")


def test_closing_twice_is_harmless_and_opening_again_learns_anew(shown: _Shown) -> None:
    engine = PlateEngine(SMALL)
    with engine:
        shown.learn(engine)
    engine.__exit__(None, None, None)
    with engine:
        assert engine.learning

"""What the corrections of the edge are good for, in figures: scenes whose alpha is known, three kinds of engine.

Errors are along the edge: of alpha in thousandths, of the composed picture in levels of 255. Limits stand a fifth or
more away from what was measured, which is beside them.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from tests.support.edges import (
    BLACK,
    FPS,
    GREEN,
    SIZE,
    WHITE,
    Corrector,
    Shot,
    alpha_error,
    coarse_shots,
    colour_error,
    flicker,
    noisy,
    picture,
    sampled,
)
from tests.support.real_model import real_model
from vcam.engines.plate import PlateEngine
from vcam.engines.rvm_openvino import OpenVinoEngine
from vcam.frame import AffineMatte, Plane, Size
from vcam.model.prepare import PrepareOptions, prepare
from vcam.sources.canvas import Rgb
from vcam.sources.test_scene import TestScene
from vcam.stages import MatteControls, MattingEngine

INTERNAL = Size(160, 90)
OFF, SMOOTH = MatteControls(), MatteControls(smoothing=0.8)
REFINE, DESPILL = MatteControls(refine=1.0), MatteControls(despill=1.0)
BOTH = MatteControls(refine=1.0, despill=1.0)
BACKDROPS = (GREEN, BLACK, WHITE)
RED_WALL: Rgb = (190, 40, 40)
BLACK_WALL: Rgb = (10, 10, 10)


@pytest.fixture(scope="module")
def scene() -> TestScene:
    """The figure, with hair, before a room full of things, with a little noise."""
    return TestScene(SIZE, FPS)


@pytest.fixture(scope="module")
def truths() -> dict[Rgb, TestScene]:
    """The same figure before what the outputs show: what a perfect matte gives."""
    return {colour: TestScene(SIZE, FPS, room=colour) for colour in BACKDROPS}


def errors(
    shots: list[Shot], controls: MatteControls, truths: dict[Rgb, TestScene] | None = None
) -> tuple[float, float]:
    """Means over the second half of the shots: of alpha, and of the picture over each backdrop."""
    corrector = Corrector(_size(shots), controls)
    alphas, colours = [], []
    for index, shot in enumerate(shots):
        measured = index >= len(shots) // 2
        result = corrector.correct(shot, tuple(truths or ()) if measured else ())
        if not measured:
            continue
        alphas.append(alpha_error(shot, result.alpha))
        for composed, truth in zip(result.composed, (truths or {}).values(), strict=True):
            colours.append(colour_error(shot, composed, truth.picture(shot.image.stamp.sequence)))
    return float(np.mean(alphas)), float(np.mean(colours)) if colours else 0.0


def unrest(shots: list[Shot], controls: MatteControls) -> float:
    """Flicker over the second half of shots in which nothing moves."""
    corrector = Corrector(_size(shots), controls)
    alphas = [corrector.correct(shot).alpha for shot in shots][len(shots) // 2 :]
    edge = shots[0].edge
    return float(np.mean([flicker(now, before, edge) for before, now in pairwise(alphas)]))


def _size(shots: list[Shot]) -> Size:
    _, h, w = shots[0].small.shape
    return Size(w, h)


def matted(engine: MattingEngine, frames: Iterator[tuple[int, Plane]], scene: TestScene, at: int | None) -> list[Shot]:
    """What an engine makes of frames; ``at``: the one moment that all of them show."""
    shots = []
    for sequence, rgb in frames:
        image = picture(rgb, sequence)
        small = sampled(image, engine.input_size)
        matte = engine.matte(small, image.stamp)
        alpha = scene.alpha(sequence if at is None else at)
        shots.append(Shot(image, small, AffineMatte(matte.a.copy(), matte.b.copy(), image.stamp), alpha))
    return shots


def moving(scene: TestScene, sequences: range) -> Iterator[tuple[int, Plane]]:
    return ((sequence, scene.picture(sequence)) for sequence in sequences)


def still(scene: TestScene, at: int, count: int, sigma: float, first: int = 0) -> Iterator[tuple[int, Plane]]:
    """One moment again and again, with new noise each time."""
    return ((first + k, noisy(scene.picture(at), sigma, first + k)) for k in range(count))


@pytest.fixture(scope="module")
def coarse(scene: TestScene) -> list[Shot]:
    return list(coarse_shots(scene, range(205, 217), INTERNAL))


@pytest.fixture(scope="module")
def plate(scene: TestScene) -> Iterator[PlateEngine]:
    """Has seen the empty room."""
    with PlateEngine(INTERNAL) as engine:
        matted(engine, moving(scene, range(50)), scene, None)
        assert not engine.learning
        yield engine


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenVinoEngine]:
    core = prepare(PrepareOptions(tmp_path_factory.mktemp("models"), Size(256, 144), real_model()))
    with OpenVinoEngine(core, threads=2) as engine:
        yield engine


def test_refinement_finds_hair_that_a_mask_network_does_not_know(
    coarse: list[Shot], truths: dict[Rgb, TestScene]
) -> None:
    before, after = errors(coarse, OFF, truths), errors(coarse, REFINE, truths)
    assert after[0] < 0.6 * before[0]  # measured: 185 -> 84
    assert after[1] < 0.65 * before[1]  # measured: 22.9 -> 11.4


def test_refinement_helps_the_plate_engine(scene: TestScene, plate: PlateEngine, truths: dict[Rgb, TestScene]) -> None:
    plate.reset()
    shots = matted(plate, moving(scene, range(205, 217)), scene, None)
    before, after = errors(shots, OFF, truths), errors(shots, REFINE, truths)
    assert after[0] < 0.9 * before[0]  # measured: 76.7 -> 59.0
    assert after[1] < 0.9 * before[1]  # measured: 10.6 -> 8.5


def test_despill_takes_the_wall_out_of_refined_hair(coarse: list[Shot], truths: dict[Rgb, TestScene]) -> None:
    wall = list(coarse_shots(TestScene(SIZE, FPS, room=RED_WALL), range(209, 217), INTERNAL))
    alone, refined, both = (errors(wall, controls, truths)[1] for controls in (DESPILL, REFINE, BOTH))
    assert both < 0.93 * refined  # measured: 4.9 -> 4.2
    assert both < 0.5 * alone  # measured: 17.5
    assert errors(coarse, BOTH, truths)[1] < 0.95 * errors(coarse, REFINE, truths)[1]  # measured: 11.4 -> 10.3


def test_despill_is_safe_before_black(truths: dict[Rgb, TestScene]) -> None:
    """A black room has no colour to take out: nothing may turn green, violet or bright."""
    wall = list(coarse_shots(TestScene(SIZE, FPS, room=BLACK_WALL), range(209, 217), INTERNAL))
    assert errors(wall, BOTH, truths)[1] < 1.05 * errors(wall, REFINE, truths)[1]  # measured: 7.5 -> 6.1


@pytest.mark.parametrize("sigma", [2.0, 4.0])
def test_smoothing_calms_the_plate_engine_s_edge(scene: TestScene, plate: PlateEngine, sigma: float) -> None:
    plate.reset()
    shots = matted(plate, still(scene, 225, 16, sigma, first=60), scene, 225)
    assert unrest(shots, SMOOTH) < 0.85 * unrest(shots, OFF)  # measured: 7.5 -> 5.1, 11.5 -> 8.8


def test_smoothing_does_not_lag_behind_motion(scene: TestScene, plate: PlateEngine) -> None:
    plate.reset()
    shots = matted(plate, moving(scene, range(205, 221)), scene, None)
    assert errors(shots, SMOOTH)[0] < 1.03 * errors(shots, OFF)[0]  # measured: 69.3 -> 68.6


def test_figures_of_the_real_network_in_motion(
    scene: TestScene, network: OpenVinoEngine, truths: dict[Rgb, TestScene]
) -> None:
    network.reset()
    shots = matted(network, moving(scene, range(190, 214)), scene, None)
    off, refined, both = (errors(shots, controls, truths) for controls in (OFF, REFINE, BOTH))
    assert refined[0] < 0.75 * off[0]  # measured: 88.9 -> 53.2
    assert refined[1] < 0.8 * off[1]  # measured: 11.6 -> 7.8
    assert both[1] < 0.97 * refined[1]  # measured: 7.1
    assert errors(shots, SMOOTH)[0] < 1.03 * off[0]  # measured: 85.1


def test_figures_of_the_real_network_at_rest(scene: TestScene, network: OpenVinoEngine) -> None:
    network.reset()
    shots = matted(network, still(scene, 225, 32, 2.0), scene, 225)
    off = unrest(shots, OFF)
    assert unrest(shots, SMOOTH) < 0.8 * off  # measured: 2.42 -> 1.61
    assert unrest(shots, REFINE) < 0.85 * off  # measured: 1.67

"""The drawn scene: the same at every run, true to its alpha, and a source as the protocol asks."""

from itertools import pairwise

import numpy as np
import pytest

from vcam.color import decode_matrix
from vcam.errors import DeviceError, EndOfStreamError
from vcam.frame import Matrix, PixelFormat, Plane, Range, Size, split_planes
from vcam.sources.motion import EMPTY_S, LOOP_S, pose
from vcam.sources.pace import Pace
from vcam.sources.test_scene import TestScene, TestSource
from vcam.stages import Source

FPS = 10.0
MIDDLE, WAVING = 42, 65
"""Sequence numbers at which the figure stands in the middle, and waves."""

MARKER = (255, 0, 255)


@pytest.fixture(scope="module")
def scene() -> TestScene:
    return TestScene(Size(160, 90), FPS)


def test_is_the_same_at_every_run_and_follows_its_seed(scene: TestScene) -> None:
    again = TestScene(Size(160, 90), FPS)
    assert np.array_equal(scene.picture(WAVING), again.picture(WAVING))
    other = TestScene(Size(160, 90), FPS, seed=5)
    assert not np.array_equal(scene.room(), other.room())


def test_the_room_is_empty_for_the_first_two_seconds_and_again_in_the_next_loop(scene: TestScene) -> None:
    for sequence in (0, int(EMPTY_S * FPS) - 1, int(LOOP_S * FPS), int(LOOP_S * FPS) - 3):
        assert not scene.alpha(sequence).any()
        assert np.abs(scene.picture(sequence).astype(int) - scene.room()).max() <= 4
    assert scene.alpha(MIDDLE).mean() > 0.2


def test_the_loop_joins_without_a_jump() -> None:
    """Between two frames the figure moves less than a tenth of the picture's height."""
    places = [pose(k / 30.0, 1.4) for k in range(int(LOOP_S * 30) + 1)]
    steps = [abs(b.x - a.x) for a, b in pairwise(places) if a is not None and b is not None]
    assert max(steps) < 0.1
    present = [at.x for at in places if at is not None]
    assert present[0] == pytest.approx(1.4, abs=0.05)
    assert present[-1] == pytest.approx(1.4, abs=0.05)


def test_alpha_is_what_the_picture_was_blended_with() -> None:
    """The same figure before two flat rooms gives two equations for the two unknowns, alpha and colour."""
    dark = TestScene(Size(160, 90), FPS, room=(20, 20, 20))
    light = TestScene(Size(160, 90), FPS, room=(220, 220, 220))
    for sequence in (MIDDLE, WAVING):
        difference = light.picture(sequence).astype(np.float64) - dark.picture(sequence)
        solved = 1.0 - difference / 200.0
        assert np.abs(solved - dark.alpha(sequence)[..., None]).max() < 0.006, "one level of rounding"


def test_the_hand_rises_only_to_wave(scene: TestScene) -> None:
    left_of_the_torso = np.s_[40:60, 40:60]
    assert scene.alpha(WAVING)[left_of_the_torso].max() == pytest.approx(1.0)
    assert scene.alpha(MIDDLE)[left_of_the_torso].max() == 0.0


def test_edges_are_soft_and_hair_is_fine() -> None:
    alpha = TestScene(Size(640, 360), FPS).alpha(MIDDLE)
    soft = np.mean((alpha > 0.05) & (alpha < 0.95))
    assert 0.004 < soft < 0.03


@pytest.mark.parametrize("size", [Size(160, 90), Size(161, 91)])
def test_i420_is_the_picture(size: Size) -> None:
    scene = TestScene(size, FPS)
    rgb = scene.picture(WAVING).astype(np.float32)
    planes = split_planes(scene.i420(WAVING), scene.format)
    decoded = _rgb(planes[0], planes[1], planes[2])
    smooth = np.abs(np.diff(rgb, axis=1)).max(axis=(0, 2)).argsort()[:20]
    assert np.abs(decoded.mean(axis=(0, 1)) - rgb.mean(axis=(0, 1))).max() < 0.15, "no bias"
    assert np.abs(decoded[:, smooth] - rgb[:, smooth]).mean() < 4.0


def test_a_marker_room_is_that_colour_and_nothing_else() -> None:
    scene = TestScene(Size(64, 48), FPS, room=MARKER)
    assert (scene.picture(0) == MARKER).all()
    outside = scene.alpha(MIDDLE) == 0.0
    assert (scene.picture(MIDDLE)[outside] == MARKER).all()
    inside = scene.alpha(MIDDLE) == 1.0
    assert not (scene.picture(MIDDLE)[inside] == MARKER).all(axis=-1).any()


def test_source_delivers_owned_frames_in_order_and_ends(scene: TestScene) -> None:
    source: Source = TestSource(scene, pace=Pace.EVERY_FRAME, frames=3)
    with source:
        frames = [source.read(1.0) for _ in range(3)]
        with pytest.raises(EndOfStreamError):
            source.read(1.0)
    assert [frame.stamp.sequence for frame in frames] == [0, 1, 2]
    assert [frame.stamp.pts_ns for frame in frames] == [0, 100_000_000, 200_000_000]
    assert frames[0].format.pixel_format is PixelFormat.I420
    assert frames[0].format.range is Range.FULL
    for number, frame in enumerate(frames):
        assert np.array_equal(np.asarray(frame.data), scene.i420(number)), "later frames left it alone"


def test_source_starts_again_at_each_opening_and_closes_twice(scene: TestScene) -> None:
    source = TestSource(scene, pace=Pace.EVERY_FRAME, frames=1)
    for _ in range(2):
        with source:
            assert source.read(1.0).stamp.sequence == 0
        source.__exit__(None, None, None)
    with pytest.raises(DeviceError, match="not open"):
        source.read(1.0)


def test_source_in_real_time_follows_the_clock(scene: TestScene) -> None:
    now = [50.0]
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    with TestSource(scene, clock=lambda: now[0], wait=wait) as source:
        stamps = [source.read(1.0).stamp for _ in range(3)]
    assert [stamp.pts_ns for stamp in stamps] == [50_000_000_000, 50_100_000_000, 50_200_000_000]
    assert waits == [pytest.approx(0.1), pytest.approx(0.1)]


def _rgb(y: Plane, u: Plane, v: Plane) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    h, w = y.shape
    full = [plane.repeat(2, axis=0).repeat(2, axis=1)[:h, :w] for plane in (u, v)]
    yuv = np.stack([y, *full, np.ones_like(y)], axis=-1).astype(np.float32)
    rgb: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = yuv @ decode_matrix(Matrix.BT601, Range.FULL).T * 255.0
    return rgb

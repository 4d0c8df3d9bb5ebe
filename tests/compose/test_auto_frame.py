"""The director's window: always inside, always of the output's shape, calm, and never fast."""

import math
from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcam.compose.auto_frame import STIFFNESS, AutoFrame, Box, Shot, Stage, person_box
from vcam.compose.view import framed_window
from vcam.frame import Plane, Size, Stamp
from vcam.looks import Framing

CAMERA = Size(640, 360)
WIDE = Size(1280, 720)
FPS = 30


def alpha(box: Box | None, size: Size = CAMERA) -> Plane:
    plane = np.zeros((size.height, size.width), np.uint8)
    if box is not None:
        plane[round(box.top) : round(box.bottom), round(box.left) : round(box.right)] = 255
    return plane


def resting(stage: Stage) -> AutoFrame:
    """It shows the whole picture."""
    return AutoFrame(stage, stage.whole)


def played(auto: AutoFrame, boxes: Iterable[Box | None], *, fps: float = FPS, begin: int = 0) -> list[Shot]:
    """The shot of each frame; the director looks at every sixth."""
    shots = []
    for k, box in enumerate(boxes, begin):
        auto.advance(Stamp(round(k * 1e9 / fps), k))
        shots.append(auto.shot)
        if k % 6 == 0:
            auto.see(alpha(box, auto.stage.picture))
    return shots


def window(shot: Shot, shape: Size) -> Box:
    half = shot.height * shape.width / shape.height / 2.0
    return Box(shot.x - half, shot.y - shot.height / 2.0, shot.x + half, shot.y + shot.height / 2.0)


boxes = st.builds(
    lambda x, y, w, h: Box(
        x * CAMERA.width, y * CAMERA.height, (x + w * (1 - x)) * CAMERA.width, (y + h * (1 - y)) * CAMERA.height
    ),
    *(st.floats(0.0, 0.9), st.floats(0.0, 0.9), st.floats(0.1, 1.0), st.floats(0.1, 1.0)),
)
shapes = st.sampled_from([WIDE, Size(640, 480), Size(600, 600), Size(360, 640)])
scripts = st.lists(st.tuples(st.none() | boxes, st.integers(1, 90)), min_size=1, max_size=8)


@settings(max_examples=100)
@given(script=scripts, shape=shapes)
def test_it_stays_inside_keeps_its_shape_and_is_never_fast(script: list[tuple[Box | None, int]], shape: Size) -> None:
    stage = Stage(CAMERA, shape)
    shots = played(resting(stage), [box for box, frames in script for _ in range(frames)])
    fastest = STIFFNESS / math.e / FPS
    whole = window(stage.whole, shape)
    for before, shot in zip([stage.whole, *shots], shots, strict=False):
        seen = window(shot, shape)
        assert min(seen.left, seen.top) >= -1e-6
        assert seen.right <= CAMERA.width + 1e-6
        assert seen.bottom <= CAMERA.height + 1e-6
        assert 0.5 - 1e-9 <= shot.height / stage.whole.height <= 1.0 + 1e-9
        assert abs(shot.height - before.height) <= fastest * 0.5 * stage.whole.height + 0.2
        assert abs(shot.x - before.x) <= fastest * (CAMERA.width - (whole.right - whole.left) / 2.0) + 0.2
        assert abs(shot.y - before.y) <= fastest * CAMERA.height * 0.5 + 0.2


@settings(max_examples=100)
@given(box=boxes, shape=shapes)
def test_a_person_who_fits_is_shown_whole_with_room_above(box: Box, shape: Size) -> None:
    stage = Stage(CAMERA, shape)
    best = stage.best(box)
    seen = window(best, shape)
    fits = (box.right - box.left) / 0.86 <= window(stage.whole, shape).right - window(stage.whole, shape).left
    if fits and (box.bottom - box.top) / 0.86 <= stage.whole.height:
        assert stage.shows(best, box)
        assert box.top - seen.top >= min(0.0999 * best.height, box.top) - 1e-6
    assert min(seen.left, seen.top) >= -1e-6
    assert seen.right <= CAMERA.width + 1e-6
    assert seen.bottom <= CAMERA.height + 1e-6


def test_it_goes_to_a_small_person_and_stays_there() -> None:
    box, stage = Box(420, 120, 520, 360), Stage(CAMERA, WIDE)
    shots = played(resting(stage), [box] * 300)
    assert shots[0] == stage.whole
    last = shots[-1]
    assert last == shots[-100]
    assert last == stage.best(box)
    assert last.height == pytest.approx(0.75 * 240 / 0.86), "the picture cuts them, and so may the shot"
    assert (last.x, last.y + last.height / 2.0) == pytest.approx((470 - 67.037, 360), abs=70)


def test_the_way_does_not_depend_on_the_frame_rate() -> None:
    box = Box(420, 120, 520, 360)
    fast, slow = resting(Stage(CAMERA, WIDE)), resting(Stage(CAMERA, WIDE))
    for auto in (fast, slow):
        auto.see(alpha(box))
    for auto, fps in ((fast, 120), (slow, 10)):
        for k in range(fps + 1):
            auto.advance(Stamp(round(k * 1e9 / fps), k))
    for a, b in ((fast.shot.x, slow.shot.x), (fast.shot.y, slow.shot.y), (fast.shot.height, slow.shot.height)):
        assert a == pytest.approx(b, abs=1e-6)


def test_small_movements_change_nothing() -> None:
    auto, rng = resting(Stage(CAMERA, WIDE)), np.random.default_rng(5)
    box = Box(250, 100, 390, 360)
    played(auto, [box] * 240)
    steady = auto.shot
    swaying = [
        Box(box.left + dx, box.top + dy, box.right + dx, box.bottom) for dx, dy in rng.uniform(-8.0, 8.0, (400, 2))
    ]
    assert set(played(auto, swaying, begin=240)) == {steady}


def test_who_leaves_is_not_followed_at_once_and_then_slowly() -> None:
    auto, stage = resting(Stage(CAMERA, WIDE)), Stage(CAMERA, WIDE)
    played(auto, [Box(420, 120, 520, 360)] * 240)
    close = auto.shot
    shots = played(auto, [None] * 900, begin=240)
    assert set(shots[:FPS]) == {close}
    heights = [shot.height for shot in shots]
    assert heights == sorted(heights)
    assert heights[4 * FPS] < 0.95 * stage.whole.height
    assert heights[-1] == pytest.approx(stage.whole.height, rel=0.002)


def test_who_waves_is_not_pumped_in_and_out() -> None:
    """An arm that goes up once a second widens the shot once, and it stays."""
    auto = resting(Stage(CAMERA, WIDE))
    still, waving = Box(260, 160, 380, 360), Box(260, 100, 480, 360)
    played(auto, [still] * 240)
    heights = [shot.height for shot in played(auto, ([waving] * 15 + [still] * 15) * 10, begin=240)]
    assert heights == sorted(heights)
    assert heights[-1] > heights[0] * 1.2


def moving() -> AutoFrame:
    """Half way to somebody, at 1,966,666,666 ns."""
    auto = resting(Stage(CAMERA, WIDE))
    shots = played(auto, [Box(420, 120, 520, 360)] * 60)
    assert shots[-1] != shots[-2]
    return auto


def test_a_gap_is_no_leap() -> None:
    short, long = moving(), moving()
    before = short.shot
    short.advance(Stamp(2_166_666_667, 60))
    long.advance(Stamp(2_966_666_667, 60))
    assert long.shot == short.shot != before


def test_time_that_goes_back_moves_nothing() -> None:
    auto = moving()
    at = auto.shot
    auto.advance(Stamp(1_500_000_000, 45))  # an engine on trial, which is late
    auto.advance(Stamp(5, 0, epoch=1))
    assert auto.shot == at
    auto.advance(Stamp(3_000_000_005, 1, epoch=1))
    after = auto.shot
    assert after != at
    auto.advance(Stamp(5, 2, epoch=1))  # a file that begins again
    assert auto.shot == after
    auto.advance(Stamp(100_000_005, 3, epoch=1))
    assert auto.shot != after


@pytest.mark.parametrize("fraction", [0.0, 0.002])
def test_nobody_and_specks_are_nobody(fraction: float) -> None:
    plane = alpha(None)
    plane[np.random.default_rng(0).random(plane.shape) < fraction] = 255
    assert person_box(plane) is None


def test_specks_beside_a_person_do_not_count() -> None:
    plane = alpha(Box(200, 100, 400, 360))
    plane[5:7, 600:602] = 255
    plane[100:300, 30:34] = 90
    assert person_box(plane) == Box(200, 100, 400, 360)


@pytest.mark.parametrize("turned", [Framing(), Framing(mirror=True), Framing(flip=True), Framing(True, True, 3.0, 1.0)])
@pytest.mark.parametrize("shape", [WIDE, Size(600, 600), Size(360, 640)])
def test_a_shot_is_the_framing_that_shows_it(turned: Framing, shape: Size) -> None:
    stage = Stage(CAMERA, shape)
    for box in (Box(420, 120, 520, 300), Box(0, 0, 80, 90), Box(300, 20, 340, 360)):
        shot = stage.best(box)
        framing = stage.framing(shot, turned)
        assert (framing.mirror, framing.flip) == (turned.mirror, turned.flip)
        shown, seen = framed_window(CAMERA, shape, framing), window(shot, shape)
        left, right = sorted((shown.x, shown.x + shown.width))
        top, bottom = sorted((shown.y, shown.y + shown.height))
        assert (left, top, right, bottom) == pytest.approx((seen.left, seen.top, seen.right, seen.bottom), abs=1e-6)


framings = st.builds(
    Framing, st.booleans(), st.booleans(), st.floats(1.0, 4.0), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0)
)


@settings(max_examples=200)
@given(framing=framings, shape=shapes)
def test_a_framing_as_a_shot_shows_the_same(framing: Framing, shape: Size) -> None:
    """It is what outputs crop, and the way back gives the same again."""
    stage = Stage(CAMERA, shape)
    shot = stage.shot(framing)
    crop, back = (framed_window(CAMERA, shape, each) for each in (framing, stage.framing(shot, framing)))
    assert (shot.x, shot.y) == pytest.approx((crop.x + crop.width / 2.0, crop.y + crop.height / 2.0))
    assert shot.height == pytest.approx(abs(crop.height))
    assert (back.x, back.y, back.width, back.height) == pytest.approx(
        (crop.x, crop.y, crop.width, crop.height), abs=0.11
    )


@settings(max_examples=50)
@given(framing=framings, box=st.none() | boxes)
def test_from_any_zoom_it_comes_to_where_it_always_comes_without_a_leap(framing: Framing, box: Box | None) -> None:
    stage = Stage(CAMERA, WIDE)
    begin = stage.shot(framing)
    shots = played(AutoFrame(stage, begin), [box] * 600)
    assert shots[0] == begin
    most = max(abs(after.height - before.height) for before, after in pairwise(shots))
    assert most < STIFFNESS / math.e / FPS * stage.whole.height
    last = shots[-1]
    assert last.height >= 180.0 - 0.5, "no closer than it would come by itself"
    if person_box(alpha(box)) is None:
        assert (last.x, last.y, last.height) == pytest.approx((320.0, 180.0, 360.0), abs=6.0)

"""From settings to numbers: what each word means, and that none of them uncovers anything."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.native import look_reference
from vcam.colormaps import colors_of
from vcam.compose.cpu import FAINT
from vcam.compose.look import LookNumbers, haunted, matte_levels
from vcam.compose.view import cover_window, framed_window
from vcam.frame import Levels, Size
from vcam.looks import ColorMap, Framing, MatteControls, PersonLook

HD = Size(1280, 720)
SHARE = st.floats(0.0, 1.0)
COLOURS = np.array([[0.0, 0.5, 1.0, 0.8, 0.2], [0.0, 0.5, 1.0, 0.4, 0.6], [0.0, 0.5, 1.0, 0.2, 0.9]])
LUMA = np.array([0.299, 0.587, 0.114])
LOOKS = st.builds(
    PersonLook,
    opacity=SHARE,
    brightness=st.floats(0.0, 2.0),
    contrast=st.floats(0.0, 2.0),
    gamma=st.floats(0.2, 5.0),
    saturation=st.floats(0.0, 2.0),
    temperature=st.floats(-1.0, 1.0),
    colormap=st.sampled_from(ColorMap),
    hologram=SHARE,
    light_wrap=SHARE,
)


def looked(look: PersonLook) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(3, 5): what becomes of COLOURS."""
    return look_reference.looked(LookNumbers(look).at(HD, 0), COLOURS[:, None, :])[:, 0]


def test_a_look_without_wishes_is_plain_and_changes_nothing() -> None:
    numbers = LookNumbers(PersonLook())
    assert numbers.plain
    assert not LookNumbers(PersonLook(opacity=0.9)).plain
    np.testing.assert_allclose(looked(PersonLook()), COLOURS, atol=1e-6)
    assert numbers.ghosts(HD, 0) == ()


def test_each_word_does_what_it_says() -> None:
    grey = LUMA @ COLOURS
    np.testing.assert_allclose(looked(PersonLook(brightness=0.5)), COLOURS / 2, atol=1e-5)
    np.testing.assert_allclose(looked(PersonLook(contrast=0.5)), COLOURS / 2 + 0.25, atol=1e-5)
    np.testing.assert_allclose(looked(PersonLook(saturation=0.0)), np.tile(grey, (3, 1)), atol=1e-5)
    np.testing.assert_allclose(looked(PersonLook(gamma=2.0)), np.sqrt(COLOURS), atol=2e-2)
    np.testing.assert_allclose(looked(PersonLook(gamma=2.0))[:, 1:], np.sqrt(COLOURS)[:, 1:], atol=1e-3)


def test_warmth_moves_red_against_blue_and_keeps_the_brightness_of_greys() -> None:
    warm, cold = looked(PersonLook(temperature=1.0)), looked(PersonLook(temperature=-1.0))
    assert warm[0, 1] > 0.55 > 0.45 > warm[2, 1]
    assert cold[0, 1] < 0.45 < 0.55 < cold[2, 1]
    np.testing.assert_allclose([LUMA @ warm[:, 1], LUMA @ cold[:, 1]], 0.5, atol=1e-5)


@pytest.mark.parametrize("colormap", [each for each in ColorMap if each is not ColorMap.NONE])
def test_a_map_goes_by_brightness(colormap: ColorMap) -> None:
    grey = LUMA @ COLOURS
    wanted = colors_of(colormap)[np.round(255 * grey).astype(int)].T
    np.testing.assert_allclose(looked(PersonLook(colormap=colormap)), wanted, atol=0.03)
    dark = colors_of(colormap)[np.round(255 * grey**2).astype(int)].T
    np.testing.assert_allclose(looked(PersonLook(colormap=colormap, gamma=0.5)), dark, atol=0.04)


@given(LOOKS, st.integers(0, 10**19), st.sampled_from([HD, Size(64, 48), Size(3840, 2160), Size(2, 2)]))
def test_no_look_makes_more_of_the_person_than_there_is(look: PersonLook, pts_ns: int, size: Size) -> None:
    numbers = LookNumbers(look)
    values = numbers.at(size, pts_ns)
    cover = look_reference.cover(values, size.height)
    assert np.isfinite(values).all()
    assert cover.min() >= 0.0
    assert cover.max() <= look.opacity + 1e-6
    for ghost in numbers.ghosts(size, pts_ns):
        assert 0.0 <= ghost.opacity < 0.5
        assert abs(2 * ghost.pairs) <= max(2, 0.03 * size.width)
        assert look_reference.cover(haunted(values, ghost), size.height).max() <= cover.max()


def test_a_hologram_moves_and_repeats_nothing_at_once() -> None:
    numbers = LookNumbers(PersonLook(hologram=1.0))
    frames = [numbers.at(HD, k * 40_000_000).copy() for k in range(10)]
    assert len({frame.tobytes() for frame in frames}) == 10
    assert len({numbers.ghosts(HD, k * 300_000_000) for k in range(10)}) > 4
    assert (frames[0][34:] == frames[9][34:]).all(), "only lines, glow and opacity move"


def test_levels_without_a_wish_are_the_very_ones() -> None:
    assert matte_levels(FAINT, MatteControls()) is FAINT


@given(SHARE, SHARE)
@example(0.01953125, 0.125)  # a ramp as steep as can be stands around the threshold, too
def test_what_was_covered_stays_covered_at_any_threshold(threshold: float, softness: float) -> None:
    levels = matte_levels(FAINT, MatteControls(threshold=threshold, softness=softness))
    assert levels.black >= FAINT.black
    assert levels.white > levels.black
    assert levels.white <= FAINT.white + 1e-9
    assert np.isfinite([levels.gain, levels.offset]).all()
    if FAINT.black + 0.01 < threshold < FAINT.white - 0.01:
        assert levels.gain * threshold + levels.offset == pytest.approx(0.5, abs=1e-4)


def test_a_softness_of_zero_cuts_out() -> None:
    levels = matte_levels(FAINT, MatteControls(softness=0.0))
    assert levels.white - levels.black == pytest.approx(1.0 / 255.0)
    plain = matte_levels(Levels(), MatteControls(threshold=0.25, softness=1.0))
    assert (plain.black, plain.white) == (0.0, 0.5)


FRAMINGS = st.builds(
    Framing,
    mirror=st.booleans(),
    flip=st.booleans(),
    zoom=st.floats(1.0, 4.0),
    pan_x=st.floats(-1.0, 1.0),
    pan_y=st.floats(-1.0, 1.0),
)
SIZES = st.builds(Size, st.integers(2, 4000), st.integers(2, 4000))


@given(SIZES, SIZES, FRAMINGS)
def test_every_framing_shows_a_part_of_the_picture_in_the_shape_of_the_output(
    camera: Size, target: Size, framing: Framing
) -> None:
    window = framed_window(camera, target, framing)
    assert (window.width < 0, window.height < 0) == (framing.mirror, framing.flip)
    for begin, extent, side in ((window.x, window.width, camera.width), (window.y, window.height, camera.height)):
        low, high = sorted((begin, begin + extent))
        assert low >= -1e-6 * side
        assert high <= side * (1 + 1e-6)
    assert abs(window.width / window.height) == pytest.approx(target.width / target.height, rel=1e-6)
    assert abs(window.width) * framing.zoom == pytest.approx(cover_window(camera, target).width)


def test_panning_is_as_the_viewer_sees_it() -> None:
    right = Framing(zoom=2.0, pan_x=1.0, pan_y=-1.0)
    window = framed_window(HD, HD, right)
    assert (window.x, window.y, window.width, window.height) == (640, 0, 640, 360)
    window = framed_window(HD, HD, Framing(mirror=True, flip=True, zoom=2.0, pan_x=1.0, pan_y=-1.0))
    assert (window.x, window.y, window.width, window.height) == (640, 720, -640, -360)


def test_panning_also_chooses_what_cropping_leaves_out() -> None:
    assert framed_window(HD, Size(720, 720), Framing(pan_x=-1.0)).x == 0.0
    assert framed_window(HD, Size(720, 720), Framing(pan_x=1.0)).x == 560.0

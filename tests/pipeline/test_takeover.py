"""When a newcomer may take over."""

import math

import numpy as np
import pytest

from vcam.pipeline.takeover import Seen, TakeoverPolicy, TakeoverRule, Verdict, mean_alpha, mean_difference

POLICY = TakeoverPolicy(agree_within=0.01, agree_frames=3, blind_frames=5, frames_limit=20)


def judged(*differences: float | None) -> list[Verdict]:
    """With somebody in the picture."""
    rule = TakeoverRule(POLICY)
    return [rule.judge(Seen(each, None if each is None else 0.2)) for each in differences]


def test_agreement_must_hold_for_several_frames_in_a_row() -> None:
    assert judged(0.5, 0.2, 0.009, 0.01, 0.0) == [Verdict.WARMING] * 4 + [Verdict.READY]


def test_one_frame_apart_begins_the_count_anew() -> None:
    assert judged(0.0, 0.0, 0.011, 0.0, 0.0, 0.0) == [Verdict.WARMING] * 5 + [Verdict.READY]


@pytest.mark.parametrize("apart", [0.02, math.inf, math.nan])
def test_what_never_agrees_is_refused(apart: float) -> None:
    assert judged(*[apart] * 20) == [Verdict.WARMING] * 19 + [Verdict.DISAGREES]


def test_agreeing_now_and_then_is_not_enough() -> None:
    assert judged(*[0.0, 0.0, 0.5] * 6, 0.0, 0.5)[-1] is Verdict.DISAGREES


def test_mattes_that_cannot_be_compared_need_a_number_of_frames() -> None:
    assert judged(*[None] * 5) == [Verdict.WARMING] * 4 + [Verdict.READY]


def test_a_frame_without_a_picture_begins_that_number_anew() -> None:
    assert judged(None, None, None, None, math.inf, *[None] * 5)[-2:] == [Verdict.WARMING, Verdict.READY]


def test_frames_that_become_comparable_count_on_but_the_last_one_decides() -> None:
    assert judged(None, None, 0.0) == [Verdict.WARMING, Verdict.WARMING, Verdict.READY]
    assert judged(0.0, 0.0, None, None, None)[-1] is Verdict.READY


def test_an_empty_room_proves_nothing() -> None:
    """A newcomer that never finds anybody agrees on it; the first person tells."""
    rule = TakeoverRule(POLICY)
    assert {rule.judge(Seen(0.0, 0.0)) for _ in range(100)} == {Verdict.WARMING}
    assert (rule.frames, rule.last_difference) == (0, None)
    person = [rule.judge(Seen(0.2, 0.2)) for _ in range(POLICY.frames_limit)]
    assert person[-1] is Verdict.DISAGREES


def test_an_empty_room_between_does_not_end_the_row() -> None:
    rule = TakeoverRule(POLICY)
    saw = [Seen(0.0, 0.2), Seen(0.0, 0.0), Seen(0.0, 0.2), Seen(0.009, 0.0099), Seen(0.0, 0.2)]
    assert [rule.judge(each) for each in saw] == [Verdict.WARMING] * 4 + [Verdict.READY]


def test_who_finds_somebody_in_an_empty_room_is_judged() -> None:
    rule = TakeoverRule(POLICY)
    assert [rule.judge(Seen(0.5, 0.0)) for _ in range(20)][-1] is Verdict.DISAGREES


QUICK, SLOW = Seen(0.0, 0.2, pace=1.0), Seen(0.0, 0.2, pace=1.001)


def test_a_slow_first_frame_costs_nothing() -> None:
    rule = TakeoverRule(POLICY)
    saw = [SLOW, SLOW, QUICK, QUICK, QUICK]
    assert [rule.judge(each) for each in saw] == [Verdict.WARMING] * 4 + [Verdict.READY]


def test_what_is_slow_again_and_again_is_refused_as_slower() -> None:
    rule = TakeoverRule(POLICY)
    saw = [QUICK, QUICK, SLOW] * 7
    assert [rule.judge(each) for each in saw[: POLICY.frames_limit]] == [Verdict.WARMING] * 19 + [Verdict.SLOWER]


def test_what_is_slow_and_disagrees_disagrees() -> None:
    rule = TakeoverRule(POLICY)
    saw = [SLOW] * 8 + [Seen(0.5, 0.2, pace=2.0)] * 12
    assert [rule.judge(each) for each in saw][-1] is Verdict.DISAGREES


def test_another_network_may_be_slower() -> None:
    """It is better in another way."""
    rule = TakeoverRule(POLICY)
    assert [rule.judge(Seen(None, pace=9.0)) for _ in range(5)][-1] is Verdict.READY


def test_the_rule_tells_what_it_saw() -> None:
    rule = TakeoverRule(POLICY)
    assert (rule.frames, rule.last_difference) == (0, None)
    rule.judge(Seen(0.25))
    assert (rule.frames, rule.last_difference) == (1, 0.25)


def test_the_difference_is_the_mean_of_alpha() -> None:
    old = np.zeros((10, 10), np.uint8)
    new = old.copy()
    new[:5] = 255
    assert mean_difference(old, old) == 0.0
    assert mean_difference(old, new) == mean_difference(new, old) == pytest.approx(0.5)
    assert mean_alpha(old) == 0.0
    assert mean_alpha(new) == pytest.approx(0.5)


def test_the_difference_of_large_mattes_is_that_of_every_few_pixels() -> None:
    rng = np.random.default_rng(1)
    old, new = rng.integers(0, 256, (2, 1080, 1920), np.uint8)
    whole = float(np.abs(old.astype(np.int16) - new).mean()) / 255
    assert mean_difference(old, new) == pytest.approx(whole, rel=0.01)


def test_mattes_of_other_sizes_are_as_far_apart_as_can_be() -> None:
    assert mean_difference(np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8)) == math.inf

"""Who is given up, and when nobody is to blame."""

import pytest

from tests.support.clock import Clock
from vcam.pipeline.overdue import LIMIT_S, Overdue


def look_for(overdue: Overdue, clock: Clock, seconds: float) -> None:
    for _ in range(round(seconds)):
        clock.now_s += 1.0
        overdue.look()


def test_who_does_not_come_back_is_given_up() -> None:
    clock = Clock()
    overdue = Overdue(clock)
    look_for(overdue, clock, LIMIT_S)
    assert not overdue.is_so(LIMIT_S)
    look_for(overdue, clock, 1.0)
    assert overdue.is_so(LIMIT_S + 1.0)
    assert not overdue.is_so(0.0)


@pytest.mark.parametrize("away_s", [60.0, 86_400.0])
def test_what_the_whole_process_slept_through_is_held_against_nobody(away_s: float) -> None:
    clock = Clock()
    overdue = Overdue(clock)
    look_for(overdue, clock, 100.0)
    clock.now_s += away_s
    overdue.look()
    assert not overdue.is_so(away_s + 1.0)
    look_for(overdue, clock, LIMIT_S)
    assert not overdue.is_so(away_s + LIMIT_S)
    look_for(overdue, clock, 1.0)
    assert overdue.is_so(away_s + LIMIT_S + 1.0)

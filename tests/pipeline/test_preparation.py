"""How far a plan is, and whether it is still wanted."""

import logging
import threading

import pytest

from tests.pipeline.rig import LIMIT_S
from tests.support.clock import Clock
from vcam.pipeline.preparation import Preparation


def test_it_is_cancelled_by_its_owner_or_by_the_end_of_the_pipeline() -> None:
    stopping = [False, True]
    ends = Preparation(lambda: stopping.pop(0))
    assert [ends.cancelled, ends.cancelled] == [False, True]
    mine = Preparation()
    before = mine.cancelled
    mine.cancel()
    assert (before, mine.cancelled) == (False, True)


def test_who_waits_under_it_is_woken_when_it_is_cancelled() -> None:
    preparation = Preparation()
    waits = threading.Thread(target=preparation.wait, args=(1e6,))
    waits.start()
    preparation.cancel()
    waits.join(LIMIT_S)
    assert not waits.is_alive()


def test_a_build_tells_its_share_and_then_its_time() -> None:
    clock, took = Clock(), list[float]()
    preparation = Preparation(built=took.append, clock=clock)
    seen = [preparation.plan_build_share]
    with preparation.plan_build() as progressed:
        seen.append(preparation.plan_build_share)
        for share in (0.43, 1.7):
            progressed(share)
            seen.append(preparation.plan_build_share)
        clock.now_s += 41.5
    seen.append(preparation.plan_build_share)
    assert seen == [None, 0.0, 0.43, 1.0, None]
    assert took == [41.5]


def test_a_build_that_fails_has_no_time() -> None:
    took = list[float]()
    preparation = Preparation(built=took.append)
    with pytest.raises(ValueError, match="broke"), preparation.plan_build():
        raise ValueError("broke")
    assert preparation.plan_build_share is None
    assert took == []


def test_the_log_hears_of_each_tenth_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Preparation().plan_build() as progressed:
        for step in range(101):
            progressed(step / 100)
    told = [record.__dict__["share"] for record in caplog.records if record.message == "plan.progress"]
    assert told == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]

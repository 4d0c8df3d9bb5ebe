"""What viewers see, and why, for whatever the threads are doing."""

from dataclasses import replace

import pytest

from vcam.pipeline.condition import Condition
from vcam.pipeline.snapshot import SafeReason, State
from vcam.pipeline.wiring import Policy

POLICY = Policy(live=True, frame_interval_s=0.1, safe_after_s=0.25)
NEW = Condition(
    asleep=False,
    paused=False,
    reloading=False,
    camera_lost=False,
    engine_up=False,
    building=False,
    failing=None,
    live_age_s=None,
    busy_s=0.0,
    typical_s=0.0,
)
WELL = replace(NEW, engine_up=True, live_age_s=0.1, typical_s=0.05)
BROKEN = SafeReason.ENGINE_ERROR


@pytest.mark.parametrize(
    ("now", "state", "reason"),
    [
        (NEW, State.STARTING, SafeReason.ENGINE_LOADING),
        (replace(NEW, building=True), State.STARTING, SafeReason.ENGINE_BUILDING),
        (replace(NEW, engine_up=True), State.STARTING, SafeReason.STARTING),
        (replace(NEW, engine_up=True, camera_lost=True), State.SAFE, SafeReason.CAMERA_LOST),
        (replace(NEW, failing=BROKEN), State.SAFE, BROKEN),
        (WELL, State.LIVE, None),
        (replace(WELL, asleep=True, paused=True, camera_lost=True), State.IDLE, None),
        (replace(WELL, paused=True), State.SAFE, SafeReason.PAUSED),
        (replace(WELL, live_age_s=0.29), State.LIVE, None),
        (replace(WELL, live_age_s=0.31), State.SAFE, SafeReason.CAMERA_LOST),
        (replace(WELL, live_age_s=0.31, failing=BROKEN), State.SAFE, BROKEN),
        (replace(WELL, live_age_s=0.31, failing=BROKEN, camera_lost=True), State.SAFE, SafeReason.CAMERA_LOST),
        (replace(WELL, camera_lost=True), State.SAFE, SafeReason.CAMERA_LOST),
        (replace(WELL, live_age_s=0.31, busy_s=0.31), State.SAFE, SafeReason.ENGINE_STALL),
        (replace(WELL, live_age_s=0.31, engine_up=False), State.SAFE, SafeReason.ENGINE_LOADING),
        (replace(WELL, live_age_s=0.8, typical_s=0.3), State.LIVE, None),
        (replace(WELL, live_age_s=1.1, typical_s=5.0), State.SAFE, SafeReason.CAMERA_LOST),
        (replace(NEW, reloading=True), State.SAFE, SafeReason.RELOAD),
        (replace(NEW, reloading=True, engine_up=True), State.SAFE, SafeReason.RELOAD),
        (replace(NEW, reloading=True, failing=BROKEN), State.SAFE, BROKEN),
        (replace(NEW, reloading=True, engine_up=True, camera_lost=True), State.SAFE, SafeReason.CAMERA_LOST),
        (replace(NEW, reloading=True, camera_lost=True), State.STARTING, SafeReason.ENGINE_LOADING),
    ],
)
def test_what_viewers_see_and_why(now: Condition, state: State, reason: SafeReason | None) -> None:
    assert now.state(POLICY) == (state, reason)


def test_a_slow_source_is_waited_for() -> None:
    slow = replace(POLICY, frame_interval_s=1.0)
    assert replace(WELL, live_age_s=2.9).state(slow) == (State.LIVE, None)
    assert replace(WELL, live_age_s=3.1).state(slow) == (State.SAFE, SafeReason.CAMERA_LOST)


def test_where_every_frame_counts_none_is_late() -> None:
    assert replace(WELL, live_age_s=100.0, camera_lost=True).state(replace(POLICY, live=False)) == (State.LIVE, None)

"""A reload to what cannot work: what was at work before is at work again, and the camera goes on."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

import pytest

from tests.pipeline import room
from tests.pipeline.rig import ENGINE_BROKE, LIMIT_S, Rig, assert_set, raises, wait_until
from vcam.errors import EngineError, EngineUnavailableError, FormatRejectedError, VcamError
from vcam.fakes import Fault
from vcam.pipeline.rewiring import Rewiring
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.wiring import Wiring
from vcam.stages import Scene

ABSENT = EngineUnavailableError("no such engine", hint="choose another")
BLIND = FormatRejectedError("no usable mode", hint="choose another camera")


def other(rig: Rig, name: str = "other", fault: Fault | None = None, **parts: object) -> Wiring:
    """Another wiring with the same outputs; the fault comes before its engine opens."""
    made = Rig(sinks=rig.sinks, policy=rig.policy, **parts)  # type: ignore[arg-type]  # as Rig has them
    if fault is not None:
        made.before_engine = fault
    return replace(made.wiring(), source_name=name)


def no_engine(rig: Rig) -> Wiring:
    return other(rig, fault=raises(ABSENT))


def no_mode(rig: Rig) -> Wiring:
    return other(rig, source_faults=dict.fromkeys(range(9), raises(BLIND)))


def no_matte(rig: Rig) -> Wiring:
    return other(rig, engine_faults=dict.fromkeys(range(99), raises(ENGINE_BROKE)))


def no_sense(rig: Rig) -> Wiring:
    return other(rig, fault=raises(ValueError("a bug")))


@pytest.mark.parametrize(
    ("broken", "problem", "hint"),
    [
        (no_engine, ABSENT.problem, ABSENT.hint),
        (no_mode, BLIND.problem, BLIND.hint),
        (no_matte, ENGINE_BROKE.problem, ENGINE_BROKE.hint),
        (no_sense, "a bug", "report"),
    ],
)
def test_a_reload_to_what_cannot_work_brings_back_what_did(
    broken: Callable[[Rig], Wiring], problem: str, hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    rig, refused = Rig(), Future[Exception]()
    with rig.running() as pipeline:
        rig.wait_live(3)
        seen = len(rig.sink.pictures)
        pipeline.reload(broken(rig), refused=refused.set_result)
        assert problem in str(refused.result(LIMIT_S))
        wait_until(lambda: pipeline.snapshot().source == "fake")
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
    (told,) = [record for record in caplog.records if record.message == "config.rejected"]
    assert (told.levelno, told.__dict__["problem"]) == (logging.ERROR, problem)
    assert hint in told.__dict__["hint"]
    assert any(map(room.is_card, rig.sink.pictures[seen:]))
    rig.assert_closed()


def test_where_the_earlier_engine_works_no_more_either_the_process_ends() -> None:
    rig = Rig()
    refused: list[Exception] = []

    def go_wrong() -> None:
        with rig.running() as pipeline:
            rig.wait_live(3)
            rig.before_engine = raises(EngineUnavailableError("gone, too", hint=""))
            pipeline.reload(no_engine(rig), refused=refused.append)
            wait_until(lambda: pipeline.ended)

    with pytest.raises(EngineError, match="gone, too"):
        go_wrong()
    assert refused == [ABSENT]
    rig.assert_closed()


def test_once_a_frame_was_shown_nothing_leads_back() -> None:
    rig, gate = Rig(), threading.Event()

    def break_down() -> None:
        assert_set(gate)
        raise ABSENT

    def go_wrong() -> None:
        with rig.running() as pipeline:
            rig.wait_live(3)
            pipeline.reload(other(rig, engine_faults={9: break_down}))
            wait_until(lambda: pipeline.snapshot().source == "other" and not pipeline._rewiring.proving)
            gate.set()
            wait_until(lambda: pipeline.ended)

    with pytest.raises(EngineError, match="no such engine"):
        go_wrong()
    rig.assert_closed()


def test_the_scene_stays_whatever_becomes_of_the_reload() -> None:
    rig, refused = Rig(), Future[Exception]()
    hidden = Scene(room.GreenBackdrop())
    with rig.running() as pipeline:
        pipeline.change_scene(Scene(room.GreenBackdrop(), show_room=True))
        assert rig.sink.wait_for(lambda all_: any(map(room.leaks, all_)), LIMIT_S)
        pipeline.reload(replace(no_engine(rig), scene=hidden), refused=refused.set_result)
        seen = len(rig.sink.pictures)
        refused.result(LIMIT_S)
        assert rig.sink.wait_for(lambda all_: sum(map(room.shows_person, all_[seen:])) >= 5, LIMIT_S)
        assert pipeline.scene is hidden
    assert not any(map(room.leaks, rig.sink.pictures[seen:]))


def test_while_somebody_changes_settings_viewers_see_the_card_and_the_way_back_waits() -> None:
    rig, refused, gate = Rig(), Future[Exception](), threading.Event()

    def fail_then() -> None:
        assert_set(gate)
        raise ABSENT

    with rig.running() as pipeline:
        rig.wait_live(3)
        pipeline.reload(other(rig, fault=fail_then), refused=refused.set_result)
        wait_until(lambda: pipeline.snapshot().source == "other")
        with pipeline.changing:
            gate.set()
            wait_until(lambda: pipeline._loops.failure is ABSENT)
            seen = len(rig.sink.pictures)
            assert rig.sink.wait_for(lambda all_: len(all_) > seen + 5, LIMIT_S)
            assert all(map(room.is_card, rig.sink.pictures[seen:]))
            assert not refused.done()
        refused.result(LIMIT_S)
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
    rig.assert_closed()


def test_a_file_that_ends_after_a_reload_ends_the_pipeline() -> None:
    rig = Rig()
    rig.policy = replace(rig.policy, frames=3)
    with Pipeline(rig.wiring()) as pipeline:
        pipeline.reload(other(rig))
        pipeline.run()
    assert pipeline.snapshot().source == "other"


class Plan:
    """Wirings by name, without a pipeline."""

    def __init__(self) -> None:
        self.wirings = {name: replace(Rig().wiring(), source_name=name) for name in "abc"}
        self.rewiring = Rewiring(self.wirings["a"])
        self.refused: list[str] = []

    def ask(self, name: str, *, sound: bool = False) -> None:
        self.rewiring.ask(self.wirings[name], lambda _: self.refused.append(name), sound=sound)

    def turn(self, failure: VcamError | None = None) -> str | None:
        return self.rewiring.now.source_name if self.rewiring.turn(failure) else None


def test_the_way_back_leads_past_what_never_worked() -> None:
    plan = Plan()
    plan.ask("b")
    assert plan.turn() == "b"
    plan.ask("c")
    assert plan.turn(ABSENT) == "c", "what was asked for comes first"
    assert plan.turn(ABSENT) == "a"
    assert plan.refused == ["b"], "who asked first knows what was at work before"
    assert plan.turn(ABSENT) is None
    assert not plan.rewiring.can_turn()


def test_the_way_back_leads_to_the_last_engine_that_opened() -> None:
    plan = Plan()
    plan.ask("b")
    assert plan.turn() == "b"
    plan.ask("c", sound=True)
    assert (plan.turn(), plan.turn(ABSENT), plan.refused) == ("c", "b", ["c"])


def test_what_was_never_at_work_is_nothing_to_go_back_to() -> None:
    plan = Plan()
    plan.ask("b", sound=True)
    plan.ask("c", sound=True)
    assert plan.rewiring.latest.source_name == "c"
    assert (plan.turn(), plan.turn(ABSENT), plan.refused) == ("c", "a", ["b"])


def test_what_works_is_kept_and_not_while_another_is_asked_for() -> None:
    plan = Plan()
    plan.ask("b")
    plan.turn()
    plan.ask("c", sound=True)
    plan.rewiring.proved()
    assert plan.turn() == "c"
    assert plan.rewiring.can_turn(), "back"
    plan.rewiring.proved()
    assert plan.turn(ABSENT) is None
    assert not plan.rewiring.can_turn()


def test_nobody_waits_for_who_changes_something() -> None:
    plan = Plan()
    plan.ask("b")
    held, done = threading.Event(), threading.Event()

    def somebody() -> None:
        with plan.rewiring.lock:
            held.set()
            assert_set(done)

    thread = threading.Thread(target=somebody)
    thread.start()
    assert_set(held)
    assert plan.turn() is None
    done.set()
    thread.join(LIMIT_S)
    assert plan.turn() == "b"

"""A picture on its way while somebody changes what may leave: an answer holds from the moment it is given."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.pipeline import room
from tests.pipeline.rig import LIMIT_S, Rig, assert_set, wait_until
from vcam.fakes import FakeSink
from vcam.frame import Image
from vcam.pipeline.attention import Attention
from vcam.pipeline.outputs import Outputs
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.wiring import Wiring
from vcam.stages import Scene

HIDDEN = Scene(room.GreenBackdrop())


class Naked(Rig):
    """Shows the room until it is told otherwise."""

    def wiring(self) -> Wiring:
        return replace(super().wiring(), scene=Scene(room.GreenBackdrop(), show_room=True))


def meanwhile(act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let ``act`` happen once, when the frame thread has a picture ready and is about to hand it to the outputs."""
    happened, write = threading.Event(), Outputs.write

    def interrupted(outputs: Outputs, *pictures: object, **how: object) -> object:
        if threading.current_thread().name == "vcam-frame" and not happened.is_set():
            act()
            happened.set()
        return write(outputs, *pictures, **how)  # type: ignore[arg-type]  # as it was called

    monkeypatch.setattr(Outputs, "write", interrupted)
    return happened


def test_no_picture_that_was_ready_leaves_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    with rig.running() as pipeline:
        rig.wait_live(3)
        seen: list[int] = []

        def pause() -> None:
            pipeline.pause(paused=True)
            seen.append(len(rig.sink.pictures))

        assert_set(meanwhile(pause, monkeypatch))
        assert rig.sink.wait_for(lambda all_: len(all_) > seen[0] + 5, LIMIT_S)
    assert all(map(room.is_card, rig.sink.pictures[seen[0] :]))


def by_a_change(pipeline: Pipeline, wiring: Wiring) -> None:
    pipeline.change_scene(HIDDEN)


def by_a_reload(pipeline: Pipeline, wiring: Wiring) -> None:
    pipeline.reload(replace(wiring, scene=HIDDEN))


@pytest.mark.parametrize("hide", [by_a_change, by_a_reload])
def test_no_picture_of_the_room_leaves_after_it_was_hidden(
    hide: Callable[[Pipeline, Wiring], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Naked()
    with rig.running() as pipeline:
        assert rig.sink.wait_for(lambda all_: sum(map(room.leaks, all_)) >= 3, LIMIT_S)
        seen: list[int] = []

        def act() -> None:
            hide(pipeline, rig.wiring())
            seen.append(len(rig.sink.pictures))

        assert_set(meanwhile(act, monkeypatch))
        assert rig.sink.wait_for(lambda all_: sum(map(room.shows_person, all_[seen[0] :])) >= 3, LIMIT_S)
    assert not any(map(room.leaks, rig.sink.pictures[seen[0] :]))


class Slow(FakeSink):
    """Takes its time for one picture of the person."""

    def __init__(self) -> None:
        super().__init__(room.OUTPUT)
        self.at_it, self.go_on = threading.Event(), threading.Event()

    def write(self, image: Image) -> None:
        if room.shows_person(image.planes) and not self.at_it.is_set():
            self.at_it.set()
            assert_set(self.go_on)
        super().write(image)


@pytest.mark.parametrize(
    "ask",
    [
        lambda pipeline: pipeline.pause(paused=True),
        lambda pipeline: pipeline.change_scene(HIDDEN),
    ],
    ids=["pause", "scene"],
)
def test_who_asks_waits_for_a_picture_that_is_being_written(ask: Callable[[Pipeline], None]) -> None:
    sink = Slow()
    rig = Naked(sinks=(sink,))
    answered_at: list[int] = []
    with rig.running() as pipeline:

        def someone() -> None:
            ask(pipeline)
            answered_at.append(len(sink.pictures))

        assert_set(sink.at_it)
        asks = threading.Thread(target=someone)
        asks.start()
        wait_until(lambda: pipeline.paused or pipeline.scene is HIDDEN)
        asks.join(0.2)  # who does not wait is done by now
        sink.go_on.set()
        asks.join(LIMIT_S)
        assert sink.wait_for(lambda all_: len(all_) > answered_at[0] + 5, LIMIT_S)
    assert not any(map(room.leaks, sink.pictures[answered_at[0] :]))


class Interrupted(Attention):
    """Lets something happen when the test's thread asks whether it is asleep."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__(lambda: 0.0)
        self.acts = [act]

    @property
    def asleep(self) -> bool:
        if threading.current_thread() is threading.main_thread() and self.acts:
            self.acts.pop()()
        return False

    @asleep.setter
    def asleep(self, value: bool) -> None:
        pass


def test_of_two_who_pause_and_resume_at_once_one_is_heard_wholly() -> None:
    rig = Rig()
    with rig.running() as pipeline:
        rig.wait_live(3)
        attention = pipeline._attention = Interrupted(lambda: pipeline.pause(paused=True))
        pipeline.pause(paused=False)
        while attention.acts:
            attention.acts.pop()()
        assert pipeline.paused
        after = len(rig.sink.pictures) + 1
        assert rig.sink.wait_for(lambda all_: len(all_) > after + 10, LIMIT_S)
        assert all(map(room.is_card, rig.sink.pictures[after:]))


class OnReload(logging.Handler):
    """Does something once, when a reload begins."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._acts = [act]

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == "pipeline.reloading" and self._acts:
            self._acts.pop()()


def test_a_reload_that_is_asked_for_while_one_begins_is_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    second, third = (replace(rig.wiring(), source_name=name) for name in ("second", "third"))
    logger = logging.getLogger("vcam.pipeline.supervisor")
    with rig.running() as pipeline, caplog.at_level(logging.INFO, logger.name):
        handler = OnReload(lambda: pipeline.reload(third))
        logger.addHandler(handler)
        try:
            rig.wait_live(2)
            pipeline.reload(second)
            wait_until(lambda: pipeline.snapshot().source == "third")
        finally:
            logger.removeHandler(handler)
        assert pipeline.scene is third.scene
    rig.assert_closed()

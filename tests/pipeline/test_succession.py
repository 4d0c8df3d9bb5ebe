"""A better engine takes over between two frames, or never does; whatever becomes of it, viewers see no difference."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pytest

from tests.pipeline import room
from tests.pipeline.rig import ENGINE_BROKE, LIMIT_S, POLICY, Rig, assert_set, raises, wait_until
from vcam.compose.cpu import CpuFrameProcessor
from vcam.decode.choose import make_decoder
from vcam.decode.raw import RawDecoder
from vcam.errors import DecodeError, EngineUnavailableError, GpuError
from vcam.fakes import FakeEngine, FakeSink, Fault
from vcam.frame import EncodedFrame, Image, Plane, Tensor, VideoFormat
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.snapshot import SafeReason, State, TakeoverOutcome, TakeoverState
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.takeover import TakeoverPolicy
from vcam.pipeline.wiring import OpenedProcessor, ProcessorFactory
from vcam.stages import Decoder, EngineInfo, Framing, Scene, StageTimes

RULE = TakeoverPolicy(agree_frames=4, blind_frames=6, frames_limit=12, pace_limit=1e6)
"""How long a frame takes here is the machine's affair."""
GPU_BROKE = GpuError("the GPU broke", hint="this is a test")
MARK = 77
"""Luma of the first pixel of each picture that the newcomer composed."""


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("vcam-")])


class NewEngine(FakeEngine):
    """As on a GPU. model: that of the running engine, or another."""

    model = "fake"

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("new", self.model, "fp16", self.input_size, "gpu")


class NewProcessor(CpuFrameProcessor):
    """Marks what it composed. ``entering`` is called before it opens."""

    entering: Fault = staticmethod(lambda: None)
    closed = False

    def __init__(self, engine: FakeEngine, targets: Sequence[VideoFormat]) -> None:
        super().__init__(engine, targets)
        self.scenes: list[Scene] = []

    def __enter__(self) -> "NewProcessor":
        self.entering()
        super().__enter__()
        return self

    def __exit__(self, *args: object) -> None:
        self.closed = True
        super().__exit__(None, None, None)

    def process(self, image: Image, scene: Scene, times: StageTimes) -> Sequence[Image]:
        self.scenes.append(scene)
        pictures = super().process(image, scene, times)
        for picture in pictures:
            picture.planes[0][0, 0] = MARK
        return pictures


def marked(picture: Sequence[Plane]) -> bool:
    return bool(picture[0][0, 0] == MARK)


@dataclass
class Newcomer:
    """Makes new processors; each opening has the next of ``preparing``, ``entering`` and ``engine_faults``."""

    mask: Tensor = field(default_factory=room.mask)
    preparing: Sequence[Fault] = ()
    entering: Sequence[Fault] = ()
    engine_faults: dict[int, Fault] = field(default_factory=dict)
    model: str = "fake"
    sinks: int = 1
    ahead: bool = False
    successor: ProcessorFactory | None = None
    decoder: Callable[[VideoFormat], Decoder] = make_decoder
    opened: list[NewProcessor] = field(default_factory=list)
    engines: list[FakeEngine] = field(default_factory=list)
    attempts: int = 0

    def __call__(self, preparation: Preparation) -> OpenedProcessor:
        index, self.attempts = self.attempts, self.attempts + 1
        if index < len(self.preparing):
            self.preparing[index]()
        self.engine = NewEngine(self.mask, faults=self.engine_faults)
        self.engines.append(self.engine)
        self.engine.model = self.model
        processor = NewProcessor(self.engine, [room.OUTPUT] * self.sinks)
        if index < len(self.entering):
            processor.entering = self.entering[index]
        self.opened.append(processor)
        return OpenedProcessor(processor, "it is better", self.decoder, ahead=self.ahead, successor=self.successor)


PATIENT = replace(POLICY, takeover=RULE, upgrade_retry_s=0.01, safe_after_s=LIMIT_S, max_latency_s=LIMIT_S)
"""A card is then never that of a machine which is busy with something else."""


def make_rig(newcomer: Newcomer) -> Rig:
    return Rig(successor=newcomer, policy=PATIENT)


def state_is(pipeline: Pipeline, state: TakeoverState) -> Callable[[], bool]:
    return lambda: pipeline.snapshot().takeover is state


def live_frames(rig: Rig) -> list[Sequence[Plane]]:
    """What viewers saw from the first picture of the person on."""
    pictures = list(rig.sink.pictures)
    first = next(index for index, picture in enumerate(pictures) if room.shows_person(picture))
    # The supervisor may just be writing its last card of the start, which then comes second.
    return [pictures[first], *pictures[first + 1 + room.is_card(pictures[first + 1]) :]]


def assert_undisturbed(rig: Rig) -> None:
    """The person in each picture, and nothing of the room."""
    assert all(map(room.shows_person, live_frames(rig)))
    rig.assert_closed()


@pytest.mark.parametrize("ahead", [False, True])
def test_it_takes_over_between_two_frames_without_a_card(ahead: bool) -> None:
    newcomer = Newcomer(ahead=ahead)
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        assert rig.sink.wait_for(lambda all_: sum(map(marked, all_)) >= 10, LIMIT_S)
        now = pipeline.snapshot()
        wait_until(lambda: not rig.engine.is_open)
        closed = [newcomer.opened[0].closed]
    assert [*closed, newcomer.opened[0].closed] == [False, True]
    assert now.engine == newcomer.opened[0].info
    assert (now.takeover, now.takeovers[TakeoverOutcome.SWAPPED], now.decoder) == (TakeoverState.DONE, 1, "raw")
    assert sum(now.takeovers.values()) == 1
    marks = list(map(marked, live_frames(rig)))
    assert marks == sorted(marks), "old ones, then new ones"
    assert marks.index(True) >= RULE.agree_frames
    assert_undisturbed(rig)


def test_a_newcomer_may_have_a_successor_in_turn() -> None:
    last = Newcomer()
    first = Newcomer(model="another", successor=last)
    last.preparing = [raises(GPU_BROKE)]
    rig = make_rig(first)
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().takeovers[TakeoverOutcome.SWAPPED] == 2)
        wait_until(lambda: pipeline.snapshot().takeover is TakeoverState.DONE)
        wait_until(lambda: first.opened[0].closed)
        now = pipeline.snapshot()
    assert (first.attempts, last.attempts) == (1, 2), "one that took over is not prepared again"
    assert now.takeovers[TakeoverOutcome.FAILED] == 1
    assert last.engine.mattes >= RULE.blind_frames, "it is compared with the one before it, which has another network"
    assert_undisturbed(rig)


@pytest.mark.parametrize("ahead", [False, True])
def test_no_frame_is_lost(ahead: bool) -> None:
    newcomer = Newcomer(ahead=ahead)
    rig = make_rig(newcomer)
    frames = 60
    rig.policy = replace(rig.policy, live=False, frames=frames)
    with rig.running() as pipeline:
        rig.source._faults[40] = lambda: wait_until(state_is(pipeline, TakeoverState.DONE))
        wait_until(lambda: pipeline.ended)
        assert sum(pipeline.snapshot().dropped.values()) == 0
    marks = list(map(marked, rig.sink.pictures))
    assert len(marks) == frames
    assert marks == sorted(marks)
    assert 20 <= sum(marks) < frames
    assert_undisturbed(rig)


def test_nothing_of_a_newcomer_leaves_that_would_show_the_room(caplog: pytest.LogCaptureFixture) -> None:
    """Both processors run; the new one takes everything for the person."""
    newcomer = Newcomer(mask=np.ones((12, 20), np.float32))
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.GIVEN_UP))
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 5)
        now = pipeline.snapshot()
    assert newcomer.engine.mattes == RULE.frames_limit
    assert (newcomer.attempts, newcomer.opened[0].closed) == (1, True)
    assert now.engine == rig.engine.info
    assert now.takeovers == {**dict.fromkeys(TakeoverOutcome, 0), TakeoverOutcome.DISAGREED: 1}
    assert not any(map(marked, rig.sink.pictures))
    (told,) = [record for record in caplog.records if record.message == "takeover.refused"]
    assert told.levelname == "ERROR"
    assert "plan_dir" in told.__dict__["hint"]
    assert_undisturbed(rig)


def test_the_check_can_fail() -> None:
    """Negative control: the same newcomer with another network is not compared, takes over, and the room is seen."""
    rig = make_rig(Newcomer(mask=np.ones((12, 20), np.float32), model="another"))
    with rig.running():
        assert rig.sink.wait_for(lambda all_: any(map(room.leaks, all_)), LIMIT_S)


def test_another_network_is_not_compared_but_must_work_for_a_while() -> None:
    wider = room.mask()
    wider[4:10, 8:12] = np.maximum(wider[4:10, 8:12], 0.0)
    wider[5:9, 9] = 0.4
    newcomer = Newcomer(mask=wider, model="another")
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        assert rig.sink.wait_for(lambda all_: any(map(marked, all_)), LIMIT_S)
        assert pipeline.snapshot().takeover is TakeoverState.DONE
    first_marked = list(map(marked, live_frames(rig))).index(True)
    assert first_marked >= RULE.blind_frames
    assert not any(map(room.leaks, rig.sink.pictures))


def test_while_the_room_is_shown_the_newcomer_waits() -> None:
    """There is no matte to compare with: it proves nothing, and takes over after it has."""
    newcomer = Newcomer()
    may = threading.Event()
    newcomer.preparing = [lambda: assert_set(may)]
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        shows_matte = pipeline.scene
        pipeline.change_scene(replace(pipeline.scene, show_room=True))
        assert rig.sink.wait_for(lambda all_: any(map(room.leaks, all_)), LIMIT_S)  # as asked for
        may.set()
        wait_until(state_is(pipeline, TakeoverState.WARMING))
        more = len(rig.sink.pictures) + 3 * RULE.frames_limit
        assert rig.sink.wait_for(lambda all_: len(all_) >= more, LIMIT_S)
        assert (pipeline.snapshot().takeover, newcomer.engine.mattes) == (TakeoverState.WARMING, 0)
        pipeline.change_scene(shows_matte)
        assert rig.sink.wait_for(lambda all_: any(map(marked, all_)), LIMIT_S)
    assert newcomer.engine.mattes >= RULE.agree_frames


def test_a_newcomer_that_finds_nobody_does_not_take_over_while_nobody_is_there() -> None:
    newcomer = Newcomer(mask=np.zeros((12, 20), np.float32))
    rig = make_rig(newcomer)
    rig.engine._mask = np.zeros_like(room.mask())  # the running one finds somebody as soon as there is one
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.WARMING))
        wait_until(lambda: newcomer.engine.mattes > 3 * RULE.agree_frames)
        assert pipeline.snapshot().takeover is TakeoverState.WARMING
        rig.engine._mask = room.mask()
        wait_until(state_is(pipeline, TakeoverState.GIVEN_UP))
    assert not any(map(marked, rig.sink.pictures))
    rig.assert_closed()


def twice(error: Exception) -> Fault:
    left = [error] * 2

    def fault() -> None:
        if left:
            raise left.pop()

    return fault


UNAVAILABLE = EngineUnavailableError("no such GPU", hint="buy one")


@pytest.mark.parametrize(
    "make_newcomer",
    [
        partial(Newcomer, preparing=[raises(UNAVAILABLE)]),
        partial(Newcomer, entering=[raises(UNAVAILABLE)]),
        partial(Newcomer, engine_faults={2: raises(UNAVAILABLE)}),
    ],
    ids=["preparing", "opening", "warming"],
)
def test_what_cannot_work_is_not_tried_again(
    make_newcomer: Callable[[], Newcomer], caplog: pytest.LogCaptureFixture
) -> None:
    newcomer = make_newcomer()
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.GIVEN_UP))
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 5)
        now = pipeline.snapshot()
    assert newcomer.attempts == now.takeovers[TakeoverOutcome.FAILED] == 1
    assert not any(engine.is_open for engine in newcomer.engines)
    (told,) = [record for record in caplog.records if record.message == "takeover.failed"]
    assert (told.__dict__["problem"], told.__dict__["hint"]) == ("no such GPU", "buy one")
    assert_undisturbed(rig)


@pytest.mark.parametrize(
    "make_newcomer",
    [
        partial(Newcomer, preparing=[raises(GPU_BROKE), raises(OSError("a disk"))]),
        partial(Newcomer, entering=[raises(GPU_BROKE), raises(ValueError("a bug"))]),
        partial(Newcomer, engine_faults={3: twice(GPU_BROKE)}),
    ],
    ids=["preparing", "opening", "warming"],
)
def test_what_may_work_next_time_is_tried_again(make_newcomer: Callable[[], Newcomer]) -> None:
    newcomer = make_newcomer()
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        assert rig.sink.wait_for(lambda all_: any(map(marked, all_)), LIMIT_S)
        now = pipeline.snapshot()
    assert newcomer.attempts == 3
    assert (now.takeovers[TakeoverOutcome.FAILED], now.takeovers[TakeoverOutcome.SWAPPED]) == (2, 1)
    assert_undisturbed(rig)


def test_it_is_not_tried_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    newcomer = Newcomer(preparing=[raises(GPU_BROKE)] * 100)
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.GIVEN_UP))
        rig.wait_live(5)
        assert pipeline.snapshot().takeovers[TakeoverOutcome.FAILED] == newcomer.attempts == 6
    assert [record.message for record in caplog.records].count("takeover.failed") == 1
    assert_undisturbed(rig)


def test_a_matte_that_is_not_finite_is_a_failure_of_the_newcomer_alone() -> None:
    newcomer = Newcomer(mask=np.full((12, 20), np.nan, np.float32))
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.GIVEN_UP))
        rig.wait_live(5)
        assert (
            sum(pipeline.snapshot().safe.values())
            == pipeline.snapshot().safe[SafeReason.STARTING] + (pipeline.snapshot().safe[SafeReason.ENGINE_LOADING])
        )
    assert_undisturbed(rig)


class Picky(RawDecoder):
    """Refuses everything."""

    def decode(self, frame: EncodedFrame) -> Image:
        raise DecodeError("not for me", hint="this is a test")


def test_a_newcomer_that_cannot_decode_never_takes_over() -> None:
    newcomer = Newcomer(decoder=lambda _: Picky())
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.GIVEN_UP))
        rig.wait_live(5)
        assert pipeline.snapshot().takeovers[TakeoverOutcome.DISAGREED] == 1
    assert_undisturbed(rig)


def test_a_newcomer_that_hangs_holds_nothing_up() -> None:
    gate = threading.Event()
    newcomer = Newcomer(engine_faults={2: lambda: assert_set(gate)})
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.WARMING))
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 30)
        assert newcomer.engine.mattes <= 3
        pipeline.stop()
        wait_until(lambda: pipeline.ended)
    assert not newcomer.opened[0].closed, "it is still in use"
    gate.set()
    wait_until(lambda: newcomer.opened[0].closed)
    assert_undisturbed(rig)


@pytest.mark.parametrize("how", ["stop", "reload"])
def test_the_end_cancels_what_is_being_built(how: str) -> None:
    cancelled = threading.Event()

    def build(preparation: Preparation) -> OpenedProcessor:
        with preparation.plan_build() as progressed:
            progressed(0.43)
            wait_until(lambda: preparation.cancelled)
            cancelled.set()
            raise EngineUnavailableError("cancelled", hint="this is a test")

    rig = Rig(successor=build)
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().plan_build_share == 0.43)
        rig.wait_live(3)
        if how == "stop":
            pipeline.stop()
            wait_until(lambda: pipeline.ended)
        else:
            rig.successor = None
            pipeline.reload(rig.wiring())
            wait_until(cancelled.is_set)
            wait_until(lambda: pipeline.snapshot().takeover is TakeoverState.NONE)
        assert cancelled.is_set()
        now = pipeline.snapshot()
        assert (now.plan_build_share, now.takeovers[TakeoverOutcome.FAILED]) == (None, 0)
    rig.assert_closed()


def test_a_plan_that_is_built_tells_its_time() -> None:
    newcomer = Newcomer()

    def build(preparation: Preparation) -> OpenedProcessor:
        with preparation.plan_build() as progressed:
            progressed(1.0)
        return newcomer(preparation)

    rig = make_rig(newcomer)
    rig.successor = build
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.DONE))
        now = pipeline.snapshot()
        assert now.plan_build_s is not None
        assert now.plan_build_share is None


def test_a_plan_built_in_the_frame_thread_shows_its_own_card_and_ends_with_the_pipeline() -> None:
    began = threading.Event()

    def build(preparation: Preparation) -> OpenedProcessor:
        with preparation.plan_build():
            began.set()
            wait_until(lambda: preparation.cancelled)
            raise ENGINE_BROKE

    rig = Rig()
    with rig.running() as pipeline:
        pipeline.reload(replace(rig.wiring(), open_processor=build))
        assert began.wait(LIMIT_S)
        wait_until(lambda: pipeline.snapshot().plan_build_share == 0.0)
        pipeline.stop()
        wait_until(lambda: pipeline.ended)


def test_the_reason_of_the_card_says_that_a_plan_is_built() -> None:
    rig = Rig()

    def build(preparation: Preparation) -> OpenedProcessor:
        with preparation.plan_build():
            wait_until(lambda: preparation.cancelled)
            raise ENGINE_BROKE

    original = rig.wiring
    rig.wiring = lambda: replace(original(), open_processor=build)  # type: ignore[method-assign]  # for this test
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.ENGINE_BUILDING] >= 3)
        assert pipeline.snapshot().state is State.STARTING
    assert all(map(room.is_card, rig.sink.pictures))


def test_a_pause_holds_the_newcomer_back_and_shows_the_card() -> None:
    gate = threading.Event()
    newcomer = Newcomer(entering=[lambda: assert_set(gate)])
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        rig.wait_live(3)
        pipeline.pause(paused=True)
        gate.set()
        wait_until(state_is(pipeline, TakeoverState.WARMING))
        more = len(rig.sink.pictures) + 20
        assert rig.sink.wait_for(lambda all_: len(all_) >= more, LIMIT_S)
        assert room.is_card(rig.sink.pictures[-1])
        assert pipeline.snapshot().takeover is TakeoverState.WARMING
        pipeline.pause(paused=False)
        assert rig.sink.wait_for(lambda all_: any(map(marked, all_)), LIMIT_S)
    rig.assert_closed()


def test_an_engine_that_fails_after_it_took_over_is_opened_anew() -> None:
    """With its plan built, ``open_processor`` gives it at once."""
    newcomer = Newcomer(engine_faults=dict.fromkeys((30, 31, 32), raises(GPU_BROKE)))
    rig = make_rig(newcomer)
    opened: list[int] = []
    rig.before_engine = lambda: opened.append(1)
    with rig.running() as pipeline:
        wait_until(lambda: len(opened) == 2)
        seen = len(rig.sink.pictures)
        assert rig.sink.wait_for(lambda all_: any(map(room.shows_person, all_[seen:])), LIMIT_S)
        assert pipeline.snapshot().safe[SafeReason.ENGINE_ERROR] >= 1
    assert newcomer.opened[0].closed
    rig.assert_closed()


def test_an_old_engine_that_cannot_be_closed_disturbs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    newcomer = Newcomer()
    rig = make_rig(newcomer)
    leave = FakeEngine.__exit__

    def refuse(*args: object) -> None:
        leave(rig.engine, None, None, None)
        raise ENGINE_BROKE

    rig.engine.__class__ = type("Sticky", (FakeEngine,), {"__exit__": refuse})
    with rig.running() as pipeline:
        assert rig.sink.wait_for(lambda all_: sum(map(marked, all_)) >= 5, LIMIT_S)
        wait_until(lambda: "worker.retry" in [record.message for record in caplog.records])
        assert rig.sink.wait_for(lambda all_: sum(map(marked, all_)) >= 10, LIMIT_S)
        now = pipeline.snapshot()
    assert (now.takeover, newcomer.attempts) == (TakeoverState.DONE, 1)
    assert now.takeovers[TakeoverOutcome.FAILED] == 0
    assert_undisturbed(rig)


def test_a_camera_that_was_away_makes_the_newcomer_forget() -> None:
    newcomer = Newcomer()
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.DONE))
        frames, resets = rig.source.reads, newcomer.engine.resets
        rig.source._faults[frames + 5] = raises(GPU_BROKE)
        wait_until(lambda: rig.source.opened == 2)
        wait_until(lambda: newcomer.engine.resets > resets)
    rig.assert_closed()


def dawdling(rig: Rig) -> Fault:
    """Until all sinks have had five more pictures."""

    def dawdle() -> None:
        enough = [len(sink.pictures) + 5 for sink in rig.sinks]
        wait_until(lambda: all(len(sink.pictures) >= more for sink, more in zip(rig.sinks, enough, strict=True)))

    return dawdle


def test_a_slow_newcomer_slows_nobody_down() -> None:
    newcomer = Newcomer(sinks=2)
    rig = make_rig(newcomer)
    rig.sinks = (FakeSink(room.OUTPUT), FakeSink(room.OUTPUT))
    newcomer.engine_faults = dict.fromkeys(range(RULE.agree_frames), dawdling(rig))
    with rig.running():
        assert rig.sink.wait_for(lambda all_: any(map(marked, all_)), LIMIT_S)
    assert list(map(marked, live_frames(rig))).index(True) >= 5 * RULE.agree_frames
    assert_undisturbed(rig)


def test_a_newcomer_that_is_slower_than_the_running_engine_never_takes_over(caplog: pytest.LogCaptureFixture) -> None:
    newcomer = Newcomer()
    rig = make_rig(newcomer)
    # five frames take longer than one typically does, however slow this machine is
    rig.policy = replace(rig.policy, takeover=replace(RULE, pace_limit=1.0))
    newcomer.engine_faults = dict.fromkeys(range(RULE.frames_limit), dawdling(rig))
    with rig.running() as pipeline:
        wait_until(state_is(pipeline, TakeoverState.GIVEN_UP))
        rig.wait_live(5)
        assert pipeline.snapshot().takeovers[TakeoverOutcome.DISAGREED] == 1
    assert newcomer.engine.mattes == RULE.frames_limit
    assert not any(map(marked, rig.sink.pictures))
    (told,) = [record for record in caplog.records if record.message == "takeover.refused"]
    assert "slower" in told.__dict__["problem"]
    assert_undisturbed(rig)


class _Unseen:
    """Satisfies Layer; has nothing to show."""

    def render(self, target: VideoFormat, pts_ns: int) -> None:
        return None


def test_a_trial_steers_no_framing_and_draws_no_layer() -> None:
    may = threading.Event()
    newcomer = Newcomer(preparing=(partial(assert_set, may),))
    rig = make_rig(newcomer)
    with rig.running() as pipeline:
        scene = replace(pipeline.scene, framing=Framing(auto=True, mirror=True), layers=(_Unseen(),))
        pipeline.change_scene(scene)
        may.set()
        wait_until(lambda: pipeline.snapshot().takeover is TakeoverState.DONE)
        wait_until(lambda: newcomer.opened[-1].scenes[-1] is scene)
    on_trial = [other for other in newcomer.opened[-1].scenes if other is not scene]
    assert len(on_trial) >= RULE.agree_frames
    assert not any(other.framing.auto or other.layers for other in on_trial)
    assert on_trial[-1].framing == Framing(mirror=True)

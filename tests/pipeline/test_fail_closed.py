"""Every fault, at every stage, with a room in a marker colour: no output frame may hold one pixel of it."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tests.pipeline import room
from vcam.compose.cpu import CpuFrameProcessor
from vcam.decode.choose import make_decoder
from vcam.errors import DeviceError, EngineError, SinkError, VcamError
from vcam.fakes import FakeEngine, FakeSink, FakeSource, Fault
from vcam.frame import AffineMatte, Stamp
from vcam.pipeline import supervisor
from vcam.pipeline.snapshot import DropReason, SafeReason, State
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.wiring import OpenedProcessor, Policy, Wiring
from vcam.stages import Scene

INTERVAL_S = 0.01
LIMIT_S = 20.0
POLICY = Policy(live=True, frame_interval_s=INTERVAL_S, safe_after_s=0.1, engine_retry_s=0.05)


@dataclass
class Rig:
    """A pipeline over fakes and the real CPU processor. Faults are set before it starts."""

    source_faults: Mapping[int, Fault] = field(default_factory=dict)
    engine_faults: Mapping[int, Fault] = field(default_factory=dict)
    spoil: Mapping[int, Callable[[AffineMatte], AffineMatte]] = field(default_factory=dict)
    data: bytes = field(default_factory=room.camera_picture)
    mask: np.ndarray[tuple[int, int], np.dtype[np.float32]] = field(default_factory=room.mask)
    sinks: tuple[FakeSink, ...] = field(default_factory=lambda: (FakeSink(room.OUTPUT),))
    policy: Policy = POLICY
    before_engine: Fault = lambda: None

    def __post_init__(self) -> None:
        self.source = FakeSource(self.data, room.CAMERA, interval_s=INTERVAL_S, faults=self.source_faults)
        self.engine = FakeEngine(self.mask, faults=self.engine_faults, spoil=self.spoil)

    @property
    def sink(self) -> FakeSink:
        return self.sinks[0]

    def wiring(self) -> Wiring:
        def open_processor() -> OpenedProcessor:
            self.before_engine()
            return OpenedProcessor(CpuFrameProcessor(self.engine, [sink.format for sink in self.sinks]), "a test")

        return Wiring(
            source_name="fake",
            open_source=lambda: self.source,
            make_decoder=make_decoder,
            open_processor=open_processor,
            sinks=self.sinks,
            scene=Scene(room.GreenBackdrop()),
            card=room.card,
            policy=self.policy,
        )

    @contextmanager
    def running(self) -> Iterator[Pipeline]:
        """The pipeline in its own thread; re-raises what ended it."""
        ended: list[BaseException] = []

        def supervise(pipeline: Pipeline) -> None:
            try:
                pipeline.run()
            except VcamError as error:
                ended.append(error)

        with Pipeline(self.wiring()) as pipeline:
            thread = threading.Thread(target=supervise, args=(pipeline,))
            thread.start()
            try:
                yield pipeline
            finally:
                pipeline.stop()
                thread.join(LIMIT_S)
                assert not thread.is_alive()
        if ended:
            raise ended[0]

    def wait_live(self, count: int) -> None:
        """Until ``count`` pictures show the person."""
        assert self.sink.wait_for(lambda all_: sum(map(room.shows_person, all_)) >= count, LIMIT_S)

    def wait_card(self, after: int = 0) -> None:
        assert self.sink.wait_for(lambda all_: any(map(room.is_card, all_[after:])), LIMIT_S)

    def assert_closed(self) -> None:
        """No picture on any sink leaked, and there were pictures."""
        for sink in self.sinks:
            assert sink.pictures
            assert not any(map(room.leaks, sink.pictures))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def raises(error: Exception) -> Fault:
    def fault() -> None:
        raise error

    return fault


ENGINE_BROKE = EngineError("the engine broke", hint="this is a test")


def test_the_check_can_fail() -> None:
    """Negative control: a matte that covers everything lets the marker through, and the check sees it."""
    rig = Rig(mask=np.ones((12, 20), np.float32))
    with rig.running():
        assert rig.sink.wait_for(lambda all_: any(map(room.leaks, all_)), LIMIT_S)


def test_live_shows_the_person_and_nothing_of_the_room() -> None:
    rig = Rig()
    with rig.running() as pipeline:
        rig.wait_live(5)
        assert pipeline.snapshot().state is State.LIVE
    rig.assert_closed()


def test_start_up_shows_the_card_until_the_engine_is_there() -> None:
    gate = threading.Event()
    rig = Rig(before_engine=lambda: assert_set(gate))
    with rig.running() as pipeline:
        assert rig.sink.wait_for(lambda all_: len(all_) > 3, LIMIT_S)
        assert all(map(room.is_card, rig.sink.pictures))
        assert pipeline.snapshot().state is State.STARTING
        gate.set()
        rig.wait_live(1)
    rig.assert_closed()


def assert_set(gate: threading.Event) -> None:
    assert gate.wait(LIMIT_S)


def spoil_a(value: float) -> Callable[[AffineMatte], AffineMatte]:
    def spoil(matte: AffineMatte) -> AffineMatte:
        matte.a[3, 2, 2] = value
        return matte

    return spoil


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_matte_that_is_not_finite_becomes_the_card(value: float) -> None:
    rig = Rig(spoil={3: spoil_a(value)})
    with rig.running() as pipeline:
        rig.wait_live(8)
        assert pipeline.snapshot().safe[SafeReason.MATTE_INVALID] >= 1
        assert rig.engine.resets >= 1
    assert any(map(room.is_card, rig.sink.pictures))
    rig.assert_closed()


def test_a_matte_of_another_frame_becomes_the_card() -> None:
    rig = Rig(spoil={3: lambda matte: replace(matte, stamp=Stamp(0, 0))})
    with rig.running() as pipeline:
        rig.wait_live(8)
        assert pipeline.snapshot().safe[SafeReason.MATTE_INVALID] >= 1
    rig.assert_closed()


def test_one_engine_error_is_a_card_and_a_reset() -> None:
    rig = Rig(engine_faults={3: raises(ENGINE_BROKE)})
    with rig.running() as pipeline:
        rig.wait_live(8)
        assert pipeline.snapshot().safe[SafeReason.ENGINE_ERROR] >= 1
        assert rig.engine.resets >= 1
    rig.assert_closed()


def test_an_engine_that_keeps_failing_is_opened_anew() -> None:
    rig = Rig(engine_faults=dict.fromkeys((3, 4, 5), raises(ENGINE_BROKE)))
    opened: list[int] = []
    rig.before_engine = lambda: opened.append(1)
    with rig.running():
        rig.wait_live(8)
    assert len(opened) == 2
    rig.assert_closed()


def test_a_programming_error_in_the_engine_is_a_card_and_a_restart() -> None:
    rig = Rig(engine_faults={3: raises(ValueError("a bug"))})
    with rig.running() as pipeline:
        rig.wait_card(after=3)
        rig.wait_live(8)
        assert pipeline.snapshot().safe[SafeReason.INTERNAL_ERROR] >= 1
    rig.assert_closed()


def test_an_engine_that_never_works_ends_the_process() -> None:
    rig = Rig(before_engine=raises(EngineError("no such engine", hint="this is a test")))
    with pytest.raises(EngineError, match="no such engine"), rig.running() as pipeline:
        wait_until(lambda: pipeline.ended)
    rig.assert_closed()


def test_a_stalled_engine_is_covered_by_the_card() -> None:
    gate = threading.Event()
    rig = Rig(engine_faults={3: lambda: assert_set(gate)})
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.ENGINE_STALL] >= 3)
        gate.set()
        rig.wait_live(8)
    rig.assert_closed()


def test_a_slow_engine_does_not_flicker() -> None:
    slow = dict.fromkeys(range(1000), lambda: time.sleep(0.15))
    rig = Rig(engine_faults=slow)
    with rig.running() as pipeline:
        rig.wait_live(2)
        before = sum(pipeline.snapshot().safe.values())
        rig.wait_live(12)
        # Flicker would be several cards between each two frames; one hiccup of a busy machine is not.
        assert sum(pipeline.snapshot().safe.values()) - before < 20
    rig.assert_closed()


def test_a_late_frame_is_not_shown() -> None:
    rig = Rig(engine_faults={3: lambda: time.sleep(0.3)})
    rig.policy = replace(rig.policy, max_latency_s=0.15, safe_after_s=5.0)
    with rig.running() as pipeline:
        rig.wait_live(8)
        assert pipeline.snapshot().dropped[DropReason.LATE] >= 1
        assert pipeline.snapshot().safe[SafeReason.LATE] >= 1
    rig.assert_closed()


def test_a_lost_camera_becomes_the_card_and_comes_back() -> None:
    rig = Rig(source_faults=dict.fromkeys(range(5, 8), raises(DeviceError("unplugged", hint="plug it in"))))
    with rig.running() as pipeline:
        rig.wait_live(3)
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.CAMERA_LOST] >= 1)
        rig.wait_live(12)
        assert rig.engine.resets >= 1
    assert rig.source.opened == 4
    rig.assert_closed()


def test_a_missing_camera_is_an_error_at_start() -> None:
    rig = Rig(source_faults=dict.fromkeys(range(100), raises(DeviceError("no camera", hint="plug it in"))))
    with pytest.raises(DeviceError, match="no camera"), rig.running() as pipeline:
        wait_until(lambda: pipeline.ended)


def test_a_missing_camera_is_waited_for_when_asked() -> None:
    rig = Rig(source_faults=dict.fromkeys(range(2), raises(DeviceError("no camera", hint="plug it in"))))
    rig.policy = replace(rig.policy, wait_for_camera=True)
    with rig.running():
        rig.wait_card()
        rig.wait_live(3)
    rig.assert_closed()


def test_a_corrupt_frame_is_dropped_and_counted() -> None:
    rig = Rig(data=room.camera_picture()[:-100])
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().dropped[DropReason.CORRUPT] >= 3)
        rig.wait_card()
    assert all(map(room.is_card, rig.sink.pictures))


def test_a_sink_that_fails_is_reopened_and_stops_no_other() -> None:
    broken = FakeSink(
        room.OUTPUT, name="broken:", faults={4: raises(SinkError("gone", hint="this is a test"))}, refuse=0
    )
    rig = Rig(sinks=(FakeSink(room.OUTPUT), broken))
    with rig.running() as pipeline:
        rig.wait_live(10)
        assert broken.wait_for(lambda all_: sum(map(room.shows_person, all_)) >= 8, LIMIT_S)
        status = {output.name: output for output in pipeline.snapshot().outputs}
        assert (status["broken:"].errors, status["fake:"].errors) == (1, 0)
    assert broken.opened == 2
    rig.assert_closed()


def test_a_sink_that_will_not_open_stops_no_other() -> None:
    absent = FakeSink(room.OUTPUT, name="absent:", refuse=1)
    rig = Rig(sinks=(FakeSink(room.OUTPUT), absent))
    with rig.running():
        rig.wait_live(3)
        assert absent.wait_for(lambda all_: len(all_) > 0, LIMIT_S)


def test_no_sink_at_all_is_an_error() -> None:
    with pytest.raises(SinkError, match="refuses"), Rig(sinks=(FakeSink(room.OUTPUT, refuse=1),)).running():
        pass


def test_reload_goes_through_the_card() -> None:
    rig = Rig()
    with rig.running() as pipeline:
        rig.wait_live(5)
        gate = threading.Event()
        rig.before_engine = lambda: assert_set(gate)
        seen = len(rig.sink.pictures)
        pipeline.reload(rig.wiring())
        rig.wait_card(after=seen)
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.RELOAD] >= 1)
        gate.set()
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
    rig.assert_closed()
    assert rig.sink.opened == 1


def test_pause_shows_the_card() -> None:
    rig = Rig()
    with rig.running() as pipeline:
        rig.wait_live(3)
        pipeline.pause(paused=True)
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.PAUSED] >= 3)
        assert room.is_card(rig.sink.pictures[-1])
        pipeline.pause(paused=False)
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
    rig.assert_closed()


def test_a_reload_does_not_end_a_pause() -> None:
    rig = Rig()
    with rig.running() as pipeline:
        rig.wait_live(3)
        pipeline.pause(paused=True)
        wait_until(lambda: pipeline.snapshot().safe[SafeReason.PAUSED] >= 1)
        shown, opened = sum(map(room.shows_person, rig.sink.pictures)), rig.source.opened
        pipeline.reload(rig.wiring())
        wait_until(lambda: rig.source.opened > opened and pipeline.snapshot().engine is not None)
        more = len(rig.sink.pictures) + 20
        assert rig.sink.wait_for(lambda all_: len(all_) >= more, LIMIT_S)
        assert sum(map(room.shows_person, rig.sink.pictures)) <= shown + 1, "one may have been on its way"
    rig.assert_closed()


def test_a_reload_does_not_wake_an_idle_camera() -> None:
    rig = Rig()
    rig.policy = replace(rig.policy, idle_after_s=0.05)
    rig.sink.readers = 0
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().state is State.IDLE and not rig.source.is_open)
        opened = rig.source.opened
        pipeline.reload(rig.wiring())
        engine_before = rig.engine.opened
        wait_until(lambda: rig.engine.opened > engine_before)
        time.sleep(0.3)
        assert rig.source.opened == opened


def test_a_reload_that_switches_on_demand_off_wakes_the_camera() -> None:
    rig = Rig()
    rig.policy = replace(rig.policy, idle_after_s=0.05)
    rig.sink.readers = 0
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().state is State.IDLE)
        rig.policy = replace(rig.policy, idle_after_s=None)
        pipeline.reload(rig.wiring())
        wait_until(lambda: pipeline.snapshot().state is State.LIVE)
    rig.assert_closed()


def test_nobody_watching_closes_the_camera() -> None:
    rig = Rig()
    rig.policy = replace(rig.policy, idle_after_s=0.05)
    rig.sink.readers = 1
    with rig.running() as pipeline:
        rig.wait_live(3)
        rig.sink.readers = 0
        wait_until(lambda: pipeline.snapshot().state is State.IDLE and not rig.source.is_open)
        rig.sink.readers = 1
        wait_until(lambda: rig.source.is_open)
        rig.wait_live(sum(map(room.shows_person, rig.sink.pictures)) + 3)
    rig.assert_closed()


def test_stop_is_clean_within_a_second_even_when_the_engine_hangs() -> None:
    gate = threading.Event()
    rig = Rig(engine_faults={3: lambda: assert_set(gate)})
    with rig.running() as pipeline:
        wait_until(lambda: rig.engine.mattes == 4)
        pipeline.stop()
        wait_until(lambda: pipeline.ended)
    written = len(rig.sink.pictures)
    gate.set()
    time.sleep(0.05)
    assert len(rig.sink.pictures) == written
    rig.assert_closed()


def test_an_engine_that_never_returns_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_STALL_LIMIT_S", 0.3)
    gate = threading.Event()
    rig = Rig(engine_faults={3: lambda: assert_set(gate)})
    with pytest.raises(EngineError, match="has not returned"), rig.running() as pipeline:
        wait_until(lambda: pipeline.ended)
    gate.set()
    rig.assert_closed()

"""A pipeline over fakes and the real CPU processor, in a room that must not leak."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from tests.pipeline import room
from vcam.compose.cpu import CpuFrameProcessor
from vcam.decode.choose import make_decoder
from vcam.errors import EngineError, VcamError
from vcam.fakes import FakeEngine, FakeSink, FakeSource, Fault
from vcam.frame import AffineMatte
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.wiring import OpenedProcessor, Policy, ProcessorFactory, Wiring
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
    successor: ProcessorFactory | None = None
    ahead: bool = False

    def __post_init__(self) -> None:
        self.source = FakeSource(self.data, room.CAMERA, interval_s=INTERVAL_S, faults=self.source_faults)
        self.engine = FakeEngine(self.mask, faults=self.engine_faults, spoil=self.spoil)

    @property
    def sink(self) -> FakeSink:
        return self.sinks[0]

    def wiring(self) -> Wiring:
        def open_processor(_: Preparation) -> OpenedProcessor:
            self.before_engine()
            processor = CpuFrameProcessor(self.engine, [sink.format for sink in self.sinks])
            return OpenedProcessor(processor, "a test", ahead=self.ahead, successor=self.successor)

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


@contextmanager
def running(pipeline: Pipeline) -> Iterator[Pipeline]:
    """In its own thread, while entered."""
    runs = threading.Thread(target=pipeline.run)
    with pipeline:
        runs.start()
        try:
            yield pipeline
        finally:
            pipeline.stop()
            runs.join(LIMIT_S)
            assert not runs.is_alive()


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


def assert_set(gate: threading.Event) -> None:
    assert gate.wait(LIMIT_S)

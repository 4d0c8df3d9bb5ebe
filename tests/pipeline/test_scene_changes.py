"""A thousand changes over everything that a scene can be, while frames flow: none is lost, and nothing stays behind."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.pipeline import room
from tests.pipeline.rig import POLICY, Rig, wait_until
from vcam.bench.footprint import Footprint, footprint
from vcam.bench.scene_effects import Effect, effects, plain
from vcam.bench.scene_props import make_props
from vcam.compose.directed import DirectedProcessor, Director
from vcam.compose.layers import LayeredProcessor
from vcam.config import Config
from vcam.fakes import FakeSink, FakeSource
from vcam.frame import Image, PixelFormat, VideoFormat
from vcam.pipeline.assemble import reload
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.snapshot import DropReason, Outcome
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.wiring import OpenedProcessor, Wiring

CHANGES = 1000
INTERVAL_S = 0.002
MOST_GROWTH_KIB = 24 << 10
"""Between the second round over all effects and the last: allocators move by some megabytes."""


class _Forgetful(FakeSink):
    """Keeps no picture."""

    def write(self, image: Image) -> None:
        super().write(image)
        self.pictures.clear()


@dataclass
class _Finished(Rig):
    """With layers and auto-framing, and waiting for every frame: one that is missing was lost."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.source = FakeSource(self.data, room.CAMERA, interval_s=INTERVAL_S)

    def wiring(self) -> Wiring:
        wiring = super().wiring()
        director = Director(room.OUTPUT.size)

        def open_processor(preparation: Preparation) -> OpenedProcessor:
            opened = wiring.open_processor(preparation)
            return replace(opened, processor=LayeredProcessor(DirectedProcessor(opened.processor, director)))

        return replace(wiring, open_processor=open_processor)


@pytest.fixture
def everything(tmp_path: Path) -> list[Effect]:
    props = make_props(tmp_path, room.OUTPUT.size)
    return [plain(props), *effects(props)]


def _changed(pipeline: Pipeline, config: Config, effect: Effect) -> Config:
    """Put it into effect, and wait until it was shown."""
    new = config.model_copy(update=dict(effect.settings))
    reload(pipeline, config, new)
    shown = pipeline.snapshot().frames[Outcome.LIVE]
    wait_until(lambda: pipeline.snapshot().frames[Outcome.LIVE] > shown + 1)
    return new


def _settled(pipeline: Pipeline, config: Config, first: Effect) -> Footprint:
    """What is held while nothing moves; threads that were told to end have ended."""
    _changed(pipeline, config, first)
    seen = [footprint()]

    def steady() -> bool:
        seen.append(footprint())
        before, now = seen[-2:]
        return (before.descriptors, before.kernel_threads) == (now.descriptors, now.kernel_threads)

    wait_until(steady)
    return seen[-1]


def _endless(shown: list[Effect]) -> Iterator[Effect]:
    while True:
        yield from shown


@pytest.mark.timeout(400)
def test_a_thousand_changes_lose_no_frame_and_leave_nothing(everything: list[Effect]) -> None:
    sinks = (_Forgetful(room.OUTPUT), _Forgetful(VideoFormat(PixelFormat.I420, 160, 160)))
    rig = _Finished(sinks=sinks, policy=replace(POLICY, live=False))
    config = Config(background="green")
    with rig.running() as pipeline:
        wait_until(lambda: pipeline.snapshot().frames[Outcome.LIVE] > 0)
        safe = pipeline.snapshot().safe
        order, before = _endless(everything), None
        for k in range(CHANGES):
            if k == 2 * len(everything):
                before = _settled(pipeline, config, everything[0])
            config = _changed(pipeline, config, next(order))
        after = _settled(pipeline, config, everything[0])
        now, reads = pipeline.snapshot(), rig.source.reads
    assert before is not None
    assert now.frames[Outcome.SAFE] == now.frames[Outcome.DROPPED] == 0
    assert now.safe == safe
    assert all(now.dropped[reason] == 0 for reason in DropReason)
    assert 0 <= reads - now.frames[Outcome.LIVE] <= 3, "what is not counted yet is on its way"
    assert (after.descriptors, after.python_threads) == (before.descriptors, before.python_threads)
    assert after.kernel_threads <= before.kernel_threads
    assert after.resident_kib - before.resident_kib < MOST_GROWTH_KIB

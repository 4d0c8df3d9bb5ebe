"""Layers on finished pictures: in order, once for outputs that are one, and never without the processor's leave."""

from dataclasses import replace

import numpy as np
import pytest

from tests.compose.rig import NONE, NV12, YUYV, NoiseBackdrop, frame, planes_of, process
from vcam.compose.cpu import CpuFrameProcessor
from vcam.compose.layers import LayeredProcessor
from vcam.errors import EngineError
from vcam.fakes import FakeEngine
from vcam.frame import Overlay, VideoFormat
from vcam.scene.layer_encode import encode_overlay
from vcam.stages import Scene, Stage, StageTimes


class Square:
    """Satisfies Layer: a square of one colour; remembers what it was asked for."""

    def __init__(self, rgba: tuple[int, int, int, int], at: tuple[int, int] = (40, 20), side: int = 24) -> None:
        self._picture = np.full((side, side, 4), rgba, np.uint8)
        self._at = at
        self.asked: list[tuple[VideoFormat, int]] = []

    def render(self, target: VideoFormat, pts_ns: int) -> Overlay | None:
        self.asked.append((target, pts_ns))
        return encode_overlay(self._picture, *self._at, target)


class Nothing:
    """Satisfies Layer."""

    def render(self, target: VideoFormat, pts_ns: int) -> Overlay | None:
        return None


def test_the_last_layer_is_on_top() -> None:
    white, black = Square((255, 255, 255, 255)), Square((0, 0, 0, 255), at=(50, 30))
    with LayeredProcessor(CpuFrameProcessor(FakeEngine(NONE), [NV12])) as processor:
        plain, one, other = (
            planes_of(process(processor, frame(), Scene(NoiseBackdrop(), layers=layers)))[0][0]
            for layers in ((Nothing(),), (white, black), (black, white))
        )
    assert (one[20:30, 40:64] == 235).all()
    assert (one[30:44, 50:64] == 16).all()
    assert (other[30:44, 50:64] == 235).all()
    one[20:44, 40:64] = plain[20:44, 40:64]
    one[30:54, 50:74] = plain[30:54, 50:74]
    np.testing.assert_array_equal(one, plain)


def test_outputs_that_are_one_picture_are_painted_once() -> None:
    """A layer that is half clear shows it: painted twice it would be less so."""
    layer = Square((255, 255, 255, 128))
    scene = Scene(NoiseBackdrop(), layers=(layer,))
    with LayeredProcessor(CpuFrameProcessor(FakeEngine(NONE), [YUYV, NV12, replace(YUYV, stride=512)])) as several:
        first, second, third = planes_of(process(several, frame(), scene))
    assert layer.asked == [(YUYV, 1000), (NV12, 1000)]
    for target, planes in ((YUYV, first), (NV12, second), (YUYV, third)):
        with LayeredProcessor(CpuFrameProcessor(FakeEngine(NONE), [target])) as alone:
            (wanted,) = planes_of(process(alone, frame(), scene))
        for plane, same in zip(planes, wanted, strict=True):
            np.testing.assert_array_equal(plane, same)


def test_the_next_frame_starts_clean() -> None:
    layer = Square((255, 255, 255, 100))
    with LayeredProcessor(CpuFrameProcessor(FakeEngine(NONE), [YUYV])) as processor:
        (before,) = planes_of(process(processor, frame(), Scene(NoiseBackdrop())))
        (painted,) = planes_of(process(processor, frame(), Scene(NoiseBackdrop(), layers=(layer,))))
        (after,) = planes_of(process(processor, frame(), Scene(NoiseBackdrop())))
    assert (painted[0] != before[0]).any()
    np.testing.assert_array_equal(after[0], before[0])


def test_a_frame_without_a_matte_is_not_painted() -> None:
    layer = Square((255, 255, 255, 255))

    def broken() -> None:
        raise EngineError("the engine broke", hint="this is a test")

    with LayeredProcessor(CpuFrameProcessor(FakeEngine(NONE, faults={0: broken}), [YUYV])) as processor:
        with pytest.raises(EngineError):
            process(processor, frame(), Scene(NoiseBackdrop(), layers=(layer,)))
        assert layer.asked == []


def test_the_time_counts_and_the_rest_is_handed_on() -> None:
    engine, times = FakeEngine(NONE), StageTimes()
    inside = CpuFrameProcessor(engine, [YUYV])
    with LayeredProcessor(inside) as processor:
        assert engine.is_open
        assert processor.info == engine.info
        process(processor, frame(), Scene(NoiseBackdrop()), times)
        plain_s = times.seconds()[Stage.COMPOSE]
        assert (processor.last_alpha() == 0).all()
        process(processor, frame(), Scene(NoiseBackdrop(), layers=(Square((1, 2, 3, 4)),)), times)
        assert times.seconds()[Stage.COMPOSE] > plain_s
        processor.reset()
        assert engine.resets == 1
    assert not engine.is_open

"""Auto-framing around a frame processor: what it is asked for, how often, and what it does not touch."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Self

import numpy as np
import pytest

from tests.compose.rig import CAMERA, YUYV, NoiseBackdrop
from vcam.compose.directed import DirectedProcessor, Director
from vcam.frame import Image, Plane, Size, Stamp, allocate_planes
from vcam.looks import Framing
from vcam.stages import EngineInfo, Scene, StageTimes

FPS = 30
FRAME = allocate_planes(CAMERA)[1]


class Studio:
    """Satisfies FrameProcessor: remembers the framing of each frame; the person stands at the right."""

    def __init__(self) -> None:
        self.framings: list[Framing] = []
        self.looked: list[int] = []
        self.alpha = np.zeros((CAMERA.height, CAMERA.width), np.uint8)
        self.alpha[50:, 110:140] = 255

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("studio", "none", "fp32", CAMERA.size, "cpu")

    def process(self, image: Image, scene: Scene, times: StageTimes) -> Sequence[Image]:
        self.framings.append(scene.framing)
        return [image]

    def reset(self) -> None:
        return None

    def last_alpha(self) -> Plane:
        self.looked.append(len(self.framings))
        return self.alpha.copy()


def shoot(processor: DirectedProcessor, scene: Scene, frames: range) -> None:
    for k in frames:
        processor.process(Image(FRAME, CAMERA, Stamp(round(k * 1e9 / FPS), k)), scene, StageTimes())


AUTO = Scene(NoiseBackdrop(), framing=Framing(auto=True, zoom=4.0))


def test_the_framing_follows_the_person() -> None:
    studio = Studio()
    with DirectedProcessor(studio, Director(YUYV.size)) as processor:
        shoot(processor, AUTO, range(240))
    assert studio.framings[0] == Framing()
    last = studio.framings[-1]
    assert 1.5 < last.zoom <= 2.0
    assert last.pan_x > 0.5
    assert last.pan_y > 0.5
    assert studio.framings[-30:] == [last] * 30


def test_it_looks_five_times_a_second() -> None:
    studio = Studio()
    with DirectedProcessor(studio, Director(YUYV.size)) as processor:
        shoot(processor, AUTO, range(FPS * 2))
    assert studio.looked == list(range(1, FPS * 2, 6))


def test_without_it_the_scene_is_handed_on_untouched() -> None:
    studio = Studio()
    plain = Scene(NoiseBackdrop(), framing=Framing(zoom=3.0, pan_x=0.25))
    with DirectedProcessor(studio, Director(YUYV.size)) as processor:
        shoot(processor, plain, range(10))
        shoot(processor, Scene(NoiseBackdrop(), framing=Framing(auto=True), show_room=True), range(10, 20))
    assert studio.framings == [plain.framing] * 10 + [Framing(auto=True)] * 10
    assert studio.looked == []


def test_switched_on_again_it_begins_with_the_whole() -> None:
    studio = Studio()
    with DirectedProcessor(studio, Director(YUYV.size)) as processor:
        shoot(processor, AUTO, range(120))
        shoot(processor, Scene(NoiseBackdrop()), range(120, 121))
        shoot(processor, AUTO, range(121, 122))
    assert studio.framings[119].zoom > 1.5
    assert studio.framings[-1] == Framing()


@pytest.mark.parametrize(
    "manual", [Framing(zoom=1.6, pan_x=0.4, pan_y=-0.7), Framing(mirror=True, flip=True, zoom=3.5, pan_x=-0.9)]
)
def test_it_begins_where_it_is_switched_on(manual: Framing) -> None:
    studio = Studio()
    with DirectedProcessor(studio, Director(YUYV.size)) as processor:
        shoot(processor, Scene(NoiseBackdrop(), framing=manual), range(5))
        shoot(processor, Scene(NoiseBackdrop(), framing=replace(manual, auto=True)), range(5, 245))
    first, last = studio.framings[5], studio.framings[-1]
    assert (first.mirror, first.flip) == (manual.mirror, manual.flip)
    assert (first.zoom, first.pan_x, first.pan_y) == pytest.approx((manual.zoom, manual.pan_x, manual.pan_y))
    assert last != first, "it goes on from there"
    assert last.zoom <= 2.0


def test_an_engine_on_trial_steers_nothing_and_goes_on_with_the_same_shot() -> None:
    first, second, alone, director = Studio(), Studio(), Studio(), Director(YUYV.size)
    second.alpha[:] = 0
    second.alpha[50:, :30] = 255  # it is wrong about where the person is
    trial = Scene(NoiseBackdrop())
    with DirectedProcessor(first, director) as old, DirectedProcessor(second, director) as new:
        for k in range(120):
            shoot(old, AUTO, range(k, k + 1))
            shoot(new, trial, range(max(0, k - 2), max(1, k - 1)))  # it is late
        with DirectedProcessor(alone, Director(YUYV.size)) as only:
            shoot(only, AUTO, range(121))
        assert first.framings == alone.framings[:120]
        assert second.looked == []
        shoot(new, AUTO, range(120, 121))
    assert second.framings[-1] == alone.framings[-1]
    assert alone.framings[-1].zoom > 1.5


def test_another_camera_begins_with_the_whole() -> None:
    studio = Studio()
    with DirectedProcessor(studio, Director(YUYV.size)) as processor:
        shoot(processor, AUTO, range(120))
        small = CAMERA.resized(Size(80, 48))
        image = Image(allocate_planes(small)[1], small, Stamp(round(120 * 1e9 / FPS), 120, epoch=1))
        processor.process(image, AUTO, StageTimes())
    assert studio.framings[-1] == Framing()

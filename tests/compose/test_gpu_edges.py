"""Corrections of the matte along the person's edge on the GPU: those of the CPU, frame by frame, remembered alike."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from tests.compose.gpu_rig import SIZE, Gpu, assert_same, copies, drifting
from tests.compose.rig import CAMERA, NV12, SMALL, YUYV, NoiseBackdrop, frame
from tests.support.host_kernels import host_kernels
from vcam.cuda.edge import edge_bytes
from vcam.errors import GpuError, MatteInvalidError
from vcam.fakes import FakeDriver
from vcam.fakes.device_engine import Compute, Tensors
from vcam.frame import Image, Plane, Stamp, VideoFormat
from vcam.rvm import COEFFICIENTS
from vcam.stages import FrameProcessor, MatteControls, Scene, StageTimes

TARGETS = [YUYV, NV12, SMALL]
OFF = MatteControls()
ALL = MatteControls(1.0, 1.0, 1.0)
SMOOTH = MatteControls(smoothing=1.0)
OTHER = VideoFormat(NV12.pixel_format, 64, 48)
SCALED = 8
"""Levels: what a scaled picture differs by in one, the matrices make more of."""


@dataclass(frozen=True)
class Shot:
    """One frame of a story. still: the picture is that of every other frame that is still, so that nothing moves."""

    controls: MatteControls = OFF
    camera: VideoFormat = CAMERA
    blur: float = 0.0
    room: bool = False
    reset: bool = False
    still: bool = True


def make(compute: Compute | None = None, *, half: bool = False, graphs: bool = True) -> Gpu:
    driver = FakeDriver(host_kernels())
    return Gpu(TARGETS, compute or drifting(), half=half, graphs=graphs, driver=driver)


def play(processor: FrameProcessor, shot: Shot, number: int) -> list[tuple[Plane, ...]]:
    if shot.reset:
        processor.reset()
    image: Image = replace(frame(shot.camera, 1 if shot.still else number), stamp=Stamp(number * 1000, number))
    scene = Scene(NoiseBackdrop(), shot.blur, show_room=shot.room, matte=shot.controls)
    return copies(processor.process(image, scene, StageTimes()))


def assert_alike(gpu: Gpu, story: list[Shot]) -> None:
    with gpu.processor as processor, gpu.twin() as twin:
        for number, shot in enumerate(story):
            results = zip(TARGETS, play(processor, shot, number), play(twin, shot, number), strict=True)
            for target, got, wanted in results:
                assert_same([got], [wanted], limit=1 if target.size == shot.camera.size else SCALED)
            if not shot.room:
                assert_same([(processor.last_alpha(),)], [(twin.last_alpha(),)])
    assert gpu.driver.leaks() == []


STORIES: dict[str, list[Shot]] = {
    "smoothing": [Shot(SMOOTH)] * 6,
    "refinement": [Shot(MatteControls(refine=1.0))] * 4,
    "despill": [Shot(MatteControls(despill=1.0))] * 4,
    "all": [Shot(ALL)] * 6,
    "half as strong": [Shot(MatteControls(0.5, 0.5, 0.5))] * 6,
    "a picture that moves": [Shot(ALL, still=False)] * 5,
    "switched off and on": [Shot(SMOOTH)] * 4 + [Shot()] * 3 + [Shot(SMOOTH)] * 4,
    "smoothing off, others on": [Shot(ALL)] * 4 + [Shot(replace(ALL, smoothing=0.0))] * 3 + [Shot(ALL)] * 3,
    "other strengths while it remembers": [Shot(SMOOTH)] * 3 + [Shot(replace(ALL, smoothing=0.4))] * 4,
    "blur while it remembers": [Shot(SMOOTH)] * 3 + [Shot(SMOOTH, blur=30.0)] * 3 + [Shot(SMOOTH)] * 3,
    "a reset": [Shot(SMOOTH)] * 3 + [Shot(SMOOTH, reset=True)] + [Shot(SMOOTH)] * 3,
    "another camera": [Shot(SMOOTH)] * 3 + [Shot(SMOOTH, camera=OTHER)] * 3 + [Shot(SMOOTH)] * 3,
    "the room": [Shot(ALL)] * 3 + [Shot(ALL, room=True)] + [Shot(ALL)] * 3,
}


@pytest.mark.parametrize("story", STORIES)
def test_frames_are_those_of_the_cpu(story: str) -> None:
    assert_alike(make(), STORIES[story])


@pytest.mark.parametrize("graphs", [True, False])
@pytest.mark.parametrize("half", [True, False])
def test_in_half_precision_and_without_graphs(*, half: bool, graphs: bool) -> None:
    """A step between two frames that a smoothed matte follows late, so that a state that is lost would show."""
    assert_alike(make(half=half, graphs=graphs), [Shot(ALL)] * 6)


def test_the_corrections_are_seen() -> None:
    """Negative control: each of them changes the picture, and smoothing what follows a frame of another kind."""
    for controls in (MatteControls(refine=1.0), MatteControls(despill=1.0), SMOOTH):
        plain, corrected = make(), make()
        with plain.processor as one, corrected.processor as other:
            for number in range(3):
                without, with_it = play(one, Shot(), number), play(other, Shot(controls), number)
        assert np.abs(without[0][0].astype(int) - with_it[0][0].astype(int)).max() > 4


def test_a_matte_that_is_not_finite_is_forgotten() -> None:
    """What came with it would else be followed."""

    def spoilt(at: int) -> Compute:
        good, count = drifting(), iter(range(1000))

        def compute(inputs: Tensors) -> Tensors:
            outputs = dict(good(inputs))
            if next(count) == at:
                outputs[COEFFICIENTS[0]] = outputs[COEFFICIENTS[0]] + np.float32(np.nan)
            return outputs

        return compute

    with make(spoilt(3)).processor as processor, make().processor as other:
        for number in range(3):
            play(processor, Shot(SMOOTH), number)
        with pytest.raises(MatteInvalidError):
            play(processor, Shot(SMOOTH), 3)
        for number in range(4, 8):
            assert_same(play(processor, Shot(SMOOTH), number), play(other, Shot(SMOOTH), number), limit=0)


def test_after_a_fault_nothing_is_followed() -> None:
    gpu, fresh = make(), make()
    with gpu.processor as processor, fresh.processor as other:
        for number in range(4):
            play(processor, Shot(ALL), number)
        gpu.driver.fail("launch_graph", 2)
        with pytest.raises(GpuError):
            play(processor, Shot(ALL), 4)
        for number in range(5, 9):
            assert_same(play(processor, Shot(ALL), number), play(other, Shot(ALL), number), limit=0)


def test_off_they_take_no_memory_and_no_work() -> None:
    gpu = make()
    with gpu.processor as processor:
        for number in range(4):
            play(processor, Shot(), number)
        held = processor.device.allocated_bytes
        assert not any("edge" in name for name in gpu.driver.ran)
        play(processor, Shot(ALL), 4)
        assert processor.device.allocated_bytes == held + edge_bytes(SIZE)
        play(processor, Shot(), 5)
        play(processor, Shot(ALL), 6)
        assert processor.device.allocated_bytes == held + edge_bytes(SIZE)

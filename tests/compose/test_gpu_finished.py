"""Layers and auto-framing around the GPU's processor: the pictures are those of the CPU's."""

from dataclasses import replace

import numpy as np

from tests.compose.gpu_rig import Gpu, assert_same, copies
from tests.compose.rig import CAMERA, NV12, YUYV, frame
from tests.compose.test_layers import Square
from vcam.compose.directed import DirectedProcessor, Director
from vcam.compose.layers import LayeredProcessor
from vcam.fakes.device_engine import steady
from vcam.frame import Plane, Stamp
from vcam.looks import Framing
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import FrameProcessor, Scene, StageTimes

SOMEBODY = np.zeros((18, 32), np.float32)
SOMEBODY[9:, 20:26] = 1.0


def finished(processor: FrameProcessor) -> FrameProcessor:
    return LayeredProcessor(DirectedProcessor(processor, Director(YUYV.size)))


def shot(processor: FrameProcessor, scene: Scene, number: int) -> list[tuple[Plane, ...]]:
    """Five frames a second."""
    image = replace(frame(CAMERA), stamp=Stamp(number * 200_000_000, number))
    return copies(processor.process(image, scene, StageTimes()))


def test_layers_and_framing_are_those_of_the_cpu() -> None:
    gpu = Gpu([YUYV, NV12, YUYV], steady(SOMEBODY))
    layer = Square((250, 40, 90, 160))
    scene = Scene(SolidBackdrop((20, 90, 70)), framing=Framing(auto=True), layers=(layer,))
    with finished(gpu.processor) as on_gpu, finished(gpu.twin()) as on_cpu:
        pictures = [(shot(on_gpu, scene, k), shot(on_cpu, scene, k)) for k in range(18)]
    for got, wanted in pictures:
        assert_same(got, wanted)
    shown = [on_gpu[0][0][:, ::2] for on_gpu, _ in pictures]
    assert len({picture.tobytes() for picture in shown}) > 5, "nothing moved"
    assert {target for target, _ in layer.asked} == {YUYV, NV12}

"""The GPU's frame processor: what the CPU's one shows, frame by frame."""

import pytest

from tests.compose.gpu_rig import Gpu, assert_same, shown
from tests.compose.rig import NV12, SMALL, YUYV, NoiseBackdrop
from tests.native.pictures import SOURCES, TARGETS
from vcam.frame import Matrix, PixelFormat, Range, VideoFormat
from vcam.stages import Scene

FRAMES = 6
"""Two plain, two captured, two launched again."""


@pytest.mark.parametrize("graphs", [True, False])
@pytest.mark.parametrize("half", [True, False])
def test_each_frame_is_that_of_the_cpu(*, graphs: bool, half: bool) -> None:
    gpu = Gpu([YUYV, NV12, SMALL], half=half, graphs=graphs)
    with gpu.processor as processor, gpu.twin() as twin:
        results = [(shown(processor, n), shown(twin, n)) for n in range(FRAMES)]
    for got, wanted in results:
        assert_same(got, wanted)
    assert gpu.driver.leaks() == []


@pytest.mark.parametrize("blur", [0.0, 30.0])
@pytest.mark.parametrize("layout", SOURCES)
def test_every_camera_layout_into_every_output(layout: PixelFormat, blur: float) -> None:
    camera = VideoFormat(layout, 75, 43, range=Range.FULL)
    targets = [VideoFormat(each, 75, 43) for each in TARGETS]
    targets += [VideoFormat(each, 61, 37, range=Range.FULL, matrix=Matrix.BT709) for each in TARGETS]
    gpu = Gpu(targets)
    with gpu.processor as processor, gpu.twin() as twin:
        for n in range(4):
            scene = Scene(NoiseBackdrop(), blur=blur)
            assert_same(shown(processor, n, scene, camera), shown(twin, n, scene, camera))

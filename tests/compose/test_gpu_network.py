"""The whole GPU path without one: the real kernels, compiled for the CPU, and a network shaped like the real one."""

from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compose.gpu_rig import Gpu, assert_same, shown
from tests.compose.rig import SMALL, NoiseBackdrop
from tests.native.pictures import SOURCES, formats
from tests.native.pictures import TARGETS as TARGET_LAYOUTS
from tests.support.host_kernels import host_kernels
from tests.support.rvm_like import make_rvm_like
from vcam.compose.cpu import CpuFrameProcessor
from vcam.engines.rvm_onnxruntime import OnnxRuntimeEngine
from vcam.fakes import FakeDriver
from vcam.fakes.device_engine import Compute, Tensors
from vcam.frame import PixelFormat, Range, Size, VideoFormat
from vcam.model.prepare import PrepareOptions, prepare
from vcam.model.runtime import Network
from vcam.stages import CoreModel, Scene

SIZE = Size(64, 48)
SCALED = 8
"""Levels: limited YUV to RGB turns one into 3.2 at most, the soft coefficients of the rig that into twice as much."""

TARGETS = [VideoFormat(PixelFormat.YUYV, 160, 96), VideoFormat(PixelFormat.NV12, 160, 96), SMALL]


@pytest.fixture(scope="module", params=["fp32", "fp16"])
def core(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CoreModel:
    folder: Path = tmp_path_factory.mktemp("core")
    onnx.save(make_rvm_like("deep"), folder / "like.onnx")
    return prepare(PrepareOptions(folder, SIZE, folder / "like.onnx", str(request.param)))


def network(core: CoreModel) -> Compute:
    """What the core computes, as a device's engine does: its inputs are where the processor put them."""
    ready = Network(onnx.load(core.path), threads=1)
    half = {name for name in ("src",) if core.precision == "fp16"}

    def compute(inputs: Tensors) -> Tensors:
        given = {name: values.astype(np.float16) if name in half else values for name, values in inputs.items()}
        return {name: values.astype(np.float32) for name, values in ready.run(given).items()}

    return compute


@pytest.mark.parametrize(
    ("layout", "blur"), [*((each, 0.0) for each in SOURCES), (PixelFormat.I422, 30.0), (PixelFormat.NV12, 30.0)]
)
def test_with_kernels_and_network_frames_are_those_of_the_cpu(
    core: CoreModel, layout: PixelFormat, blur: float
) -> None:
    """Six frames of recurrence: plain, captured and launched. The float16 core's A and b are float16 on both sides."""
    camera = VideoFormat(layout, 160, 96, range=Range.FULL)
    gpu = Gpu(TARGETS, network(core), half=core.precision == "fp16", size=SIZE, driver=FakeDriver(host_kernels()))
    with gpu.processor as processor, CpuFrameProcessor(OnnxRuntimeEngine(core, threads=1), TARGETS, gpu.levels) as cpu:
        for number in range(6):
            show = partial(shown, sequence=number, scene=Scene(NoiseBackdrop(), blur=blur), fmt=camera)
            assert_same(show(processor), show(cpu))
            assert_same([(processor.last_alpha(),)], [(cpu.last_alpha(),)])
        assert processor.captured
    assert gpu.driver.leaks() == []


@settings(max_examples=40)
@given(
    camera=formats(SOURCES),
    targets=st.lists(formats(TARGET_LAYOUTS), min_size=1, max_size=3),
    half=st.booleans(),
    blur=st.sampled_from([0.0, 0.0, 4.0, 60.0]),
)
def test_any_camera_into_any_outputs(
    camera: VideoFormat, targets: list[VideoFormat], *, half: bool, blur: float
) -> None:
    """Sizes of one pixel and more, in the real kernels; three frames, the last one captured.

    A scaled picture is rounded, one level apart at times, before matrices and coefficients make more of it.
    """
    gpu = Gpu(targets, half=half, driver=FakeDriver(host_kernels()))
    with gpu.processor as processor, gpu.twin() as twin:
        for number in range(3):
            show = partial(shown, sequence=number, scene=Scene(NoiseBackdrop(), blur=blur), fmt=camera)
            for target, got, wanted in zip(targets, show(processor), show(twin), strict=True):
                assert_same([got], [wanted], limit=1 if target.size == camera.size else SCALED)
    assert gpu.driver.leaks() == []

"""The processor through the real pycuda and cuda-bindings, on a GPU; and, in a process of its own, on a CPU as GPU."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from tests.compose.gpu_rig import HostEngine, assert_same, copies
from tests.compose.rig import CAMERA, SMALL, YUYV, NoiseBackdrop, frame
from tests.cuda.conftest import NOTHING, left_on_cpu
from tests.support.gpu import real_driver
from tests.support.jpeg import encode_jpeg, smooth_rgb
from tests.support.libcuda.kernels import IMAGE, PLACE, build_kernels, load_kernels
from tests.support.libcuda.site import CpuAsGpu
from vcam.compose.cpu import CpuFrameProcessor
from vcam.compose.gpu import GpuFrameProcessor, GpuOptions
from vcam.cuda.driver import Driver
from vcam.cuda.kernels import read_fatbin
from vcam.decode.turbo import TurboDecoder
from vcam.errors import MatteInvalidError
from vcam.fakes.device_engine import Tensors
from vcam.frame import EncodedFrame, Levels, PixelFormat, Size, Stamp, VideoFormat
from vcam.looks import ColorMap
from vcam.rvm import COEFFICIENTS, SRC, STATES_OUT, core_shapes
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import (
    EngineInfo,
    Framing,
    MatteControls,
    PersonLook,
    RoomLook,
    Scene,
    StageTimes,
    TensorSpec,
)

SIZE = Size(32, 18)
TARGETS = [YUYV, VideoFormat(PixelFormat.NV12, 75, 43), SMALL]
SCALED = 8
"""Levels: what a scaled picture differs by in one, the matrices make more of."""
HALF, FULL = 0x38, 0x3E
"""In each byte: 0.527 in float16, 0.186 in float32."""


class FillEngine:
    """A DeviceEngine that needs no library: A is 0, b the same everywhere. ``silent``: it writes nothing."""

    def __init__(self, driver: Driver, *, half: bool) -> None:
        self._driver = driver
        self._half = half
        self._bound: dict[int, Mapping[str, int]] = {}
        self.silent = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._bound.clear()

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("fill", "none", "fp16" if self._half else "fp32", SIZE, "any")

    @property
    def input_size(self) -> Size:
        return SIZE

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        half = {SRC, *COEFFICIENTS} if self._half else set()
        return {name: TensorSpec(shape, name in half) for name, shape in core_shapes(SIZE).items()}

    def bind(self, turn: int, addresses: Mapping[str, int]) -> None:
        self._bound[turn] = addresses

    def enqueue(self, turn: int, *, cuda_stream: int) -> None:
        if self.silent:
            return
        for name, value in zip(COEFFICIENTS, (0, HALF if self._half else FULL), strict=True):
            nbytes = self.tensors[name].nbytes
            self._driver.fill(self._bound[turn][name], value, nbytes, cuda_stream=cuda_stream)

    def compute(self, inputs: Tensors) -> Tensors:
        """The same, for the CPU."""
        shapes = core_shapes(SIZE)
        b = np.full(4, HALF if self._half else FULL, np.uint8).view(np.float16 if self._half else np.float32)[0]
        outputs = {name: np.zeros(shapes[name], np.float32) for name in (*COEFFICIENTS, *STATES_OUT)}
        outputs[COEFFICIENTS[1]].fill(b)
        return outputs


@pytest.fixture
def driver() -> Iterator[Driver]:
    """Each test leaves nothing behind."""
    yield real_driver()
    assert left_on_cpu() in (None, NOTHING)


def options(*, graphs: bool = True) -> GpuOptions:
    image = IMAGE if load_kernels() else read_fatbin()
    return GpuOptions(graphs=graphs, fatbin=lambda: image)


@pytest.mark.gpu
@pytest.mark.parametrize("graphs", [True, False])
@pytest.mark.parametrize("half", [True, False])
@pytest.mark.parametrize("blur", [0.0, 30.0])
def test_it_shows_what_the_cpu_does(driver: Driver, *, half: bool, graphs: bool, blur: float) -> None:
    engine = FillEngine(driver, half=half)
    cpu = CpuFrameProcessor(HostEngine(engine.compute, SIZE), TARGETS, Levels())
    gpu = GpuFrameProcessor(driver, engine, TARGETS, Levels(), options(graphs=graphs))
    with gpu, cpu:
        for number in range(8):
            fmt = CAMERA if number < 6 else VideoFormat(PixelFormat.NV12, 75, 43)
            image, scene, times = frame(fmt, number), Scene(NoiseBackdrop(), blur=blur), StageTimes()
            assert_same(copies(gpu.process(image, scene, times)), copies(cpu.process(image, scene, StageTimes())))
            assert_same([(gpu.last_alpha(),)], [(cpu.last_alpha(),)])
            assert gpu.captured is (None if graphs and number < 2 else graphs)
            assert len(times.seconds()) == 5
        room = Scene(NoiseBackdrop(), show_room=True)
        for _ in range(4):
            assert_same(copies(gpu.process(image, room, times)), copies(cpu.process(image, room, times)))


@pytest.mark.gpu
@pytest.mark.parametrize("graphs", [True, False])
def test_every_effect_at_once_is_what_the_cpu_shows(driver: Driver, *, graphs: bool) -> None:
    """Numbers that change with each frame, read by graphs that do not."""
    engine = FillEngine(driver, half=False)
    cpu = CpuFrameProcessor(HostEngine(engine.compute, SIZE), [YUYV], Levels())
    gpu = GpuFrameProcessor(driver, engine, [YUYV], Levels(), options(graphs=graphs))
    person = PersonLook(0.9, 1.1, 1.2, 1.5, 0.7, 0.2, ColorMap.OCEAN, blur=30.0, hologram=0.6, light_wrap=0.5)
    matte = MatteControls(0.5, 0.5, 0.5, threshold=0.4, softness=0.7, grow=0.4)
    with gpu, cpu:
        for number in range(8):
            framing = Framing(mirror=True, zoom=1.0 + 0.1 * number)
            room = RoomLook(tint=0.1 + 0.1 * number)
            scene = Scene(NoiseBackdrop(), 30.0, matte=matte, person=person, framing=framing, room=room)
            image = replace(frame(CAMERA, number), stamp=Stamp(40_000_000 * number, number))
            got, wanted = (copies(each.process(image, scene, StageTimes())) for each in (gpu, cpu))
            assert_same(got, wanted, limit=SCALED)
            assert gpu.captured is (None if graphs and number < 2 else graphs)


@pytest.mark.gpu
def test_jpegs_are_uploaded_from_the_decoder_s_own_planes(driver: Driver) -> None:
    engine = FillEngine(driver, half=True)
    scene = Scene(SolidBackdrop((20, 90, 160)))
    with (
        GpuFrameProcessor(driver, engine, TARGETS, Levels(), options()) as gpu,
        CpuFrameProcessor(HostEngine(engine.compute, SIZE), TARGETS, Levels()) as cpu,
    ):
        for size in ((160, 96), (75, 43)):
            mjpg = VideoFormat(PixelFormat.MJPG, *size)
            with TurboDecoder(allocate=gpu.allocate) as decoder:
                for number in range(6):
                    data = encode_jpeg(np.roll(smooth_rgb(*size), 9 * number, axis=1))
                    image = decoder.decode(EncodedFrame(data, mjpg, Stamp(number, number)))
                    times = StageTimes()
                    assert_same(copies(gpu.process(image, scene, times)), copies(cpu.process(image, scene, times)))
                del image


@pytest.mark.gpu
@pytest.mark.parametrize("half", [True, False])
def test_an_engine_that_writes_nothing_gives_no_picture(driver: Driver, *, half: bool) -> None:
    engine = FillEngine(driver, half=half)
    with GpuFrameProcessor(driver, engine, TARGETS, Levels(), options(graphs=False)) as gpu:
        for number in range(6):
            engine.silent = number % 3 == 2
            if engine.silent:
                with pytest.raises(MatteInvalidError):
                    gpu.process(frame(sequence=number), Scene(NoiseBackdrop()), StageTimes())
            else:
                gpu.process(frame(sequence=number), Scene(NoiseBackdrop()), StageTimes())


def test_it_works_through_the_real_libraries(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests above, where the GPU is this CPU, but pycuda, cuda-bindings and vcam's kernels are the real ones."""
    folder = tmp_path_factory.mktemp("libcuda")
    machine = CpuAsGpu(folder)
    monkeypatch.setenv(PLACE, str(build_kernels(folder)))
    done = machine.python_with_pycuda("-m", "pytest", "-q", "-m", "gpu", "-p", "no:cacheprovider", __file__)
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) == 13
    assert "PyCUDA WARNING" not in done.stdout + done.stderr

"""A GPU in the machine: at once where its plan is there, else as the successor of an engine on the CPU.

The GPU is fake, and so is TensorRT; the network that runs "on it" is the prepared one, in ONNX Runtime.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import psutil  # type: ignore[import-untyped]
import pytest

from tests.pipeline.rig import running, wait_until
from tests.support.jpeg import encode_jpeg, smooth_rgb
from tests.support.mask_like import mean, network
from tests.support.mirror import mirrored
from tests.support.native_kernels import native_kernels
from tests.support.rvm_like import make_rvm_like
from vcam.compose.gpu import GpuFrameProcessor, GpuOptions
from vcam.config import Config, WhileBuilding
from vcam.cuda.probe import GpuAnswer
from vcam.decode.nvjpeg_library import Functions
from vcam.decode.race import DecoderRace
from vcam.engine_names import EngineName
from vcam.engines import tensorrt_builder
from vcam.engines.select import look
from vcam.engines.tensorrt_builder import BuildStoppedError
from vcam.engines.tensorrt_flavour import Flavour
from vcam.engines.tensorrt_key import PlanRequest
from vcam.engines.tensorrt_plans import PlanState, PlanStatus
from vcam.engines.tensorrt_progress import BuildProgress, ProgressCallback
from vcam.errors import EngineError, EngineUnavailableError, ModelFetchError, ModelMismatchError
from vcam.fakes import FakeDriver, FakeSource
from vcam.fakes.device_engine import FakeDeviceEngine, Tensors
from vcam.frame import PixelFormat, Size, VideoFormat
from vcam.pipeline import assemble_engine, assemble_gpu
from vcam.pipeline.assemble import assemble, wire
from vcam.pipeline.assemble_engine import EngineRoom
from vcam.pipeline.assemble_model import silent
from vcam.pipeline.preparation import Preparation
from vcam.pipeline.snapshot import SafeReason, TakeoverOutcome, TakeoverState
from vcam.pipeline.supervisor import Pipeline
from vcam.pipeline.takeover import TakeoverPolicy
from vcam.pipeline.wiring import OpenedProcessor, Policy
from vcam.rvm import COEFFICIENTS, SRC, STATES_OUT
from vcam.sources.pace import Pace
from vcam.sources.test_scene import TestScene, TestSource
from vcam.stages import EngineInfo, Source

CAMERA = Size(320, 180)
TARGET = VideoFormat(PixelFormat.YUYV, 320, 180)
MODEL = "rvm_like"
OUT_OF_MEMORY = 2
"""CUDA's own number."""


class OnFakeGpu(FakeDeviceEngine):
    """The plan of a request: the same network, computed by ONNX Runtime when the fake GPU comes to it."""

    def __init__(self, gpu: "Gpu", request: PlanRequest) -> None:
        core = request.core
        super().__init__(gpu.driver, core.size, self._infer, half=core.precision == "fp16")
        gpu.engines.append(self)
        self._core = core
        self._flavour = request.flavour
        self._session = onnxruntime.InferenceSession(str(core.path), providers=["CPUExecutionProvider"])

    def _infer(self, inputs: Tensors) -> Tensors:
        names = (*COEFFICIENTS, *STATES_OUT)
        src = inputs[SRC].astype(np.float16 if self._half else np.float32)
        results = self._session.run(list(names), {**inputs, SRC: src})
        return {name: result.astype(np.float32) for name, result in zip(names, results, strict=True)}

    @property
    def info(self) -> EngineInfo:
        return EngineInfo(str(self._flavour), self._core.name, self._core.precision, self._core.size, "Fake GPU")


@dataclass
class Gpu:
    """What was asked of TensorRT, and how it answers. built: the plans that there are."""

    driver: FakeDriver = field(default_factory=lambda: FakeDriver(native_kernels()))
    built: list[PlanRequest] = field(default_factory=list)
    builds: list[PlanRequest] = field(default_factory=list)
    engines: list[OnFakeGpu] = field(default_factory=list)
    building: Callable[[Callable[[], bool]], None] = lambda _: None
    library: Callable[[Flavour], object] = lambda _: object()

    def look_finds(self, monkeypatch: pytest.MonkeyPatch, **otherwise: object) -> None:
        """This machine with a GPU and TensorRT, but for what is said."""
        gpu = GpuAnswer(self.driver.facts(0))
        found = look(model=True)
        installed = found.installed - {EngineName.TENSORRT_RTX} | {EngineName.TENSORRT}
        here = replace(found, gpu=gpu, cuda=True, installed=installed)
        here = replace(here, **otherwise)  # type: ignore[arg-type]  # fields by name
        monkeypatch.setattr(assemble_engine, "look", lambda *, model: here)

    def plan_state(self, request: PlanRequest) -> PlanState:
        return PlanState(PlanStatus.READY if request in self.built else PlanStatus.ABSENT, request.folder)

    def ensure_plan(self, request: PlanRequest, progress: ProgressCallback, *, stop: Callable[[], bool]) -> Path:
        self.builds.append(request)
        progress(BuildProgress("building", 0.43))
        self.building(stop)
        self.built.append(request)
        return request.folder


def no_nvjpeg() -> Functions:
    raise EngineUnavailableError("no nvJPEG", hint="this is a test")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gpu]:
    gpu = Gpu()
    gpu.look_finds(monkeypatch)
    for name, stand_in in {
        "process_driver": lambda: gpu.driver,
        "plan_state": gpu.plan_state,
        "ensure_plan": gpu.ensure_plan,
        "load_module": lambda flavour: gpu.library(flavour),
        "TensorRtEngine": partial(OnFakeGpu, gpu),
        "DecoderRace": partial(DecoderRace, load=no_nvjpeg),
        "GpuFrameProcessor": partial(GpuFrameProcessor, options=GpuOptions(fatbin=lambda: b"kernels")),
    }.items():
        monkeypatch.setattr(assemble_gpu, name, stand_in)
    patient = TakeoverPolicy(pace_limit=1e6)  # a fake GPU computes on the CPU, as slowly as that is
    monkeypatch.setattr("vcam.pipeline.assemble.Policy", partial(Policy, takeover=patient))
    yield gpu
    assert gpu.driver.leaks() == []


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a network is that stands for the real one; what is prepared of it is kept from test to test."""
    folder = tmp_path_factory.mktemp("models")
    onnx.save(make_rvm_like("deep"), folder / f"{MODEL}.onnx")
    return folder


@pytest.fixture
def config(models_dir: Path) -> Config:
    return settings(models_dir)


def settings(models_dir: Path, **keys: object) -> Config:
    fixed = {"input": "test:320x180@60", "output": ("null:",), "models_dir": models_dir, "downsample": 0.2}
    return Config.model_validate({"model": str(models_dir / f"{MODEL}.onnx"), "http_port": 0, **fixed, **keys})


def engine_room(config: Config, *, waits: bool = False) -> EngineRoom:
    return EngineRoom(config, CAMERA, (TARGET,), silent, waits=waits)


def entered(opened: OpenedProcessor) -> EngineInfo:
    with opened.processor as processor:
        return processor.info


def build_plan(config: Config) -> EngineInfo:
    """As a first run does."""
    return entered(engine_room(config, waits=True).open_processor(Preparation()))


def test_a_plan_that_is_there_runs_at_once(gpu: Gpu, config: Config) -> None:
    build_plan(config)
    opened = engine_room(config).open_processor(Preparation())
    assert (opened.ahead, opened.successor, opened.gpu_graph()) == (True, None, None)
    assert opened.make_decoder is not None
    assert opened.reason == "a GPU and TensorRT are here"
    assert entered(opened) == EngineInfo("tensorrt", MODEL, "fp16", Size(64, 36), "Fake GPU")
    assert len(gpu.builds) == 1


def test_until_the_plan_is_built_an_engine_on_the_cpu_runs(gpu: Gpu, config: Config) -> None:
    opened = engine_room(config).open_processor(Preparation())
    assert entered(opened).engine == "openvino"
    assert "the plan for the Fake GPU is yet to be built" in opened.reason
    assert gpu.builds == []
    assert opened.successor is not None
    shares: list[float | None] = []
    preparation = Preparation(built=lambda _: shares.append(preparation.plan_build_share))
    gpu.building = lambda _: shares.append(preparation.plan_build_share)
    better = opened.successor(preparation)
    assert shares == [0.43, 0.43]
    assert preparation.plan_build_share is None
    assert better.ahead
    assert entered(better).size == entered(opened).size, "the picture must not change with the engine"


def test_a_gpu_that_keeps_failing_is_tried_beside_the_cpu(gpu: Gpu, config: Config) -> None:
    build_plan(config)
    room = engine_room(config)
    openings = [room.open_processor(Preparation()) for _ in range(4)]
    assert [opened.ahead for opened in openings] == [True, True, False, False]
    assert [opened.successor is not None for opened in openings] == [False, False, True, True]
    assert "failed 2 times" in openings[2].reason


def test_a_gpu_that_was_asked_for_is_opened_again_and_again(gpu: Gpu, models_dir: Path) -> None:
    config = settings(models_dir, engine=EngineName.TENSORRT)
    build_plan(config)
    room = engine_room(config)
    assert all(room.open_processor(Preparation()).ahead for _ in range(4))


@pytest.mark.parametrize("waits", [True, False])
def test_a_card_or_a_file_waits_for_the_plan(gpu: Gpu, config: Config, waits: bool) -> None:
    config = config if waits else config.model_copy(update={"while_building": WhileBuilding.SAFE})
    opened = engine_room(config, waits=waits).open_processor(Preparation())
    assert (opened.successor, len(gpu.builds)) == (None, 1)
    assert entered(opened).engine == "tensorrt"


def test_a_file_waits_and_a_camera_does_not(gpu: Gpu, models_dir: Path) -> None:
    with assemble(settings(models_dir, frames=3)) as pipeline:
        pipeline.run()
    assert len(gpu.builds) == 1


def test_settings_reach_the_plan(gpu: Gpu, models_dir: Path, tmp_path: Path) -> None:
    config = settings(models_dir, fp16=False, plan_dir=tmp_path, engine=EngineName.TENSORRT)
    assert build_plan(config).precision == "fp32"
    (request,) = gpu.builds
    assert (request.folder, request.core.precision, request.flavour) == (tmp_path, "fp32", Flavour.TENSORRT)
    assert request.gpu == gpu.driver.facts(0)
    assert build_plan(settings(models_dir)).precision == "fp16"
    assert gpu.builds[1].folder == models_dir / "plans"


def test_rtx_is_taken_where_it_is_asked_for(gpu: Gpu, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu.look_finds(monkeypatch, installed=frozenset({EngineName.TENSORRT_RTX}))
    assert build_plan(settings(models_dir, engine=EngineName.TENSORRT_RTX)).engine == "tensorrt-rtx"
    assert gpu.builds[0].flavour is Flavour.RTX


def no_gpu(gpu: Gpu, monkeypatch: pytest.MonkeyPatch) -> None:
    gpu.look_finds(monkeypatch, gpu=GpuAnswer(None, "no NVIDIA driver", "install it"))


def test_without_a_gpu_auto_takes_the_cpu_and_says_why(
    gpu: Gpu, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_gpu(gpu, monkeypatch)
    opened = engine_room(config).open_processor(Preparation())
    assert (entered(opened).engine, opened.successor) == ("openvino", None)
    assert "no NVIDIA driver" in opened.reason


def test_without_a_gpu_one_that_was_asked_for_is_an_error(
    gpu: Gpu, models_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_gpu(gpu, monkeypatch)
    with pytest.raises(EngineUnavailableError, match="no NVIDIA driver") as caught:
        engine_room(settings(models_dir, engine=EngineName.TENSORRT)).open_processor(Preparation())
    assert (caught.value.exit_code, caught.value.hint) == (6, "install it")


@pytest.mark.parametrize("waits", [True, False])
def test_a_library_that_cannot_be_loaded(
    gpu: Gpu, models_dir: Path, waits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Flavour) -> object:
        raise EngineUnavailableError("TensorRT lacks a file", hint="install it")

    gpu.library = broken
    opened = engine_room(settings(models_dir), waits=waits).open_processor(Preparation())
    assert (entered(opened).engine, opened.successor) == ("openvino", None)
    assert "TensorRT lacks a file" in opened.reason
    (told,) = [record for record in caplog.records if record.message == "engine.no_gpu"]
    assert told.__dict__["hint"] == "install it"
    with pytest.raises(EngineUnavailableError, match="lacks a file"):
        engine_room(settings(models_dir, engine=EngineName.TENSORRT), waits=waits).open_processor(Preparation())


def test_a_build_is_stopped_when_it_is_cancelled(gpu: Gpu, config: Config) -> None:
    preparation = Preparation()

    def building(stop: Callable[[], bool]) -> None:
        before = stop()
        preparation.cancel()
        assert (before, stop()) == (False, True)
        raise BuildStoppedError

    gpu.building = building
    with pytest.raises(BuildStoppedError):
        engine_room(config, waits=True).open_processor(preparation)
    assert preparation.plan_build_share is None


def test_a_build_that_fails_is_an_error_to_be_tried_again(gpu: Gpu, config: Config) -> None:
    def building(_: Callable[[], bool]) -> None:
        raise EngineError("the build broke", hint="this is a test")

    gpu.building = building
    with pytest.raises(EngineError, match="the build broke"):
        engine_room(config, waits=True).open_processor(Preparation())


@pytest.mark.parametrize("waits", [True, False])
def test_a_mask_network_has_no_successor(gpu: Gpu, models_dir: Path, tmp_path: Path, waits: bool) -> None:
    path = network(tmp_path, [mean()])
    opened = engine_room(settings(models_dir, model=str(path)), waits=waits).open_processor(Preparation())
    assert (entered(opened).model, opened.successor) == (path.stem, None)
    with pytest.raises(ModelMismatchError):
        engine_room(settings(models_dir, model=str(path), engine=EngineName.TENSORRT), waits=waits).open_processor(
            Preparation()
        )


@pytest.mark.parametrize("waits", [True, False])
def test_without_a_network_the_plate_engine_runs_and_nothing_follows(gpu: Gpu, tmp_path: Path, waits: bool) -> None:
    config = settings(tmp_path, model=None, model_download=False)
    opened = engine_room(config, waits=waits).open_processor(Preparation())
    assert (entered(opened).engine, opened.successor) == ("plate", None)
    with pytest.raises(ModelFetchError):
        engine_room(
            settings(tmp_path, model=None, model_download=False, engine=EngineName.TENSORRT), waits=waits
        ).open_processor(Preparation())


def test_a_download_that_works_at_last_brings_the_cpu_and_then_the_gpu(
    gpu: Gpu, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The computer was up before its network."""
    seen: list[str] = []

    def building(_: Callable[[], bool]) -> None:
        wait_until(lambda: engine_of(pipeline) == "openvino")
        seen.append("openvino")

    gpu.building = building
    with mirrored(models_dir / f"{MODEL}.onnx", monkeypatch) as mirror:
        pipeline = assemble(settings(tmp_path, model=None))
        with running(pipeline):
            wait_until(lambda: pipeline.snapshot().last_live_age_s is not None)
            seen.append(engine_of(pipeline))
            mirror.open()
            wait_until(lambda: engine_of(pipeline) == "tensorrt")
            after = pipeline.snapshot()
    assert seen == ["plate", "openvino"]
    assert (after.takeover, after.takeovers[TakeoverOutcome.SWAPPED]) == (TakeoverState.DONE, 2)
    assert after.takeovers[TakeoverOutcome.FAILED] == 0, "a download that fails is no engine that fails"


def engine_of(pipeline: Pipeline) -> str:
    engine = pipeline.snapshot().engine
    return "" if engine is None else engine.engine


def jpeg_source() -> FakeSource:
    jpeg = encode_jpeg(smooth_rgb(CAMERA.width, CAMERA.height))
    return FakeSource(jpeg, VideoFormat(PixelFormat.MJPG, CAMERA.width, CAMERA.height), interval_s=0.01)


def scene_source() -> Source:
    return TestSource(TestScene(CAMERA, 60), pace=Pace.REALTIME, frames=None)


@pytest.mark.parametrize(("open_source", "decoder"), [(scene_source, "raw"), (jpeg_source, "turbojpeg")])
def test_the_gpu_takes_over_from_the_cpu_with_the_same_network(
    gpu: Gpu, config: Config, open_source: Callable[[], Source], decoder: str
) -> None:
    """Everything but the GPU is real: preparation, both engines, both processors, decoders, the thread ahead."""
    gate = threading.Event()
    gpu.building = lambda _: wait_until(gate.is_set)
    with running(Pipeline(replace(wire(config), open_source=open_source))) as pipeline:
        wait_until(lambda: pipeline.snapshot().plan_build_share == 0.43)
        wait_until(lambda: pipeline.snapshot().last_live_age_s is not None)
        before = pipeline.snapshot()
        gate.set()
        wait_until(lambda: pipeline.snapshot().takeover is TakeoverState.DONE)
        frames = pipeline.statistics.table()[0].count
        wait_until(lambda: pipeline.statistics.table()[0].count > frames + 5)
        after = pipeline.snapshot()
    assert before.engine is not None
    assert after.engine is not None
    assert (before.engine.engine, after.engine.engine) == ("openvino", "tensorrt")
    assert (before.engine.model, before.engine.size) == (after.engine.model, after.engine.size)
    assert after.takeovers[TakeoverOutcome.SWAPPED] == 1
    assert after.plan_build_s is not None
    assert (before.gpu_graph, after.gpu_graph) == (None, True)
    assert before.decoder == after.decoder == decoder


def test_after_an_error_the_gpu_is_opened_at_once(gpu: Gpu, config: Config) -> None:
    """Its plan is there now: no engine on the CPU is needed between."""
    with running(assemble(config)) as pipeline:
        wait_until(lambda: pipeline.snapshot().takeover is TakeoverState.DONE)
        for nth in range(1, 4):
            gpu.driver.fail("synchronize_stream", OUT_OF_MEMORY, on=nth)
        wait_until(lambda: len(gpu.engines) == 2)
        wait_until(lambda: gpu.engines[1].ran > 10)
        now = pipeline.snapshot()
    assert now.safe[SafeReason.ENGINE_ERROR] >= 1
    assert now.engine is not None
    assert now.engine.engine == "tensorrt"
    assert (now.takeovers[TakeoverOutcome.SWAPPED], now.takeover) == (1, TakeoverState.NONE)
    assert len(gpu.builds) == 1


@pytest.mark.parametrize("how", ["stop", "reload"])
@pytest.mark.parametrize("while_building", list(WhileBuilding))
def test_the_process_that_builds_ends_with_the_pipeline(
    gpu: Gpu, models_dir: Path, tmp_path: Path, how: str, while_building: WhileBuilding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real parent of a child that would build for ever."""
    endless = "import sys, time; sys.stdin.readline(); time.sleep(1000)"
    monkeypatch.setattr(tensorrt_builder, "_BOOT", endless)
    monkeypatch.setattr(tensorrt_builder, "load_module", lambda _: TensorRtNames)
    monkeypatch.setattr(assemble_gpu, "ensure_plan", tensorrt_builder.ensure_plan)
    monkeypatch.setattr(assemble_gpu, "plan_state", tensorrt_builder.plan_state)
    with running(
        assemble(settings(models_dir, plan_dir=tmp_path / "plans", while_building=while_building))
    ) as pipeline:
        wait_until(lambda: bool(children()))
        (child,) = children()
        assert pipeline.snapshot().plan_build_share == 0.0
        if how == "stop":
            pipeline.stop()
        else:
            pipeline.reload(replace(wire(settings(models_dir, engine=EngineName.PLATE)), sinks=pipeline.sinks))
        wait_until(lambda: gone(child))
    assert children() == []
    assert [path for path in (tmp_path / "plans").iterdir() if path.suffix in {".plan", ".tmp"}] == []


def gone(child: psutil.Process) -> bool:
    try:
        return bool(child.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def children() -> list[psutil.Process]:
    """Those that build; one may end while it is looked at."""
    found = []
    for each in psutil.Process().children():
        with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
            if "time.sleep(1000)" in " ".join(each.cmdline()):
                found.append(each)
    return found


class TensorRtNames:
    """As much of the library as a plan's key needs."""

    __version__ = "10.99.0.1"

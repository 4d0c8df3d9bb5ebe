"""The GPU suites on a GPU that is none. Whatever times come of it mean nothing; they are never written down."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import onnx

from tests.support.host_kernels import host_kernels
from tests.support.nvjpeg_like import NvJpegLike
from tests.support.rvm_like import make_rvm_like
from vcam.bench.gpu_room import GpuRoom, Weight
from vcam.errors import EngineUnavailableError
from vcam.fakes import FakeDriver, FakeMemory
from vcam.fakes.device_engine import Compute, FakeDeviceEngine
from vcam.frame import Size, Tensor
from vcam.installing import how_to_add
from vcam.model.prepare import PrepareOptions, prepare
from vcam.model.runtime import Network
from vcam.stages import CoreModel, DeviceEngine

WEIGHT = Weight(
    sizes=(Size(64, 48), Size(96, 64)), internal=Size(48, 32), frames=3, warm_up=7, compared=12, rounds=3,
    footprint_bytes=100_000, copied_bytes=100_000,
)  # fmt: skip
"""As little as shows that every figure is there."""


class DryRoom:
    """A room whose engine computes like the real one: a small network shaped like it, in ONNX Runtime."""

    def __init__(self, core: CoreModel) -> None:
        self.core = core
        self.driver = FakeDriver(host_kernels())
        self.library = NvJpegLike(self.driver)
        self.room = GpuRoom(
            driver=self.driver,
            fatbin=b"kernels",
            copy=self._copy,
            engines=MappingProxyType({"tensorrt": self._engine, "tensorrt-rtx": _absent}),
            reference=lambda: self.core,
            load_nvjpeg=lambda: self.library.functions,
            weight=WEIGHT,
        )

    def _engine(self) -> DeviceEngine:
        return FakeDeviceEngine(self.driver, WEIGHT.internal, network_of(self.core), half=True)

    def _copy(self, target: int, source: int, nbytes: int, *, cuda_stream: int) -> None:
        def copy(memory: FakeMemory) -> None:
            memory.bytes(target, nbytes)[:] = memory.bytes(source, nbytes)

        self.driver.enqueue("copy", copy, cuda_stream=cuda_stream)


def small_core(folder: Path) -> CoreModel:
    """Prepared in a moment."""
    path = folder / "like.onnx"
    onnx.save(make_rvm_like("deep"), path)
    return prepare(PrepareOptions(folder, WEIGHT.internal, path, "fp32"))


def network_of(core: CoreModel) -> Compute:
    """What the core computes, in float32."""
    network = Network(onnx.load(core.path), threads=1)

    def compute(inputs: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        outputs = network.run({name: values.astype(np.float32) for name, values in inputs.items()})
        return {name: values.astype(np.float32) for name, values in outputs.items()}

    return compute


def _absent() -> DeviceEngine:
    raise EngineUnavailableError("the engine tensorrt-rtx is not installed", hint=how_to_add("tensorrt-rtx"))

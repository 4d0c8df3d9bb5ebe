"""What the GPU suites measure with: the real things; in dry runs, stand-ins that need no GPU."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from vcam.bench.report import Row
from vcam.config import Config
from vcam.cuda.driver import Driver
from vcam.cuda.kernels import read_fatbin
from vcam.decode.nvjpeg_library import Functions, load_nvjpeg
from vcam.engines.tensorrt_flavour import Flavour
from vcam.errors import GpuError, VcamError
from vcam.frame import Matrix, PixelFormat, Range, Size, VideoFormat
from vcam.model.manifest import DEFAULT_MODEL
from vcam.model.prepare import PrepareOptions, prepare
from vcam.stages import CoreModel, DeviceEngine

INTERNAL = Size(512, 288)
"""Of the network: what `high` makes of 720p and more."""

SIZES = (Size(1280, 720), Size(1920, 1080), Size(3840, 2160))
_MIB = 1 << 20


class DeviceCopy(Protocol):
    """Queue a copy within the GPU's memory."""

    def __call__(self, target: int, source: int, nbytes: int, *, cuda_stream: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Weight:
    """How much is measured.

    frames: of each size, after as many as ``warm_up`` that are not counted. compared: frames that two ways of doing
    the same are held against each other. rounds: of each kernel. footprint_bytes: of the pictures that a kernel goes
    through in turns, more than any cache holds. copied_bytes: of the copy that bandwidth is measured by.
    """

    sizes: tuple[Size, ...] = SIZES
    internal: Size = INTERNAL
    frames: int = 600
    warm_up: int = 60
    compared: int = 300
    rounds: int = 50
    footprint_bytes: int = 512 * _MIB
    copied_bytes: int = 256 * _MIB


@dataclass(frozen=True, slots=True)
class GpuRoom:
    """engines: by name, at the internal size; they raise VcamError where they cannot be had. reference: the same
    network in float32 for ONNX Runtime."""

    driver: Driver
    fatbin: bytes
    copy: DeviceCopy
    engines: Mapping[str, Callable[[], DeviceEngine]]
    reference: Callable[[], CoreModel]
    load_nvjpeg: Callable[[], Functions] = load_nvjpeg
    weight: Weight = field(default_factory=Weight)


def camera_format(size: Size) -> VideoFormat:
    """What a webcam's JPEG decodes to."""
    return VideoFormat(PixelFormat.I422, size.width, size.height, range=Range.FULL, matrix=Matrix.BT601)


def target_format(size: Size) -> VideoFormat:
    """What the virtual camera takes."""
    return VideoFormat(PixelFormat.YUYV, size.width, size.height)


def not_measured(name: str, group: str, error: VcamError) -> Row:
    """In the place of figures, why there are none."""
    return Row(name, 0.0, 0.0, 0.0, 0, {"not_measured": error.problem}, group)


def real_room(config: Config, weight: Weight) -> GpuRoom:
    """On this machine's GPU. Raises EngineUnavailableError, MissingDependencyError where there is none to use."""
    from vcam.cuda.pycuda_driver import PycudaDriver

    driver = PycudaDriver()
    engines = {str(flavour): partial(_open_tensorrt, config, weight.internal, flavour, driver) for flavour in Flavour}
    return GpuRoom(
        driver, read_fatbin(), _cuda_copy(), engines, partial(_core, config, weight.internal, "fp32"), weight=weight
    )


def _core(config: Config, size: Size, precision: str) -> CoreModel:
    return prepare(PrepareOptions(config.models_dir, size, config.model or DEFAULT_MODEL, precision))


def _open_tensorrt(config: Config, size: Size, flavour: Flavour, driver: Driver) -> DeviceEngine:
    """The plan is built first, where it is not there. Raises VcamError."""
    from vcam.engines.tensorrt import TensorRtEngine
    from vcam.engines.tensorrt_builder import ensure_plan
    from vcam.engines.tensorrt_key import PlanRequest
    from vcam.engines.tensorrt_plans import plan_folder

    folder = plan_folder(config.plan_dir, config.models_dir)
    request = PlanRequest(_core(config, size, "fp16"), flavour, folder, driver.facts(0))
    ensure_plan(request)
    return TensorRtEngine(request)


def _cuda_copy() -> DeviceCopy:
    """CUDA's own copy, which vcam itself has no use for."""
    return partial(_copy, importlib.import_module("cuda.bindings.driver").cuMemcpyDtoDAsync)


def _copy(
    copy: Callable[[int, int, int, int], tuple[int]], target: int, source: int, nbytes: int, *, cuda_stream: int
) -> None:
    (code,) = copy(target, source, nbytes, cuda_stream)
    if code:
        raise GpuError(f"cuMemcpyDtoDAsync failed ({int(code)})", hint="see `vcam doctor`")

"""What a plan depends on: network, library, GPU, driver, options. Equal keys, interchangeable plans."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from vcam.cuda.driver import DeviceFacts
from vcam.engines.tensorrt_flavour import BuildOptions, Flavour
from vcam.errors import EngineUnavailableError, ModelError
from vcam.stages import CoreModel

SUFFIX = ".plan"
AMPERE = (8, 0)
"""From this compute capability on one plan of TensorRT-RTX serves all GPUs."""

_DIGEST_DIGITS = 16
_DRIVER_SCALE = (1000, 10)
_NOUNS = {
    "network": "the network's name",
    "size": "the internal size",
    "library": "the library",
    "gpu": "the GPU",
    "compute_capability": "compute capability",
    "driver": "the driver's CUDA",
}


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Which plan is wanted. folder: where plans are kept (plan_folder). gpu: the one it will run on.

    Without a ``gpu`` only TensorRT-RTX can build: for Ampere GPUs and all later ones.
    """

    core: CoreModel
    flavour: Flavour
    folder: Path
    gpu: DeviceFacts | None = None
    options: BuildOptions = field(default_factory=BuildOptions)

    @property
    def build_options(self) -> BuildOptions:
        """With what follows from the GPU."""
        turing = self.flavour is Flavour.RTX and self.gpu is not None and self.gpu.compute_capability < AMPERE
        return replace(self.options, turing=turing)


@dataclass(frozen=True, slots=True)
class PlanKey:
    """What a plan depends on; all of it stands in the plan's header. onnx: the prepared network's SHA-256."""

    network: str
    size: str
    precision: str
    engine: str
    onnx: str
    library: str
    gpu: str
    compute_capability: str
    driver: str
    options: str

    @property
    def facts(self) -> dict[str, str]:
        return asdict(self)

    @property
    def slot(self) -> str:
        """The same for all plans that can stand for each other; the beginning of their file names."""
        return re.sub(r"[^A-Za-z0-9._-]+", "_", f"{self.network}-{self.size}-{self.precision}-{self.engine}")

    @property
    def file_name(self) -> str:
        digest = hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode()).hexdigest()
        return f"{self.slot}-{digest[:_DIGEST_DIGITS]}{SUFFIX}"

    def differences(self, found: Mapping[str, str]) -> str:
        """In what a plan with the facts ``found`` is another one; empty when it is the same."""
        facts = self.facts
        told = [
            _difference(name, found.get(name, "?"), facts[name]) for name in facts if found.get(name) != facts[name]
        ]
        return ", ".join(told)


def plan_key(request: PlanRequest, version: str) -> PlanKey:
    """version: of the library. Raises ModelError when the network cannot be read, EngineUnavailableError."""
    core, options = request.core, request.build_options
    try:
        with core.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"the network {core.path} cannot be read: {error}", hint="vcam model prepare") from error
    gpu, capability, driver = _circumstances(request)
    told = f"workspace {options.workspace_bytes}, tf32 {'on' if options.tf32 else 'off'}"
    if request.flavour is Flavour.TENSORRT:
        told += f", level {options.optimization_level}"
    return PlanKey(
        core.name, str(core.size), core.precision, request.flavour, digest, version, gpu, capability, driver, told
    )


def _circumstances(request: PlanRequest) -> tuple[str, str, str]:
    """GPU, compute capability and driver that the plan is bound to."""
    gpu = request.gpu
    if request.flavour is Flavour.RTX:  # finds its kernels when it loads a plan
        if request.build_options.turing:
            return "any Turing GPU", "7.5", "any"
        return "any GPU from Ampere on", "8.0 and later", "any"
    if gpu is None:
        raise EngineUnavailableError(
            "TensorRT builds a plan on the GPU that is to run it, and there is none here",
            hint="build it on the machine with the GPU; -e tensorrt-rtx builds plans anywhere",
        )
    thousand, ten = _DRIVER_SCALE
    driver = f"{gpu.driver_version // thousand}.{gpu.driver_version % thousand // ten}"
    return gpu.name, ".".join(map(str, gpu.compute_capability)), driver


def _difference(name: str, found: str, wanted: str) -> str:
    if name == "onnx":
        return "the prepared network has changed"
    return f"{_NOUNS.get(name, name)} was {found}, is {wanted}"

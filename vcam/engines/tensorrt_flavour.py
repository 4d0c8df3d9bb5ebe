"""Which TensorRT: the names, how each is imported, and what a plan is built with. Imports neither."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, cast

from vcam.engines import tensorrt_api as api
from vcam.errors import EngineUnavailableError
from vcam.installing import how_to_add, how_to_add_package


class Flavour(StrEnum):
    """Which library. The values are the names of the engines."""

    TENSORRT = "tensorrt"
    RTX = "tensorrt-rtx"

    @property
    def module(self) -> str:
        """What Python calls the library."""
        return self.value.replace("-", "_")

    @property
    def install_hint(self) -> str:
        """How a user gets it."""
        if self is Flavour.RTX:
            return f"with Python 3.11 or 3.12: {how_to_add('tensorrt-rtx')}"
        return f"with NVIDIA's package index, which its installation guide names: {how_to_add_package('tensorrt-cu13')}"


class TensorRtModule(Protocol):
    """The library itself: constants, base classes, and what makes objects. See vcam.engines.tensorrt_api.

    Builder and Runtime raise TypeError where the library cannot make one.
    """

    __version__: str
    DataType: type[api.DataType]
    TensorIOMode: type[api.TensorIOMode]
    NetworkDefinitionCreationFlag: type[api.NetworkDefinitionCreationFlag]
    MemoryPoolType: type[api.MemoryPoolType]
    BuilderFlag: type[api.BuilderFlag]

    ComputeCapability: type[api.ComputeCapability]
    """TensorRT-RTX only."""

    ILogger: type[api.ILogger]
    IProgressMonitor: type[api.IProgressMonitor]
    Builder: Callable[[api.ILogger], api.Builder]
    OnnxParser: Callable[[api.INetworkDefinition, api.ILogger], api.OnnxParser]
    Runtime: Callable[[api.ILogger], api.Runtime]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """workspace_bytes: device memory that a plan may use besides tensors and weights.

    optimization_level: 0 to 5, how long TensorRT searches for fast kernels (RTX chooses them when it loads the plan).
    tf32: whether a float32 network may be computed with TF32's 10 bits of mantissa. Off: who asks for float32 instead
    of float16 asks for its digits. turing: for RTX only, a plan for Turing GPUs, which need one of their own.
    """

    workspace_bytes: int = 256 << 20
    optimization_level: int = 3
    tf32: bool = False
    turing: bool = False


def load_module(flavour: Flavour) -> TensorRtModule:
    """Import the library. Raises EngineUnavailableError."""
    try:
        return cast(TensorRtModule, importlib.import_module(flavour.module))
    except (ImportError, OSError) as error:
        raise EngineUnavailableError(
            f"the engine {flavour} is not installed: {error}", hint=flavour.install_hint
        ) from error

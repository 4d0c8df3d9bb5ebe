"""What vcam uses of TensorRT's Python library, which has no types of its own: the part it would need of a stub file.

Every class bears the library's own name and stands for it; vcam.engines.tensorrt_library is the only user. Nothing of
the library is used that is not written here (mypy sees to that), and tests/engines/test_tensorrt_contract.py holds each
name, parameter and type here against the real libraries: TensorRT 10 and 11, and TensorRT-RTX.

Attributes that are only read are properties here; those that vcam writes are plain.
"""

from collections.abc import Iterable
from typing import Protocol, TypeAlias

Bytes: TypeAlias = bytes | memoryview


class DataType(Protocol):
    """An enum; FLOAT is 32 bits wide."""

    FLOAT: "DataType"
    HALF: "DataType"


class TensorIOMode(Protocol):
    INPUT: "TensorIOMode"
    OUTPUT: "TensorIOMode"


class NetworkDefinitionCreationFlag(Protocol):
    STRONGLY_TYPED: "NetworkDefinitionCreationFlag"

    def __int__(self) -> int: ...


class MemoryPoolType(Protocol):
    WORKSPACE: "MemoryPoolType"


class BuilderFlag(Protocol):
    TF32: "BuilderFlag"


class ComputeCapability(Protocol):
    """TensorRT-RTX only: a kind of GPU that a plan is to run on."""

    SM75: "ComputeCapability"


class Severity(Protocol):
    """An enum: how grave a log line is. In the library, ILogger.Severity."""


class ILogger(Protocol):
    """To be derived from: the library calls ``log``, from any of its threads."""

    INTERNAL_ERROR: Severity
    ERROR: Severity

    def log(self, severity: Severity, msg: str) -> None: ...


class IProgressMonitor(Protocol):
    """To be derived from: the library calls these, from any of its threads. parent_phase is None at the root."""

    def phase_start(self, phase_name: str, parent_phase: str, num_steps: int) -> None: ...

    def step_complete(self, phase_name: str, step: int) -> bool: ...

    def phase_finish(self, phase_name: str) -> None: ...


class ITensor(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def dtype(self) -> DataType: ...

    @property
    def shape(self) -> Iterable[int]: ...


class INetworkDefinition(Protocol):
    @property
    def num_inputs(self) -> int: ...

    @property
    def num_outputs(self) -> int: ...

    @property
    def num_layers(self) -> int: ...

    def get_input(self, index: int) -> ITensor: ...

    def get_output(self, index: int) -> ITensor: ...


class ParserError(Protocol):
    def desc(self) -> str: ...


class OnnxParser(Protocol):
    @property
    def num_errors(self) -> int: ...

    def parse(self, model: Bytes) -> bool: ...

    def get_error(self, index: int) -> ParserError: ...


class IHostMemory(Protocol):
    """Memory of the library's, to be read through memoryview while this lives."""

    def __buffer__(self, flags: int, /) -> memoryview: ...

    @property
    def nbytes(self) -> int: ...


class ITimingCache(Protocol):
    def serialize(self) -> IHostMemory: ...


class IBuilderConfig(Protocol):
    progress_monitor: IProgressMonitor
    builder_optimization_level: int

    num_compute_capabilities: int
    """TensorRT-RTX only."""

    def set_memory_pool_limit(self, pool: MemoryPoolType, pool_size: int) -> None: ...

    def clear_flag(self, flag: BuilderFlag) -> None: ...

    def create_timing_cache(self, serialized_timing_cache: Bytes) -> ITimingCache: ...

    def set_timing_cache(self, cache: ITimingCache, ignore_mismatch: bool) -> bool: ...

    def get_timing_cache(self) -> ITimingCache: ...

    def set_compute_capability(self, compute_capability: ComputeCapability, index: int) -> bool:
        """TensorRT-RTX only."""
        ...


class Builder(Protocol):
    def create_network(self, flags: int) -> INetworkDefinition: ...

    def create_builder_config(self) -> IBuilderConfig: ...

    def build_serialized_network(self, network: INetworkDefinition, config: IBuilderConfig) -> IHostMemory | None: ...


class IExecutionContext(Protocol):
    def set_tensor_address(self, name: str, memory: int) -> bool: ...

    def execute_async_v3(self, stream_handle: int) -> bool: ...


class ICudaEngine(Protocol):
    @property
    def num_io_tensors(self) -> int: ...

    @property
    def device_memory_size_v2(self) -> int: ...

    def get_tensor_name(self, index: int) -> str: ...

    def get_tensor_mode(self, name: str) -> TensorIOMode: ...

    def get_tensor_dtype(self, name: str) -> DataType: ...

    def get_tensor_shape(self, name: str) -> Iterable[int]: ...

    def create_execution_context(self) -> IExecutionContext | None: ...


class Runtime(Protocol):
    def deserialize_cuda_engine(self, serialized_engine: Bytes) -> ICudaEngine | None: ...

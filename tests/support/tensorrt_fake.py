"""TensorRT's Python library without a GPU: what it does to vcam.engines.tensorrt_library, and how it fails.

A plan is the fake's own JSON: the interface that its network had. Objects die as pybind11's do, with their last
reference, and tell so in ``events``.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias, cast

from vcam.engines.core_tensors import Interface, core_interface
from vcam.engines.tensorrt_flavour import Flavour, TensorRtModule
from vcam.rvm import SRC, STATES_IN
from vcam.stages import CoreModel

VERSION = "10.99.0.1"
INPUTS = (SRC, *STATES_IN)
REFUSAL = "Error Code 1: the plan does not suit (fake)"


class DataType(Enum):
    FLOAT = auto()
    HALF = auto()
    INT8 = auto()


class TensorIOMode(Enum):
    INPUT = auto()
    OUTPUT = auto()


class NetworkDefinitionCreationFlag(Enum):
    EXPLICIT_BATCH = 0
    STRONGLY_TYPED = 1

    def __int__(self) -> int:
        return int(self.value)


class MemoryPoolType(Enum):
    WORKSPACE = auto()


class BuilderFlag(Enum):
    TF32 = auto()


class ComputeCapability(Enum):
    SM75 = auto()


class Severity(Enum):
    INTERNAL_ERROR = auto()
    ERROR = auto()
    WARNING = auto()


class ILogger:
    INTERNAL_ERROR = Severity.INTERNAL_ERROR
    ERROR = Severity.ERROR
    WARNING = Severity.WARNING

    def log(self, severity: Severity, msg: str) -> None:
        raise NotImplementedError


_Logger: TypeAlias = ILogger


class IProgressMonitor:
    def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
        raise NotImplementedError

    def step_complete(self, phase_name: str, step: int) -> bool:
        raise NotImplementedError

    def phase_finish(self, phase_name: str) -> None:
        raise NotImplementedError


_KINDS = {"float32": DataType.FLOAT, "float16": DataType.HALF, "int8": DataType.INT8}


def plan_of(interface: Interface, inputs: tuple[str, ...] = INPUTS) -> bytes:
    """What the fake loads."""
    return json.dumps({"interface": interface, "inputs": inputs}).encode()


@dataclass
class Context:
    """An execution context."""

    library: "FakeTensorRt"
    engine: "Engine"
    number: int
    addresses: dict[str, int] = field(default_factory=dict)

    def set_tensor_address(self, name: str, memory: int) -> bool:
        if name not in self.engine.interface or self.library.fails("set_tensor_address"):
            return False
        self.addresses[name] = memory
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        if self.addresses.keys() != self.engine.interface.keys() or self.library.fails("execute_async_v3"):
            return False
        self.library.queued.append((self.number, dict(self.addresses), stream_handle))
        return True

    def __del__(self) -> None:
        self.library.events.append(f"context {self.number} freed")


class Engine:
    device_memory_size_v2 = 1 << 20

    def __init__(self, library: "FakeTensorRt", plan: bytes) -> None:
        told = json.loads(plan)
        self.library = library
        self.inputs = told["inputs"]
        self.interface: Mapping[str, tuple[list[int], str]] = told["interface"]
        self.num_io_tensors = len(self.interface)

    def get_tensor_name(self, index: int) -> str:
        return list(self.interface)[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return TensorIOMode.INPUT if name in self.inputs else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, name: str) -> DataType:
        return _KINDS[self.interface[name][1]]

    def get_tensor_shape(self, name: str) -> list[int]:
        return self.interface[name][0]

    def create_execution_context(self) -> Context | None:
        if self.library.fails("create_execution_context"):
            return None
        self.library.events.append("context made")
        return Context(self.library, self, self.library.count("context"))

    def __del__(self) -> None:
        self.library.events.append("engine freed")


class Runtime:
    def __init__(self, library: "FakeTensorRt", logger: object) -> None:
        self.library = library
        self.logger = logger

    def deserialize_cuda_engine(self, serialized_engine: memoryview) -> Engine | None:
        if self.library.fails("deserialize_cuda_engine"):
            return None
        self.library.events.append("engine made")
        return Engine(self.library, bytes(serialized_engine))

    def __del__(self) -> None:
        self.library.events.append("runtime freed")


class FakeTensorRt:
    """Stands for the module. faults: the calls that fail, by name, with what the library says to its logger.
    after: how many calls of that name succeed before. queued: context, addresses and stream of each inference.
    """

    __version__ = VERSION
    DataType = DataType
    TensorIOMode = TensorIOMode
    NetworkDefinitionCreationFlag = NetworkDefinitionCreationFlag
    MemoryPoolType = MemoryPoolType
    BuilderFlag = BuilderFlag
    ComputeCapability = ComputeCapability
    ILogger = ILogger
    IProgressMonitor = IProgressMonitor

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self.after: dict[str, int] = {}
        self.events: list[str] = []
        self.queued: list[tuple[int, dict[str, int], int]] = []
        self._logs: list[Callable[[Severity, str], None]] = []
        self._counts: dict[str, int] = {}

    def load(self, _flavour: Flavour) -> TensorRtModule:
        """As load_module does."""
        return cast(TensorRtModule, self)

    def Runtime(self, logger: _Logger) -> Runtime:  # noqa: N802  the library's name
        self._logs = [logger.log]
        if self.fails("Runtime"):
            raise TypeError("pybind11::init(): factory function returned nullptr")
        return Runtime(self, logger)

    def fails(self, call: str) -> bool:
        """Whether this call is to fail; if so the library says why."""
        nth = self.count(call)
        if call not in self.faults or nth < self.after.get(call, 0):
            return False
        for log in self._logs:
            log(Severity.WARNING, "a warning that nobody needs")
            log(Severity.ERROR, self.faults[call])
        return True

    def count(self, what: str) -> int:
        """0, 1, 2, ..."""
        number = self._counts.get(what, 0)
        self._counts[what] = number + 1
        return number


def fake_plan(core: CoreModel, change: Callable[[Interface], None] = lambda _interface: None) -> bytes:
    """The plan that the fake would build of a core; ``change`` spoils its interface."""
    interface = core_interface(core)
    change(interface)
    return plan_of(interface)

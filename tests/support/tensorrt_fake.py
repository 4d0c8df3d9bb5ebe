"""TensorRT's Python library without a GPU: what it does to vcam.engines.tensorrt_library, and how it fails.

A network and its plan are the fake's own JSON: their interface. Objects die as pybind11's do, with their last
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


class Tensor:
    def __init__(self, name: str, tensor: tuple[list[int], str]) -> None:
        self.name = name
        self.shape, kind = tensor
        self.dtype = _KINDS[kind]


class Network:
    """What the parser fills; ``plan`` is what will come of it."""

    num_layers = 7

    def __init__(self, flags: int) -> None:
        self.flags = flags
        self.plan = b""
        self.tensors: list[Tensor] = []
        self.num_inputs = 0
        self.num_outputs = 0

    def get_input(self, index: int) -> Tensor:
        return self.tensors[index]

    def get_output(self, index: int) -> Tensor:
        return self.tensors[self.num_inputs + index]


class TimingCache:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def serialize(self) -> memoryview:
        return memoryview(self.content + b" and more")


class Config:
    """Tells the library's events what is set."""

    library: "FakeTensorRt"
    timing: TimingCache
    progress_monitor: IProgressMonitor

    def __init__(self, library: "FakeTensorRt") -> None:
        object.__setattr__(self, "library", library)

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)
        if name != "progress_monitor":
            self.note(f"{name} = {value}")

    def note(self, call: str) -> None:
        self.library.events.append(call)

    def set_memory_pool_limit(self, pool: MemoryPoolType, pool_size: int) -> None:
        self.note(f"{pool.name} limit {pool_size}")

    def clear_flag(self, flag: BuilderFlag) -> None:
        self.note(f"no {flag.name}")

    def set_compute_capability(self, compute_capability: ComputeCapability, index: int) -> bool:
        self.note(f"capability {index} {compute_capability.name}")
        return not self.library.fails("set_compute_capability")

    def create_timing_cache(self, serialized_timing_cache: bytes) -> TimingCache:
        self.note(f"timing cache of {serialized_timing_cache!r}")
        return TimingCache(serialized_timing_cache)

    def set_timing_cache(self, cache: TimingCache, ignore_mismatch: bool) -> bool:
        object.__setattr__(self, "timing", cache)
        return not ignore_mismatch

    def get_timing_cache(self) -> TimingCache:
        return self.timing


class Builder:
    def __init__(self, library: "FakeTensorRt", logger: object) -> None:
        self.library = library
        self.logger = logger

    def create_network(self, flags: int) -> Network:
        return Network(flags)

    def create_builder_config(self) -> Config:
        return Config(self.library)

    def build_serialized_network(self, network: Network, config: Config) -> memoryview | None:
        monitor = config.progress_monitor
        monitor.phase_start("Building", None, 2)
        for step in range(2):
            monitor.phase_start("Trying tactics", "Building", 4)
            for tactic in range(4):
                monitor.step_complete("Trying tactics", tactic)
            monitor.phase_finish("Trying tactics")
            monitor.step_complete("Building", step)
        monitor.phase_finish("Building")
        return None if self.library.fails("build_serialized_network") else memoryview(network.plan)


class ParserError:
    def __init__(self, words: str) -> None:
        self.words = words

    def desc(self) -> str:
        return self.words


class OnnxParser:
    def __init__(self, library: "FakeTensorRt", network: Network) -> None:
        self.library = library
        self.network = network
        self.num_errors = 0

    def parse(self, model: bytes) -> bool:
        told = json.loads(model)
        inputs = {name: tensor for name, tensor in told["interface"].items() if name in told["inputs"]}
        outputs = {name: tensor for name, tensor in told["interface"].items() if name not in told["inputs"]}
        self.network.plan = bytes(model)
        self.network.tensors = [Tensor(name, tensor) for name, tensor in (inputs | outputs).items()]
        self.network.num_inputs, self.network.num_outputs = len(inputs), len(outputs)
        self.num_errors = int(self.library.fails("parse"))
        return not self.num_errors

    def get_error(self, index: int) -> ParserError:
        return ParserError(f"In node {index} (fake): UNSUPPORTED_NODE\n{self.library.faults['parse']}")


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

    def Builder(self, logger: _Logger) -> Builder:  # noqa: N802  the library's name
        self._logs = [logger.log]
        return Builder(self, logger)

    def OnnxParser(self, network: Network, logger: _Logger) -> OnnxParser:  # noqa: N802  the library's name
        self._logs = [logger.log]
        return OnnxParser(self, network)

    def fails(self, call: str) -> bool:
        """Whether this call is to fail; if so the library says why."""
        nth = self.count(call)
        if call not in self.faults or nth < self.after.get(call, 0):
            return False
        self.complain(self.faults[call])
        return True

    def complain(self, words: str) -> None:
        """Tell the logger an error."""
        for log in self._logs:
            log(Severity.WARNING, "a warning that nobody needs")
            log(Severity.ERROR, words)

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

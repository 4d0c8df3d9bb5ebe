"""TensorRT behind types: the one place that calls it. TensorRT 10, 11 and TensorRT-RTX differ only here.

Networks are strongly typed, which 11 always is, and 10 and RTX are when asked: the ONNX file alone says what is
computed in which precision.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vcam.engines import tensorrt_api as api
from vcam.engines.core_tensors import Interface
from vcam.engines.tensorrt_flavour import BuildOptions, Flavour, TensorRtModule, load_module
from vcam.errors import EngineError

T = TypeVar("T")

_LINES_KEPT = 40
_LINES_TOLD = 3
_LINE_LENGTH = 300
_HINT_GPU = "`vcam doctor` looks for the GPU and its driver; `-e openvino` needs neither"
_HINT_MEMORY = "see what else fills the GPU's memory (`nvidia-smi`) and try again; `-e openvino` runs without a GPU"


class PlanRefusedError(EngineError):
    """The library does not load a plan, for a reason of its own or for want of memory."""


class Monitor(Protocol):
    """Is told how a build goes on, from any thread. The names of the phases are the library's, in English."""

    def started(self, phase: str, parent: str | None, steps: int) -> None: ...

    def stepped(self, phase: str, step: int) -> None: ...

    def finished(self, phase: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Built:
    """plan: valid while this lives. timing_cache: worth keeping for the next build; None where there is none."""

    plan: memoryview
    timing_cache: bytes | None
    memory: api.IHostMemory


class Library:
    """One of the libraries, imported. Raises EngineUnavailableError.

    Without a driver, or without a GPU, TensorRT may end the process: ask vcam.cuda for a GPU before. TensorRT-RTX
    parses and builds without one.
    """

    def __init__(self, flavour: Flavour, load: Callable[[Flavour], TensorRtModule] = load_module) -> None:
        self.flavour = flavour
        self._trt = load(flavour)
        self.version = self._trt.__version__
        self._said: deque[str] = deque(maxlen=_LINES_KEPT)
        self._logger = self._make_logger()

    def parse(self, network: bytes) -> "ParsedNetwork":
        """Read the bytes of an ONNX file. Raises EngineError."""
        self.forget()
        builder = self._make(self._trt.Builder)
        flags = 1 << int(self._trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
        definition = builder.create_network(flags)
        parser = self._trt.OnnxParser(definition, self._logger)
        parsed = parser.parse(network)
        problems = [parser.get_error(index).desc() for index in range(parser.num_errors)]
        self._said.extendleft(reversed(problems))
        return ParsedNetwork(self, builder, definition, None if parsed else self._complaints())

    def deserialize(self, plan: api.Bytes) -> "LoadedPlan":
        """Load a plan onto the GPU whose context is current. Raises PlanRefusedError, EngineError."""
        self.forget()
        runtime = self._make(self._trt.Runtime)
        engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            refused = self.error("refuses the plan", f"vcam model prepare -e {self.flavour}")
            raise PlanRefusedError(refused.problem, hint=refused.hint)
        return LoadedPlan(self, runtime, engine)

    def error(self, what: str, hint: str) -> EngineError:
        """An error that tells what the library did, and why in its own words."""
        why = self._complaints()
        return EngineError(f"{self.flavour} {self.version} {what}{': ' if why else ''}{why}", hint=hint)

    def forget(self) -> None:
        """To be called before what may fail, so that its error tells of nothing older."""
        self._said.clear()

    def describe(self, tensor: api.ITensor) -> tuple[tuple[int, ...], str]:
        """Shape and dtype's name of a network's input or output."""
        return tuple(tensor.shape), self.dtype_name(tensor.dtype)

    def dtype_name(self, dtype: api.DataType) -> str:
        """NumPy's name where vcam uses the type, else the library's."""
        names = {self._trt.DataType.FLOAT: "float32", self._trt.DataType.HALF: "float16"}
        return names.get(dtype, str(dtype))

    def is_input(self, mode: api.TensorIOMode) -> bool:
        return mode == self._trt.TensorIOMode.INPUT

    def configure(self, config: api.IBuilderConfig, options: BuildOptions) -> None:
        """Raises EngineError when the library does not know the kind of GPU that is asked for."""
        config.set_memory_pool_limit(self._trt.MemoryPoolType.WORKSPACE, options.workspace_bytes)
        if not options.tf32:
            config.clear_flag(self._trt.BuilderFlag.TF32)
        if self.flavour is Flavour.TENSORRT:
            config.builder_optimization_level = options.optimization_level
        elif options.turing:
            config.num_compute_capabilities = 1
            if not config.set_compute_capability(self._trt.ComputeCapability.SM75, 0):
                raise self.error("builds no plan for Turing GPUs", "-e openvino runs on the processor")

    def monitor(self, told: Monitor) -> api.IProgressMonitor:
        """The library's own kind of monitor."""

        def phase_start(_self: object, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            told.started(phase_name, parent_phase, num_steps)

        def step_complete(_self: object, phase_name: str, step: int) -> bool:
            told.stepped(phase_name, step)
            return True

        def phase_finish(_self: object, phase_name: str) -> None:
            told.finished(phase_name)

        methods: dict[str, Callable[..., object]] = {
            "phase_start": phase_start,
            "step_complete": step_complete,
            "phase_finish": phase_finish,
        }
        return _derived(self._trt.IProgressMonitor, methods)

    def _make_logger(self) -> api.ILogger:
        grave = (self._trt.ILogger.INTERNAL_ERROR, self._trt.ILogger.ERROR)

        def log(_self: object, severity: api.Severity, msg: str) -> None:
            if severity in grave:
                self._said.append(msg)

        return _derived(self._trt.ILogger, {"log": log})

    def _complaints(self) -> str:
        """The first errors that the library told since it was asked last; empty when it had none."""
        lines = dict.fromkeys(line.strip()[:_LINE_LENGTH] for text in self._said for line in text.splitlines())
        self._said.clear()
        return " | ".join([line for line in lines if line][:_LINES_TOLD])

    def _make(self, kind: Callable[[api.ILogger], T]) -> T:
        try:
            return kind(self._logger)
        except TypeError as error:  # what pybind11 makes of a null pointer
            raise self.error("finds no GPU that it can use", _HINT_GPU) from error


class ParsedNetwork:
    """An ONNX file as the library understood it. Must be checked before it is built.

    interface: its inputs and outputs; incomplete where ``problem``, what hindered parsing, is not None.
    """

    def __init__(
        self, library: Library, builder: api.Builder, definition: api.INetworkDefinition, problem: str | None
    ) -> None:
        self._library = library
        self._builder = builder
        self._definition = definition
        self.problem = problem
        tensors = [definition.get_input(index) for index in range(definition.num_inputs)]
        tensors += [definition.get_output(index) for index in range(definition.num_outputs)]
        self.interface: Interface = {tensor.name: library.describe(tensor) for tensor in tensors}
        self.layers = definition.num_layers

    def build(self, options: BuildOptions, told: Monitor, timing_cache: bytes | None = None) -> Built:
        """Build the plan; takes a second (RTX) to minutes. Raises EngineError."""
        self._library.forget()
        config = self._builder.create_builder_config()
        self._library.configure(config, options)
        monitor = self._library.monitor(told)  # must live as long as the build
        config.progress_monitor = monitor
        if timing_cache is not None:
            cache = config.create_timing_cache(timing_cache)
            config.set_timing_cache(cache, False)  # refused where it is of another GPU; the build then begins anew
        memory = self._builder.build_serialized_network(self._definition, config)
        if memory is None:
            raise self._library.error("could not build the plan", _HINT_MEMORY)
        learned = bytes(memoryview(config.get_timing_cache().serialize())) if timing_cache is not None else None
        return Built(memoryview(memory), learned, memory)


class LoadedPlan:
    """A plan on the GPU, until ``close``, which is to be called with its context current. May be closed twice.

    interface: its inputs and outputs. inputs: the names of the former.
    """

    def __init__(self, library: Library, runtime: api.Runtime, engine: api.ICudaEngine) -> None:
        self._library = library
        self._runtime: api.Runtime | None = runtime
        self._engine: api.ICudaEngine | None = engine
        self._contexts: list[Context] = []
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        self.interface: Interface = {
            name: (tuple(engine.get_tensor_shape(name)), library.dtype_name(engine.get_tensor_dtype(name)))
            for name in names
        }
        self.inputs = frozenset(name for name in names if library.is_input(engine.get_tensor_mode(name)))
        self.scratch_bytes = engine.device_memory_size_v2

    def context(self) -> "Context":
        """What one inference needs besides the plan: scratch memory, addresses. Raises EngineError."""
        self._library.forget()
        context = self._engine.create_execution_context() if self._engine is not None else None
        if context is None:
            raise self._library.error("makes no execution context", _HINT_MEMORY)
        made = Context(self._library, context)
        self._contexts.append(made)
        return made

    def close(self) -> None:
        """The library frees what nobody refers to: first the contexts, then the plan, then what loaded it."""
        while self._contexts:
            self._contexts.pop().close()
        self._engine = None
        self._runtime = None


class Context:
    """Where the tensors of an inference lie, and the call that queues it."""

    def __init__(self, library: Library, context: api.IExecutionContext) -> None:
        self._library = library
        self._context: api.IExecutionContext | None = context

    def bind(self, addresses: Mapping[str, int]) -> None:
        """Where tensors lie, by name. Raises EngineError."""
        self._library.forget()
        for name, address in addresses.items():
            if self._context is None or not self._context.set_tensor_address(name, address):
                raise self._library.error(f"takes no address for {name}", "report this: it is a fault in vcam")

    def enqueue(self, *, cuda_stream: int) -> None:
        """Queue an inference. Raises EngineError."""
        self._library.forget()
        if self._context is None or not self._context.execute_async_v3(cuda_stream):
            raise self._library.error(
                "could not queue an inference", "it is tried again; if it goes on, choose -e openvino"
            )

    def close(self) -> None:
        self._context = None


def _derived(base: type[T], methods: Mapping[str, Callable[..., object]]) -> T:
    """An object of a class made from one of the library's, which are not there before it is loaded."""
    made: T = type(f"Vcam{base.__name__}", (base,), dict(methods))()
    return made

"""Robust Video Matting's core in OpenVINO, on the CPU."""

import importlib
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Literal, Self

from vcam.engines.core_tensors import DIRECTIONS, CoreTensors, Interface, check_threads
from vcam.errors import EngineError, EngineUnavailableError, ModelError
from vcam.frame import AffineMatte, Size, Stamp, Tensor
from vcam.stages import CoreModel, EngineInfo

if TYPE_CHECKING:
    import openvino

Arithmetic = Literal["f32", "bf16"]
"""What OpenVINO may compute in; bf16 needs a CPU with AVX512_BF16 or AMX."""

_DTYPES = {"f32": "float32", "f16": "float16"}


class OpenVinoEngine:
    """Satisfies MattingEngine. Two requests share the tensors, one for each direction of the states."""

    def __init__(self, model: CoreModel, *, threads: int, arithmetic: Arithmetic = "f32") -> None:
        self._model = model
        self._threads = check_threads(threads)
        self._arithmetic = arithmetic
        self._tensors: CoreTensors | None = None
        self._requests: list[openvino.InferRequest] = []

    def __enter__(self) -> Self:
        tensors = CoreTensors(self._model)
        compiled = self._compile(tensors)
        self._requests = [_bind(compiled, tensors, direction) for direction in range(DIRECTIONS)]
        for request in self._requests:  # the first run allocates; no frame should wait for that
            _run(request)
        tensors.reset()
        self._tensors = tensors
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._requests = []
        self._tensors = None

    @property
    def info(self) -> EngineInfo:
        precision = self._arithmetic if self._arithmetic != "f32" else self._model.precision
        return EngineInfo("openvino", self._model.name, precision, self._model.size, "cpu")

    @property
    def input_size(self) -> Size:
        return self._model.size

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        tensors = self._opened()
        direction = tensors.load(small)
        try:
            _run(self._requests[direction])
        except EngineError:
            tensors.reset()  # the states may be half written
            raise
        return tensors.matte(stamp)

    def reset(self) -> None:
        self._opened().reset()

    def _opened(self) -> CoreTensors:
        if self._tensors is None:
            raise EngineError("the engine is not open", hint="use it inside `with`")
        return self._tensors

    def _compile(self, tensors: CoreTensors) -> "openvino.CompiledModel":
        openvino = _import_openvino()
        if not self._model.path.is_file():
            raise ModelError(f"model file {self._model.path} does not exist", hint="vcam model prepare")
        properties = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(self._threads),
            "INFERENCE_PRECISION_HINT": self._arithmetic,
        }
        core = openvino.Core()
        try:
            network = core.read_model(self._model.path)
            tensors.check(_interface(network), self._model)
            return core.compile_model(network, "CPU", properties)
        except RuntimeError as error:
            raise ModelError(
                f"OpenVINO refuses {self._model.path}: {error}", hint="prepare it again: vcam model prepare"
            ) from error


def _interface(network: "openvino.Model") -> Interface:
    found: Interface = {}
    for port in (*network.inputs, *network.outputs):
        shape = tuple(each.get_length() if each.is_static else 0 for each in port.get_partial_shape())
        kind = port.get_element_type().get_type_name()
        found[port.get_any_name()] = (shape, _DTYPES.get(kind, kind))
    return found


def _bind(compiled: "openvino.CompiledModel", tensors: CoreTensors, direction: int) -> "openvino.InferRequest":
    import openvino

    request = compiled.create_infer_request()
    for name, array in (tensors.inputs(direction) | tensors.outputs(direction)).items():
        request.set_tensor(name, openvino.Tensor(array, shared_memory=True))
    return request


def _run(request: "openvino.InferRequest") -> None:
    """Without ``infer``, which would copy every output."""
    try:
        request.start_async()
        request.wait()
    except RuntimeError as error:
        raise EngineError(f"OpenVINO failed: {error}", hint="see `vcam doctor`; it is tried again") from error


def _import_openvino() -> ModuleType:
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise EngineUnavailableError(
            f"the engine openvino is not installed: {error}", hint="pip install 'vcam[cpu]'"
        ) from error

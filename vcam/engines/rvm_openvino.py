"""Robust Video Matting's core in OpenVINO, on the CPU."""

import importlib
from collections.abc import Mapping
from functools import partial
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from vcam.engines.core_tensors import DIRECTIONS, Buffer, CoreTensors, Interface, check_threads
from vcam.engines.openvino_parts import has_deep_refiner, split_refiner
from vcam.engines.recurrent import RecurrentCore, opened
from vcam.errors import EngineError, EngineUnavailableError, ModelError
from vcam.frame import AffineMatte, Size, Stamp, Tensor
from vcam.installing import how_to_add
from vcam.stages import CoreModel, EngineInfo

if TYPE_CHECKING:
    import openvino

Arithmetic = Literal["f32", "bf16"]
"""What OpenVINO may compute in; bf16 needs a CPU with AVX512_BF16 or AMX."""

_HINT = "prepare it again: vcam model prepare"
_RETRY_HINT = "it is tried again; if it goes on, choose --engine onnxruntime"
_DTYPES = {"f32": "float32", "f16": "float16"}


class OpenVinoEngine:
    """Satisfies MattingEngine. Each direction of the states has its own requests, bound once to shared tensors."""

    def __init__(self, model: CoreModel, *, threads: int, arithmetic: Arithmetic = "f32") -> None:
        self._model = model
        self._threads = check_threads(threads)
        self._arithmetic = arithmetic
        self._core: RecurrentCore | None = None
        self._hidden: dict[str, Tensor] = {}

    def __enter__(self) -> Self:
        tensors = CoreTensors(self._model)
        self._core = RecurrentCore(tensors, [partial(_run, requests) for requests in self._compile(tensors)])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._core = None
        self._hidden = {}

    @property
    def info(self) -> EngineInfo:
        precision = self._arithmetic if self._arithmetic != "f32" else self._model.precision
        return EngineInfo("openvino", self._model.name, precision, self._model.size, "cpu")

    @property
    def input_size(self) -> Size:
        return self._model.size

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        return opened(self._core).matte(small, stamp)

    def reset(self) -> None:
        opened(self._core).reset()

    def _compile(self, tensors: CoreTensors) -> "list[list[openvino.InferRequest]]":
        """For each direction the requests to run one after the other."""
        openvino = _import_openvino()
        path = self._model.path
        if not path.is_file():
            raise ModelError(f"model file {path} does not exist", hint=_HINT)
        core = openvino.Core()
        try:
            network = core.read_model(path)
            tensors.check(_interface(network), self._model)
            if self._arithmetic == "f32" or not has_deep_refiner(network):
                stages = [self._compiled(core, network, self._arithmetic)]
            else:
                parts = split_refiner(core, path)
                self._hidden = {name: np.zeros(shape, np.float32) for name, shape in parts.hidden.items()}
                stages = [
                    self._compiled(core, parts.body, self._arithmetic),
                    self._compiled(core, parts.refiner, "f32"),
                ]
        except RuntimeError as error:
            raise ModelError(f"OpenVINO refuses {path}: {error}", hint=_HINT) from error
        return [[_bind(each, self._arrays(tensors, turn)) for each in stages] for turn in range(DIRECTIONS)]

    def _compiled(
        self, core: "openvino.Core", network: "openvino.Model", arithmetic: Arithmetic
    ) -> "openvino.CompiledModel":
        properties = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(self._threads),
            "INFERENCE_PRECISION_HINT": arithmetic,
        }
        compiled = core.compile_model(network, "CPU", properties)
        check_arithmetic(compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name(), arithmetic)
        return compiled

    def _arrays(self, tensors: CoreTensors, direction: int) -> Mapping[str, Buffer]:
        return {**tensors.inputs(direction), **tensors.outputs(direction), **self._hidden}


def check_arithmetic(actual: str, wanted: Arithmetic) -> None:
    """OpenVINO takes the wish for a hint and computes in something else where the CPU lacks it; vcam does not.

    Raises EngineUnavailableError.
    """
    if actual != wanted:
        raise EngineUnavailableError(
            f"OpenVINO computes in {actual} on this CPU, asked for was {wanted}", hint="use float32: --no-fp16"
        )


def _interface(network: "openvino.Model") -> Interface:
    found: Interface = {}
    for port in (*network.inputs, *network.outputs):
        shape = tuple(each.get_length() if each.is_static else 0 for each in port.get_partial_shape())
        kind = port.get_element_type().get_type_name()
        found[port.get_any_name()] = (shape, _DTYPES.get(kind, kind))
    return found


def _bind(compiled: "openvino.CompiledModel", arrays: Mapping[str, Buffer]) -> "openvino.InferRequest":
    """A request that reads and writes those of the arrays it has names for; they must outlive it."""
    import openvino

    request = compiled.create_infer_request()
    for port in (*compiled.inputs, *compiled.outputs):
        (name,) = port.get_names() & arrays.keys()
        request.set_tensor(port, openvino.Tensor(arrays[name], shared_memory=True))
    return request


def _run(requests: "list[openvino.InferRequest]") -> None:
    """Without ``infer``, which would copy every output."""
    try:
        for request in requests:
            request.start_async()
            request.wait()
    except RuntimeError as error:
        raise EngineError(f"OpenVINO failed: {error}", hint=_RETRY_HINT) from error


def _import_openvino() -> ModuleType:
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise EngineUnavailableError(
            f"the engine openvino is not installed: {error}", hint=how_to_add("cpu")
        ) from error

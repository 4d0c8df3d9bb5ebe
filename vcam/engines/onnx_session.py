"""ONNX Runtime behind types: the one place in the engines that knows its API and its exceptions."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from vcam.errors import EngineError, EngineUnavailableError, ModelError
from vcam.installing import how_to_add

if TYPE_CHECKING:
    import onnxruntime

_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16"}
_ERROR_ONLY = 3
_HINT = "prepare it again: vcam model prepare"


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """shape: None where a size is left open. dtype: NumPy's name where vcam uses the type, else ONNX Runtime's."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str


class OnnxSession:
    """One network on the CPU. ``inputs`` and ``outputs`` describe it.

    Raises EngineUnavailableError without onnxruntime, ModelError when it refuses the file.
    """

    def __init__(self, path: Path, *, threads: int) -> None:
        ort = _import_onnxruntime()
        from onnxruntime.capi import onnxruntime_pybind11_state as state

        if not path.is_file():
            raise ModelError(f"model file {path} does not exist", hint=_HINT)
        names = ("Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "NoSuchFile", "NotImplemented")
        self._errors = (*(getattr(state, each) for each in names), state.RuntimeException, state.EPFail)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERROR_ONLY
        # A camera leaves the engine idle most of the time; spinning would burn a core for nothing.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except self._errors as error:
            raise ModelError(f"ONNX Runtime refuses {path}: {error}", hint=_HINT) from error
        self.inputs = [_describe(each) for each in self._session.get_inputs()]
        self.outputs = [_describe(each) for each in self._session.get_outputs()]

    def bind(
        self, inputs: Mapping[str, npt.NDArray[np.generic]], outputs: Mapping[str, npt.NDArray[np.generic]]
    ) -> Callable[[], None]:
        """A call that reads and writes these arrays in place and allocates nothing; it raises EngineError.

        The arrays are C-contiguous and must outlive it.
        """
        binding = self._session.io_binding()
        for name, array in inputs.items():
            binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for name, array in outputs.items():
            binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)

        def run() -> None:
            with self._run_errors():
                self._session.run_with_iobinding(binding)

        return run

    def run(self, inputs: Mapping[str, npt.NDArray[np.generic]], output: str) -> npt.NDArray[np.float32]:
        """One output, newly allocated. Raises EngineError."""
        with self._run_errors():
            result: npt.NDArray[np.float32] = self._session.run([output], dict(inputs))[0]
        return result

    @contextmanager
    def _run_errors(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            raise EngineError(
                f"ONNX Runtime failed: {error}", hint="it is tried again; if it goes on, choose --engine plate"
            ) from error


def _describe(node: "onnxruntime.NodeArg") -> TensorInfo:
    shape = tuple(each if isinstance(each, int) else None for each in node.shape)
    return TensorInfo(node.name, shape, _DTYPES.get(node.type, node.type))


def _import_onnxruntime() -> ModuleType:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise EngineUnavailableError(
            f"the engine onnxruntime is not installed: {error}", hint=how_to_add("cpu")
        ) from error

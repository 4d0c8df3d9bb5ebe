"""ONNX Runtime as preparation uses it: run a network in memory, with types."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from vcam.errors import ModelError
from vcam.model.onnx_file import first_line

if TYPE_CHECKING:
    import onnx

Array: TypeAlias = npt.NDArray[np.float32 | np.float16]

_HINT = "use the published export rvm_mobilenetv3_fp32.onnx (vcam model prepare)"


class Network:
    """A network ready to run on the CPU. Raises ModelError when ONNX Runtime refuses it."""

    def __init__(self, model: "onnx.ModelProto", *, threads: int = 0) -> None:
        import onnxruntime as ort
        from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._errors = (ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.RuntimeException)
        refusals = (*self._errors, ort_errors.InvalidGraph, ort_errors.InvalidProtobuf, ort_errors.NotImplemented)
        try:
            self._session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except refusals as error:
            raise ModelError(f"ONNX Runtime refuses the network: {first_line(error)}", hint=_HINT) from error
        self._outputs = [each.name for each in self._session.get_outputs()]

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name. Raises ModelError."""
        try:
            results = self._session.run(self._outputs, dict(inputs))
        except self._errors as error:
            raise ModelError(f"the network fails in ONNX Runtime: {first_line(error)}", hint=_HINT) from error
        return dict(zip(self._outputs, results, strict=True))

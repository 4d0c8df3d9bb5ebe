"""Fixes every size of a cut core and folds what then is constant."""

from typing import TYPE_CHECKING

from vcam.errors import ModelMismatchError
from vcam.frame import Size
from vcam.model.onnx_file import first_line
from vcam.rvm import core_shapes

if TYPE_CHECKING:
    import onnx

_HINT = "use the published export rvm_mobilenetv3_fp32.onnx (vcam model prepare)"


def specialise(core: "onnx.ModelProto", size: Size) -> "onnx.ModelProto":
    """A copy with the shapes of ``core_shapes``. Raises ModelMismatchError when the network contradicts them."""
    import onnx

    fixed = onnx.ModelProto()
    fixed.CopyFrom(core)
    shapes = core_shapes(size)
    for value in (*fixed.graph.input, *fixed.graph.output):
        kind = onnx.TensorProto.FLOAT
        value.CopyFrom(onnx.helper.make_tensor_value_info(value.name, kind, shapes[value.name]))
    # Left over from the export: sizes with symbolic names, which would contradict the fixed ones.
    fixed.graph.ClearField("value_info")
    try:
        onnx.shape_inference.infer_shapes(fixed, check_type=True, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError as error:
        raise ModelMismatchError(
            f"the network does not work at internal size {size}: {first_line(error)}", hint=_HINT
        ) from error
    return fixed


def simplify(core: "onnx.ModelProto") -> "onnx.ModelProto":
    """The same network with constants folded; onnxsim. Raises ModelMismatchError when anything dynamic stays."""
    import onnx
    import onnxsim

    try:
        simple, _checked = onnxsim.simplify(core, certify=False)
    except (RuntimeError, ValueError, onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelMismatchError(f"the network cannot be simplified: {first_line(error)}", hint=_HINT) from error
    left = sorted({node.op_type for node in simple.graph.node} & {"Shape", "Expand", "If", "Loop", "NonZero"})
    if left:
        raise ModelMismatchError(f"the network stays dynamic after simplifying: {', '.join(left)}", hint=_HINT)
    folded: onnx.ModelProto = simple
    return folded

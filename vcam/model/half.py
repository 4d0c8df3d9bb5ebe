"""The float16 variant of a core: weights, picture, coefficients and arithmetic, but for what float16 cannot hold.

Four things stay float32:

* scales and regions of Resize, which ONNX defines so;
* the refiner's statistics, ``E[xy] - E[x]E[y]``: the difference of two nearly equal numbers has no digits left in
  float16;
* the fast guided filter's division by ``var + 1e-5``: 1e-5 is subnormal in float16;
* the recurrent states and the blend that renews them, ``(1 - z) h + z c``: where z is small, the step is smaller than
  float16's distance between numbers and is lost, frame after frame. scripts/drift.py shows the matte move away from
  float32's over thousands of frames with float16 states, and stay with float32 ones.

They are found by structure: from A and b back to the first convolution that mixes neighbouring pixels, from the states
back through sums and products.
"""

from typing import TYPE_CHECKING

import numpy as np

from vcam.errors import ModelMismatchError
from vcam.rvm import COEFFICIENTS, STATES_IN, STATES_OUT

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

_ACTIVATIONS = frozenset({"Relu", "LeakyRelu", "PRelu", "Sigmoid", "Tanh"})


def to_half(core: "onnx.ModelProto") -> "onnx.ModelProto":
    """The float16 variant of a simplified core; ``core`` is not changed.

    Raises ModelMismatchError when a weight does not fit into float16.
    """
    import onnx_graphsurgeon as gs

    graph = gs.import_onnx(core)
    kept = {id(node) for node in (*refiner_nodes(graph), *blend_nodes(graph))}
    halves: dict[int, gs.Constant] = {}
    for node in graph.nodes:
        if id(node) in kept:
            continue
        for index, tensor in enumerate(node.inputs):
            if isinstance(tensor, gs.Constant) and not (node.op == "Resize" and index > 0):
                node.inputs[index] = _half_constant(tensor, halves)
    for tensor in [each for each in graph.tensors().values() if isinstance(each, gs.Variable)]:
        if tensor.dtype == np.float32:
            _place_casts(graph, tensor, kept)
    graph.cleanup().toposort()
    half: onnx.ModelProto = gs.export_onnx(graph)
    return half


def refiner_nodes(graph: "gs.Graph") -> list["gs.Node"]:
    """The refiner's arithmetic on local means, as far as it must stay float32 (see the module's text)."""
    refiner: dict[int, gs.Node] = {}
    todo = [tensor for tensor in graph.outputs if tensor.name in COEFFICIENTS]
    seen: set[int] = set()
    while todo:
        for node in todo.pop().inputs:
            if id(node) in seen or _mixes_neighbours(node):
                continue
            seen.add(id(node))
            todo.extend(node.inputs)
            if not _is_learned(node):
                refiner[id(node)] = node
    # A Concat that only feeds convolutions (the deep refiner's) gains nothing from float32.
    return [node for node in refiner.values() if node.op != "Concat" or _feeds(node, refiner)]


def blend_nodes(graph: "gs.Graph") -> list["gs.Node"]:
    """The sums and products that make the new states of the old ones and the candidates."""
    found: dict[int, gs.Node] = {}
    todo = [tensor for tensor in graph.outputs if tensor.name in STATES_OUT]
    while todo:
        for node in todo.pop().inputs:
            if node.op in ("Add", "Sub", "Mul") and id(node) not in found:
                found[id(node)] = node
                todo.extend(node.inputs)
    return list(found.values())


def _mixes_neighbours(node: "gs.Node") -> bool:
    """A convolution over space and channels: where the network proper ends. Box filters are depthwise."""
    if node.op != "Conv":
        return False
    kernel = node.attrs.get("kernel_shape", node.inputs[1].shape[2:])
    return bool(node.attrs.get("group", 1) == 1 and max(kernel) > 1)


def _is_learned(node: "gs.Node") -> bool:
    pointwise = node.op == "Conv" and node.attrs.get("group", 1) == 1
    return pointwise or node.op in _ACTIVATIONS


def _feeds(node: "gs.Node", refiner: "dict[int, gs.Node]") -> bool:
    return any(id(consumer) in refiner for tensor in node.outputs for consumer in tensor.outputs)


def _half_constant(constant: "gs.Constant", made: "dict[int, gs.Constant]") -> "gs.Constant":
    import onnx_graphsurgeon as gs

    if constant.dtype != np.float32:
        return constant
    if id(constant) not in made:
        with np.errstate(over="ignore"):
            values = constant.values.astype(np.float16)
        if not np.isfinite(values).all():
            raise ModelMismatchError(
                f"the weights {constant.name} do not fit into float16", hint="prepare it with --no-fp16"
            )
        made[id(constant)] = gs.Constant(f"{constant.name}_half", values)
    return made[id(constant)]


def _place_casts(graph: "gs.Graph", tensor: "gs.Variable", kept: set[int]) -> None:
    """Give a tensor the type its maker gives it, and casts to those who want the other."""
    made_single = tensor.name in STATES_IN or any(id(node) in kept for node in tensor.inputs)
    tensor.dtype = np.dtype(np.float32 if made_single else np.float16)
    others = [node for node in tensor.outputs if (id(node) in kept) != made_single]
    if others:
        cast = _cast(graph, tensor, f"{tensor.name}_cast", np.float16 if made_single else np.float32)
        for node in others:
            for index, given in enumerate(node.inputs):
                if given is tensor:
                    node.inputs[index] = cast
    if made_single and tensor.name in COEFFICIENTS:
        name, tensor.name = tensor.name, f"{tensor.name}_single"
        half = _cast(graph, tensor, name, np.float16)
        graph.outputs = [half if output is tensor else output for output in graph.outputs]


def _cast(graph: "gs.Graph", tensor: "gs.Variable", name: str, kind: type[np.generic]) -> "gs.Variable":
    import onnx
    import onnx_graphsurgeon as gs

    result = gs.Variable(name, np.dtype(kind), tensor.shape)
    to = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    graph.nodes.append(gs.Node("Cast", attrs={"to": to}, inputs=[tensor], outputs=[result]))
    return result

"""Cuts Robust Video Matting down to its core: small RGB in, the guided filter's coefficients A and b out.

Three cuts, found by structure because node names differ between exports:

* the Resize that reads ``src`` and is driven by ``downsample_ratio`` goes; its output becomes the new ``src``;
* the last two Resizes before the outputs go; what they enlarge are A and b, the new outputs;
* all that follows them (``out = A * [R, G, B, mean] + b``, clipping) is the compositor's.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcam.errors import ModelMismatchError
from vcam.rvm import (
    ALPHA,
    COEFFICIENTS,
    DOWNSAMPLE_RATIO,
    FOREGROUND,
    SRC,
    STATE_CHANNELS,
    STATES_IN,
    STATES_OUT,
)

if TYPE_CHECKING:
    import onnx
    import onnx_graphsurgeon as gs

_INPUTS = (SRC, *STATES_IN, DOWNSAMPLE_RATIO)
_OUTPUTS = (FOREGROUND, ALPHA, *STATES_OUT)
_LAST_RESIZES = 2
_HINT = "use the published export rvm_mobilenetv3_fp32.onnx (vcam model prepare), or one of the same structure"


@dataclass(frozen=True, slots=True)
class CutPoints:
    """The three Resizes at which the network is cut."""

    downsample: "gs.Node"
    a: "gs.Node"
    b: "gs.Node"


def cut(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """The core, sizes still open: src (N, 3, h, w), r1i..r4i -> A, b (N, 4, h, w), r1o..r4o. ``model`` is not changed.

    Raises ModelMismatchError, saying what was sought, when ``model`` is not Robust Video Matting.
    """
    import onnx_graphsurgeon as gs

    graph = gs.import_onnx(model)
    _check_interface(graph)
    points = find_cut_points(graph)
    tensors = graph.tensors()
    a, b = points.a.inputs[0], points.b.inputs[0]

    small = points.downsample.outputs[0]
    full = tensors[SRC]
    small.inputs.clear()
    if depends_on(a, SRC) or depends_on(b, SRC):
        raise _mismatch("coefficients computed from the small picture alone", "a refiner that reads full-size src")
    full.name = f"{SRC}_full_size"
    for tensor, name, channels in ((small, SRC, 3), (a, COEFFICIENTS[0], 4), (b, COEFFICIENTS[1], 4)):
        if name in tensors and name != SRC:
            tensors[name].name = f"{name}_inner"
        tensor.name, tensor.dtype, tensor.shape = name, full.dtype, ["batch_size", channels, "height", "width"]
    graph.inputs = [small, *(tensors[name] for name in STATES_IN)]
    graph.outputs = [a, b, *(tensors[name] for name in STATES_OUT)]
    graph.cleanup().toposort()
    core: onnx.ModelProto = gs.export_onnx(graph)
    return core


def expose_small(model: "onnx.ModelProto") -> tuple["onnx.ModelProto", str]:
    """The uncut network with one more output, the downsampled picture it works on, and that output's name.

    Raises ModelMismatchError as ``cut`` does.
    """
    import onnx_graphsurgeon as gs

    graph = gs.import_onnx(model)
    small = find_cut_points(graph).downsample.outputs[0]
    small.dtype, small.shape = graph.tensors()[SRC].dtype, ["batch_size", 3, "small_height", "small_width"]
    graph.outputs.append(small)
    return gs.export_onnx(graph), small.name


def refiner_kind(core: "onnx.ModelProto") -> str:
    """``fast`` when A is a quotient (cov / (var + eps)), ``deep`` when convolutions make it."""
    (maker,) = (node for node in core.graph.node if COEFFICIENTS[0] in node.output)
    return "fast" if maker.op_type == "Div" else "deep"


def find_cut_points(graph: "gs.Graph") -> CutPoints:
    """Raises ModelMismatchError when the structure is not there, or not exactly once."""
    tensors = graph.tensors()
    downsamples = [
        node
        for node in graph.nodes
        if node.op == "Resize"
        and node.inputs[0] is tensors[SRC]
        and any(depends_on(tensor, DOWNSAMPLE_RATIO) for tensor in node.inputs[1:])
    ]
    if len(downsamples) != 1:
        raise _mismatch(f"one Resize of {SRC} driven by {DOWNSAMPLE_RATIO}", f"{len(downsamples)}")
    last = _last_resizes(tensors[ALPHA])
    if len(last) != _LAST_RESIZES or {id(n) for n in last} != {id(n) for n in _last_resizes(tensors[FOREGROUND])}:
        raise _mismatch(f"two Resizes from which both {ALPHA} and {FOREGROUND} are computed", f"{len(last)}")
    first, second = last
    if _is_scale_and_offset(first, second):
        return CutPoints(downsamples[0], first, second)
    if _is_scale_and_offset(second, first):
        return CutPoints(downsamples[0], second, first)
    raise _mismatch("last Resizes that are combined as A * x + b", "another combination")


def depends_on(tensor: "gs.Tensor", name: str) -> bool:
    """Whether ``tensor`` is computed from the tensor of that name, or is it."""
    return any(found.name == name for found in _upstream(tensor))


def _upstream(tensor: "gs.Tensor") -> Iterator["gs.Tensor"]:
    seen: set[int] = set()
    todo = [tensor]
    while todo:
        current = todo.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        todo.extend(each for node in current.inputs for each in node.inputs)


def _last_resizes(output: "gs.Tensor") -> list["gs.Node"]:
    """The Resizes met first on every way back from an output, in a stable order."""
    seen: set[int] = set()
    found: dict[int, gs.Node] = {}
    todo = [output]
    while todo:
        for node in todo.pop().inputs:
            if id(node) in seen:
                continue
            seen.add(id(node))
            if node.op == "Resize":
                found[id(node)] = node
            else:
                todo.extend(node.inputs)
    return list(found.values())


def _is_scale_and_offset(a: "gs.Node", b: "gs.Node") -> bool:
    """Whether the graph computes Add(Mul(a, x), b)."""
    products = [node for node in a.outputs[0].outputs if node.op == "Mul"]
    sums = [node for node in b.outputs[0].outputs if node.op == "Add"]
    return any(product.outputs[0] in total.inputs for product in products for total in sums)


def _check_interface(graph: "gs.Graph") -> None:
    inputs, outputs = ([tensor.name for tensor in end] for end in (graph.inputs, graph.outputs))
    missing = sorted((set(_INPUTS) - set(inputs)) | (set(_OUTPUTS) - set(outputs)))
    if missing:
        found = f"inputs {', '.join(inputs)} and outputs {', '.join(outputs)}"
        raise _mismatch(f"inputs {', '.join(_INPUTS)} and outputs {', '.join(_OUTPUTS)}", found)
    tensors = graph.tensors()
    if str(tensors[SRC].dtype) != "float32":
        raise _mismatch(f"float32 {SRC} (vcam makes its own float16 variant)", f"{tensors[SRC].dtype}")
    for name, wanted in zip(STATES_OUT, STATE_CHANNELS, strict=True):
        shape = tensors[name].shape
        if shape and isinstance(shape[1], int) and shape[1] != wanted:
            raise _mismatch(f"{wanted} channels in {name} (the MobileNetV3 variant)", f"{shape[1]}")


def _mismatch(sought: str, found: str) -> ModelMismatchError:
    return ModelMismatchError(f"not the Robust Video Matting network: sought {sought}; found {found}", hint=_HINT)

"""Networks from a picture to a mask, made on the spot."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FIXED = (1, 3, 24, 32)
OPEN = ("n", 3, "h", "w")


def network(
    folder: Path, nodes: Sequence[onnx.NodeProto], shape: Sequence[int | str] = FIXED, *, kind: int = TensorProto.FLOAT
) -> Path:
    """A network from ``image`` to ``mask``."""
    value = helper.make_tensor_value_info
    zero = numpy_helper.from_array(np.array([0], np.int64), "zero")
    graph = helper.make_graph(
        list(nodes), "mask", [value("image", kind, shape)], [value("mask", TensorProto.FLOAT, None)], [zero]
    )
    path = folder / "net.onnx"
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 12)], ir_version=7)
    onnx.save(onnx.shape_inference.infer_shapes(model), path)
    return path


def mean(name: str = "mask", source: str = "image") -> onnx.NodeProto:
    return helper.make_node("ReduceMean", [source], [name], axes=[1], keepdims=1)


def red_and_blue(name: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Split", ["image"], ["red", "green", "blue"], axis=1, split=[1, 1, 1]),
        helper.make_node("Concat", ["red", "blue"], [name], axis=1),
    ]

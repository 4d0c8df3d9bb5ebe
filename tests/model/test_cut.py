from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.support.rvm_like import make_rvm_like
from vcam.errors import ModelMismatchError
from vcam.model.cut import cut, expose_small, refiner_kind
from vcam.model.onnx_file import read_model
from vcam.rvm import ALPHA, COEFFICIENTS, DOWNSAMPLE_RATIO, SRC, STATES_IN, STATES_OUT


def names(values: object) -> list[str]:
    return [each.name for each in values]  # type: ignore[attr-defined]


@pytest.mark.parametrize("refiner", ["deep", "fast"])
def test_the_core_has_the_interface_of_a_core(networks: dict[str, Path], refiner: str) -> None:
    core = cut(read_model(networks[refiner]))
    assert names(core.graph.input) == [SRC, *STATES_IN]
    assert names(core.graph.output) == [*COEFFICIENTS, *STATES_OUT]
    assert refiner_kind(core) == refiner
    onnx.checker.check_model(core)


@pytest.mark.parametrize("refiner", ["deep", "fast"])
def test_nothing_of_the_full_size_stays(networks: dict[str, Path], refiner: str) -> None:
    uncut = read_model(networks[refiner])
    core = cut(uncut)
    resizes = [sum(node.op_type == "Resize" for node in each.graph.node) for each in (uncut, core)]
    assert resizes == [7, 4]
    assert DOWNSAMPLE_RATIO not in {name for node in core.graph.node for name in node.input}


def test_the_original_is_not_changed(networks: dict[str, Path]) -> None:
    uncut = read_model(networks["fast"])
    before = uncut.SerializeToString(deterministic=True)
    cut(uncut)
    expose_small(uncut)
    assert uncut.SerializeToString(deterministic=True) == before


def test_node_names_and_order_of_the_last_resizes_do_not_matter() -> None:
    model = make_rvm_like("deep")
    for index, node in enumerate(model.graph.node):
        node.name = f"whatever_{len(model.graph.node) - index}"
    (total,) = (node for node in model.graph.node if node.output[0] == add_before_split(model))
    total.input[:] = list(reversed(total.input))
    core = cut(model)
    assert refiner_kind(core) == "deep"
    (a,) = (node for node in core.graph.node if COEFFICIENTS[0] in node.output)
    assert a.op_type == "Conv"


def add_before_split(model: onnx.ModelProto) -> str:
    """The name of A * x + b."""
    (clip,) = (node for node in model.graph.node if ALPHA in node.output)
    (split,) = (node for node in model.graph.node if clip.input[0] in node.output)
    return str(split.input[0])


def test_tensors_that_have_our_names_already_keep_out_of_the_way() -> None:
    model = make_rvm_like("fast")
    (relu, *_) = (node for node in model.graph.node if node.op_type == "Relu")
    old = relu.output[0]
    for node in model.graph.node:
        node.input[:] = [COEFFICIENTS[0] if name == old else name for name in node.input]
        node.output[:] = [COEFFICIENTS[0] if name == old else name for name in node.output]
    core = cut(model)
    onnx.checker.check_model(core)
    assert refiner_kind(core) == "fast"


def rename_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].name = "image"
    for node in model.graph.node:
        node.input[:] = ["image" if name == SRC else name for name in node.input]


def fix_the_ratio(model: onnx.ModelProto) -> None:
    """downsample_ratio stays an input, but the Resize has a constant."""
    scales = numpy_helper.from_array(np.array([1, 1, 0.5, 0.5], np.float32), "fixed_scales")
    model.graph.initializer.append(scales)
    first = next(node for node in model.graph.node if node.op_type == "Resize")
    first.input[2] = "fixed_scales"


def no_refiner(model: onnx.ModelProto) -> None:
    """Alpha straight from one Resize."""
    (clip,) = (node for node in model.graph.node if ALPHA in node.output)
    last = [node for node in model.graph.node if node.op_type == "Resize"][-1]
    clip.input[0] = last.output[0]


def subtract_instead(model: onnx.ModelProto) -> None:
    name = add_before_split(model)
    next(node for node in model.graph.node if name in node.output).op_type = "Sub"


def read_full_size(model: onnx.ModelProto) -> None:
    """A refiner whose A depends on the full-size picture."""
    mean = helper.make_node("GlobalAveragePool", [SRC], ["full_mean"])
    mean_all = helper.make_node("ReduceMean", ["full_mean"], ["full_level"], axes=[1], keepdims=1)
    resize = [node for node in model.graph.node if node.op_type == "Resize"][-2]
    shifted = helper.make_node("Add", [resize.input[0], "full_level"], ["shifted"])
    resize.input[0] = "shifted"
    position = list(model.graph.node).index(resize)
    for node in (shifted, mean_all, mean):
        model.graph.node.insert(position, node)


def other_channels(model: onnx.ModelProto) -> None:
    """ResNet50's second state has 32."""
    model.graph.output[3].type.tensor_type.shape.dim[1].dim_value = 32


def half_input(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16


@pytest.mark.parametrize(
    ("change", "sought"),
    [
        (rename_input, f"inputs {SRC}, .*found inputs image"),
        (fix_the_ratio, f"one Resize of {SRC} driven by {DOWNSAMPLE_RATIO}"),
        (no_refiner, "two Resizes"),
        (subtract_instead, r"A \* x \+ b"),
        (read_full_size, "small picture alone"),
        (other_channels, "20 channels in .*MobileNetV3"),
        (half_input, "float32"),
    ],
)
def test_other_networks_are_refused_saying_what_was_sought(
    change: Callable[[onnx.ModelProto], None], sought: str
) -> None:
    model = make_rvm_like("deep")
    change(model)
    with pytest.raises(ModelMismatchError, match=sought) as caught:
        cut(model)
    assert "vcam model prepare" in caught.value.hint

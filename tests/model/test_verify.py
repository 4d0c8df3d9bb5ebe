from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from tests.support.real_model import real_model
from tests.support.rvm_like import make_rvm_like
from vcam.errors import ModelError, ModelMismatchError
from vcam.frame import Size
from vcam.model.cut import cut
from vcam.model.frames import moving_figure
from vcam.model.onnx_file import read_model
from vcam.model.runtime import Network
from vcam.model.specialise import simplify, specialise
from vcam.model.verify import LIMITS, Difference, check, compare, full_size, resize
from vcam.rvm import COEFFICIENTS

SIZE = Size(64, 48)


def core_of(uncut: onnx.ModelProto, size: Size = SIZE) -> onnx.ModelProto:
    return simplify(specialise(cut(uncut), size))


@pytest.mark.parametrize("refiner", ["deep", "fast"])
@pytest.mark.parametrize("size", [SIZE, Size(75, 43)])
def test_the_core_computes_what_the_uncut_network_computes(networks: dict[str, Path], refiner: str, size: Size) -> None:
    uncut = read_model(networks[refiner])
    difference = compare(uncut, core_of(uncut, size), size)
    check(difference)
    assert difference.largest < 1e-4
    assert difference.soft > 0.5  # the comparison was not one of saturated mattes


@pytest.mark.model
def test_the_real_core_computes_what_the_real_network_computes() -> None:
    uncut = read_model(real_model())
    size = Size(160, 96)
    difference = compare(uncut, core_of(uncut, size), size)
    check(difference)
    assert difference.soft > 0


def swap_coefficients(core: onnx.ModelProto) -> None:
    a, b = COEFFICIENTS
    other = {a: b, b: a}
    for node in core.graph.node:
        node.input[:] = [other.get(name, name) for name in node.input]
        node.output[:] = [other.get(name, name) for name in node.output]


def disturb_a_weight(core: onnx.ModelProto) -> None:
    weights = next(each for each in core.graph.initializer if len(each.dims) == 4)
    weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) * np.float32(1.05), weights.name))


def forget_a_state(core: onnx.ModelProto) -> None:
    """The last state comes out as zeros: right on the first frame, wrong from the second on."""
    name = core.graph.output[-1].name
    for node in core.graph.node:
        node.input[:] = ["kept" if each == name else each for each in node.input]
        node.output[:] = ["kept" if each == name else each for each in node.output]
    core.graph.node.append(onnx.helper.make_node("Sub", ["kept", "kept"], [name]))


@pytest.mark.parametrize("change", [swap_coefficients, disturb_a_weight, forget_a_state])
def test_a_wrong_core_is_refused(networks: dict[str, Path], change: object) -> None:
    uncut = read_model(networks["fast"])
    core = core_of(uncut)
    change(core)  # type: ignore[operator]
    with pytest.raises(ModelMismatchError, match="differs from the original"):
        check(compare(uncut, core, SIZE))


def test_no_number_is_no_pass() -> None:
    good = Difference(alpha=0.0, foreground=0.0, mean_alpha=0.0, soft=0.5)
    limit = LIMITS["fp32"].largest
    check(good)
    check(replace(good, alpha=limit))
    for bad in (replace(good, alpha=float("nan")), replace(good, foreground=limit * 1.01)):
        with pytest.raises(ModelMismatchError):
            check(bad)
    check(replace(good, alpha=0.04, mean_alpha=0.0009), LIMITS["fp16"])
    with pytest.raises(ModelMismatchError):
        check(replace(good, alpha=0.04, mean_alpha=0.0011), LIMITS["fp16"])


def test_another_downsampling_than_ours_is_refused() -> None:
    uncut = make_rvm_like("deep")
    first = next(node for node in uncut.graph.node if node.op_type == "Resize")
    (mode,) = (each for each in first.attribute if each.name == "coordinate_transformation_mode")
    mode.s = b"asymmetric"
    with pytest.raises(ModelMismatchError, match="half-pixel"):
        compare(uncut, core_of(uncut), SIZE)


@pytest.mark.parametrize("size", [Size(256, 144), Size(384, 216), Size(512, 288), Size(427, 241), Size(33, 34)])
def test_the_full_size_comes_down_to_the_internal_one(size: Size) -> None:
    full, ratio = full_size(size)
    exact = np.float32(ratio)
    assert (int(np.float32(full.width) * exact), int(np.float32(full.height) * exact)) == (size.width, size.height)


@pytest.mark.parametrize(("shape", "size"), [((12, 20), Size(8, 5)), ((5, 7), Size(14, 10)), ((9, 9), Size(9, 9))])
def test_resize_is_that_of_onnx(shape: tuple[int, int], size: Size) -> None:
    picture = np.random.default_rng(1).random((2, *shape), dtype=np.float32)
    tensor = onnx.helper.make_tensor_value_info
    sizes = numpy_helper.from_array(np.array([1, 2, size.height, size.width], np.int64), "sizes")
    nothing = numpy_helper.from_array(np.array([], np.float32), "nothing")
    node = onnx.helper.make_node(
        "Resize", ["x", "nothing", "nothing", "sizes"], ["y"], mode="linear",
        coordinate_transformation_mode="half_pixel",
    )  # fmt: skip
    graph = onnx.helper.make_graph(
        [node], "resize", [tensor("x", 1, [1, 2, *shape])], [tensor("y", 1, None)], [sizes, nothing]
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 12)], ir_version=7)
    reference = Network(model).run({"x": picture[None]})["y"][0]
    np.testing.assert_allclose(resize(picture, size), reference, atol=1e-6)


def test_a_network_the_runtime_refuses_is_a_model_error() -> None:
    node = onnx.helper.make_node("NoSuchOperator", ["x"], ["y"])
    tensor = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([node], "bad", [tensor("x", 1, [1])], [tensor("y", 1, [1])])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 12)], ir_version=7)
    with pytest.raises(ModelError, match="refuses"):
        Network(model)


def test_the_check_pictures_move_and_neither_clip_nor_repeat() -> None:
    first, second = moving_figure(SIZE, 2)
    assert first.shape == (3, SIZE.height, SIZE.width)
    assert first.dtype == np.float32
    assert 0 < first.min() < first.max() < 1
    assert np.abs(first - second).max() > 0.2
    np.testing.assert_array_equal(first, next(iter(moving_figure(SIZE, 1))))

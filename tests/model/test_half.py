from pathlib import Path

import numpy as np
import onnx
import onnx_graphsurgeon as gs
import pytest
from onnx import TensorProto, numpy_helper

from tests.support.real_model import real_model
from tests.support.rvm_like import make_rvm_like
from vcam.errors import ModelMismatchError
from vcam.frame import Size
from vcam.model.cut import cut
from vcam.model.frames import moving_figure
from vcam.model.half import blend_nodes, refiner_nodes, to_half
from vcam.model.onnx_file import read_model
from vcam.model.runtime import Network
from vcam.model.specialise import simplify, specialise
from vcam.model.verify import LIMITS, check, compare, zero_states
from vcam.rvm import COEFFICIENTS, SRC, STATES_OUT

SIZE = Size(64, 48)


def core_of(uncut: onnx.ModelProto, size: Size = SIZE) -> onnx.ModelProto:
    return simplify(specialise(cut(uncut), size))


@pytest.fixture(params=["deep", "fast"])
def core(request: pytest.FixtureRequest) -> onnx.ModelProto:
    return core_of(make_rvm_like(request.param))


def types_of(model: onnx.ModelProto) -> dict[str, int]:
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    values = (*inferred.graph.value_info, *inferred.graph.output)
    return {each.name: each.type.tensor_type.elem_type for each in values}


def test_picture_coefficients_and_weights_are_half_and_states_are_not(core: onnx.ModelProto) -> None:
    half = to_half(core)
    onnx.checker.check_model(half, full_check=True)
    ends = (*half.graph.input, *half.graph.output)
    kinds = {each.name: each.type.tensor_type.elem_type for each in ends}
    assert {kinds.pop(name) for name in (SRC, *COEFFICIENTS)} == {TensorProto.FLOAT16}
    assert set(kinds.values()) == {TensorProto.FLOAT}
    assert [each.name for each in ends] == [each.name for each in (*core.graph.input, *core.graph.output)]
    assert half.ByteSize() < 0.52 * core.ByteSize()


def test_scales_of_resize_stay_single(core: onnx.ModelProto) -> None:
    half = to_half(core)
    weights = {each.name: each.data_type for each in half.graph.initializer}
    resizes = [node for node in half.graph.node if node.op_type == "Resize"]
    assert resizes
    for node in resizes:
        assert {weights[name] for name in node.input[1:] if name in weights} == {TensorProto.FLOAT}


def test_the_statistics_stay_single_and_the_rest_does_not(core: onnx.ModelProto) -> None:
    half = to_half(core)
    kinds = types_of(half)
    makers = {node.output[0]: node for node in half.graph.node}
    single = {makers[name].op_type for name, kind in kinds.items() if kind == TensorProto.FLOAT}
    assert "Sub" in single
    assert ("Div" in single) == any(node.op_type == "Div" for node in core.graph.node)
    convolutions = [node for node in half.graph.node if node.op_type == "Conv"]
    grouped = [node for node in convolutions if any(each.name == "group" and each.i > 1 for each in node.attribute)]
    assert {kinds.get(node.output[0]) for node in grouped} <= {TensorProto.FLOAT}
    mixing = [node for node in convolutions if node not in grouped]
    assert {kinds.get(node.output[0]) for node in mixing} == {TensorProto.FLOAT16}


def test_the_kept_nodes_are_the_refiner_only(core: onnx.ModelProto) -> None:
    graph = gs.import_onnx(core)
    kept = {node.op for node in refiner_nodes(graph)}
    assert kept <= {"Add", "Sub", "Mul", "Div", "Concat", "ReduceMean", "AveragePool", "Conv"}
    states = {"Sigmoid", "Tanh", "Split", "Resize", "Slice"}
    assert not kept & states
    blend = [node.op for node in blend_nodes(graph)]
    assert sorted(blend) == sorted(["Add", "Mul", "Mul", "Sub"] * 4)


def test_a_small_step_of_a_state_is_not_lost(core: onnx.ModelProto) -> None:
    """1 + 1e-5 is 1 in float16; such steps are what a state is made of."""
    half = to_half(core)
    network = Network(half)
    states = zero_states(SIZE)
    picture = next(moving_figure(SIZE, 1))[None].astype(np.float16)
    outputs = network.run({SRC: picture, **states})
    fine = [outputs[name] for name in STATES_OUT]
    assert all(np.abs(state - state.astype(np.float16).astype(np.float32)).max() > 0 for state in fine)


@pytest.mark.parametrize("refiner", ["deep", "fast"])
def test_half_computes_nearly_what_the_uncut_network_computes(networks: dict[str, Path], refiner: str) -> None:
    uncut = read_model(networks[refiner])
    difference = compare(uncut, to_half(core_of(uncut)), SIZE)
    check(difference, LIMITS["fp16"])
    assert difference.alpha > 1e-6  # else nothing was computed in half


@pytest.mark.model
def test_the_real_network_in_half() -> None:
    uncut = read_model(real_model())
    size = Size(160, 96)
    difference = compare(uncut, to_half(core_of(uncut, size)), size)
    check(difference, LIMITS["fp16"])


def test_the_original_is_not_changed(core: onnx.ModelProto) -> None:
    before = core.SerializeToString(deterministic=True)
    to_half(core)
    assert core.SerializeToString(deterministic=True) == before


def test_weights_beyond_half_are_refused(core: onnx.ModelProto) -> None:
    weights = next(each for each in core.graph.initializer if len(each.dims) == 4)
    huge = np.full(list(weights.dims), 1e5, np.float32)
    weights.CopyFrom(numpy_helper.from_array(huge, weights.name))
    with pytest.raises(ModelMismatchError, match="do not fit into float16"):
        to_half(core)

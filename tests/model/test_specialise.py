from pathlib import Path

import onnx
import pytest

from vcam.errors import ModelMismatchError
from vcam.frame import Size
from vcam.model.cut import cut
from vcam.model.onnx_file import read_model
from vcam.model.specialise import simplify, specialise
from vcam.rvm import STATES_IN, core_shapes

ODD = Size(75, 43)


def shapes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    values = (*model.graph.input, *model.graph.output)
    return {each.name: tuple(dim.dim_value for dim in each.type.tensor_type.shape.dim) for each in values}


@pytest.mark.parametrize("refiner", ["deep", "fast"])
@pytest.mark.parametrize("size", [Size(64, 32), ODD])
def test_every_size_is_fixed_and_nothing_dynamic_stays(networks: dict[str, Path], refiner: str, size: Size) -> None:
    open_core = cut(read_model(networks[refiner]))
    core = simplify(specialise(open_core, size))
    assert shapes(core) == core_shapes(size)
    assert {node.op_type for node in core.graph.node}.isdisjoint({"Shape", "Expand", "Constant"})
    onnx.checker.check_model(core, full_check=True)
    assert shapes(open_core) != core_shapes(size)


def test_states_of_a_whole_halving_are_halved_four_times() -> None:
    assert core_shapes(Size(256, 144))[STATES_IN[3]] == (1, 64, 9, 16)
    assert core_shapes(ODD)[STATES_IN[0]] == (1, 16, 22, 38)


def test_a_network_that_contradicts_the_sizes_is_refused(networks: dict[str, Path]) -> None:
    core = cut(read_model(networks["fast"]))
    first = next(node for node in core.graph.node if node.op_type == "Conv")
    (strides,) = (each for each in first.attribute if each.name == "strides")
    strides.ints[:] = [4, 4]
    with pytest.raises(ModelMismatchError, match=r"64x32|simplified|dynamic"):
        simplify(specialise(core, Size(64, 32)))

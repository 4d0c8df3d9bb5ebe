"""A core for OpenVINO in bfloat16: the network proper in bfloat16, the guided-filter refiner in float32.

bfloat16 has 8 significant bits; the refiner's ``E[xy] - E[x]E[y]`` has nothing left after such rounding. OpenVINO keeps
float32 from the last convolution on, which covers the fast refiner. In the deep one convolutions follow the
statistics, so that one runs as a network of its own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vcam.rvm import COEFFICIENTS, SRC

if TYPE_CHECKING:
    import openvino


@dataclass(frozen=True, slots=True)
class Parts:
    """body: src and states to states and hidden features. refiner: src and hidden features to A and b.

    hidden: shape of each hidden tensor, by the name it has in both parts.
    """

    body: "openvino.Model"
    refiner: "openvino.Model"
    hidden: dict[str, tuple[int, ...]]


def has_deep_refiner(network: "openvino.Model") -> bool:
    """Whether learned convolutions stand between the statistics and A, b: A is no quotient."""
    a = next(each for each in network.get_results() if COEFFICIENTS[0] in _names(each))
    kind: str = a.input_value(0).get_node().get_type_name()
    return kind != "Divide"


def split_refiner(core: "openvino.Core", path: Path) -> Parts:
    """Both parts of the core in ``path``, cut after the last convolution that mixes neighbouring pixels."""
    import openvino
    from openvino import opset13

    whole = core.read_model(path)
    hidden = {}
    results = [each for each in whole.get_results() if not _names(each) & set(COEFFICIENTS)]
    for index, node in enumerate(_last_features(whole)):
        name = f"hidden_{index}"
        hidden[name] = tuple(node.output(0).get_shape())
        node.output(0).get_tensor().add_names({name})
        results.append(opset13.result(node.output(0)))
    body = openvino.Model(results, whole.get_parameters(), "body")

    other = core.read_model(path)  # its nodes are rewired, those above must not be
    inputs = [each for each in other.get_parameters() if SRC in _names(each)]
    for name, node in zip(hidden, _last_features(other), strict=True):
        entry = opset13.parameter(node.output(0).get_shape(), openvino.Type.f32)
        entry.output(0).get_tensor().set_names({name})
        for target in node.output(0).get_target_inputs():
            target.replace_source_output(entry.output(0))
        inputs.append(entry)
    outputs = [each for each in other.get_results() if _names(each) & set(COEFFICIENTS)]
    return Parts(body, openvino.Model(outputs, inputs, "refiner"), hidden)


def _last_features(network: "openvino.Model") -> list["openvino.Node"]:
    """Where the ways back from A and b first meet features of the network proper, in a stable order."""
    todo = [each.input_value(0) for each in network.get_results() if _names(each) & set(COEFFICIENTS)]
    seen: set[str] = set()
    found = []
    while todo:
        node = todo.pop().get_node()
        name = node.get_friendly_name()
        if name in seen:
            continue
        seen.add(name)
        if _is_feature(node):
            found.append(node)
        else:
            todo.extend(node.input_value(index) for index in range(node.get_input_size()))
    return found


def _is_feature(node: "openvino.Node") -> bool:
    """A convolution over space and channels, or the activation that is computed with it."""
    if node.get_type_name() == "Relu":
        node = node.input_value(0).get_node()
        if node.get_type_name() == "Add":
            node = node.input_value(0).get_node()
    return bool(node.get_type_name() == "Convolution" and max(node.input(1).get_shape()[2:]) > 1)


def _names(node: "openvino.Node") -> set[str]:
    names: set[str] = node.output(0).get_names()
    return names

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from tests.support.mask_like import FIXED, OPEN, mean, network, red_and_blue
from vcam.engines.mask_network import MaskNetwork, MaskNetworkEngine
from vcam.errors import ConfigError, EngineError, ModelError, ModelMismatchError
from vcam.frame import Size, Stamp, Tensor

SIZE = Size(32, 24)


@pytest.fixture
def picture() -> Tensor:
    """Left half dark, right half bright; red and blue differ."""
    rgb = np.zeros((3, SIZE.height, SIZE.width), np.float32)
    rgb[:] = np.array([0.2, 0.5, 0.4], np.float32)[:, None, None]
    rgb[:, :, 16:] = np.array([0.3, 0.6, 0.9], np.float32)[:, None, None]
    return rgb


def alpha_of(path: Path, picture: Tensor, size: Size | None = None) -> Tensor:
    """Away from edges, where the guided filter returns the mask itself."""
    with MaskNetworkEngine(MaskNetwork(path, size, radius=2), threads=1) as engine:
        matte = engine.matte(picture, Stamp(1, 2))
    alpha: Tensor = matte.a[3] * picture.mean(axis=0) + matte.b[3]
    assert not matte.a[:3].any()
    assert not matte.b[:3].any()
    return alpha


def test_a_single_channel_mask_becomes_alpha(tmp_path: Path, picture: Tensor) -> None:
    alpha = alpha_of(network(tmp_path, [mean()]), picture)
    np.testing.assert_allclose(alpha[12, [2, 29]], picture.mean(axis=0)[12, [2, 29]], atol=1e-3)


def test_a_mask_without_channels_is_taken(tmp_path: Path, picture: Tensor) -> None:
    nodes = [helper.make_node("ReduceMean", ["image"], ["mask"], axes=[1], keepdims=0)]
    alpha = alpha_of(network(tmp_path, nodes), picture)
    np.testing.assert_allclose(alpha[12, [2, 29]], picture.mean(axis=0)[12, [2, 29]], atol=1e-3)


def test_two_classes_of_logits_become_a_probability(tmp_path: Path, picture: Tensor) -> None:
    alpha = alpha_of(network(tmp_path, red_and_blue("mask")), picture)
    wanted = 1 / (1 + np.exp(picture[0] - picture[2]))
    np.testing.assert_allclose(alpha[12, [2, 29]], wanted[12, [2, 29]], atol=1e-3)


def test_two_classes_of_probabilities_are_taken_as_they_are(tmp_path: Path, picture: Tensor) -> None:
    # Softmax before opset 13 flattens: transpose so that the classes come last, and back.
    nodes = [
        *red_and_blue("logits"),
        helper.make_node("Transpose", ["logits"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Softmax", ["last"], ["soft"], axis=3),
        helper.make_node("Transpose", ["soft"], ["mask"], perm=[0, 3, 1, 2]),
    ]
    alpha = alpha_of(network(tmp_path, nodes), picture)
    wanted = 1 / (1 + np.exp(picture[0] - picture[2]))
    np.testing.assert_allclose(alpha[12, [2, 29]], wanted[12, [2, 29]], atol=1e-3)


def test_open_sizes_take_the_size_asked_for(tmp_path: Path, picture: Tensor) -> None:
    path = network(tmp_path, [mean()], OPEN)
    assert alpha_of(path, picture, SIZE).shape == (SIZE.height, SIZE.width)
    with pytest.raises(ConfigError, match="any size"), MaskNetworkEngine(MaskNetwork(path), threads=1):
        pass


def test_a_fixed_size_is_the_networks(tmp_path: Path) -> None:
    path = network(tmp_path, [mean()])
    with MaskNetworkEngine(MaskNetwork(path), threads=1) as engine:
        assert engine.input_size == SIZE
        assert engine.info.model == "net"
    with MaskNetworkEngine(MaskNetwork(path, Size(64, 48)), threads=1) as engine:
        assert engine.input_size == SIZE


def test_the_input_is_normalised(tmp_path: Path, picture: Tensor) -> None:
    path = network(tmp_path, [mean()])
    options = MaskNetwork(path, mean=(0.1, 0.1, 0.1), std=(0.5, 0.5, 0.5), radius=2)
    with MaskNetworkEngine(options, threads=1) as engine:
        matte = engine.matte(picture, Stamp(0, 0))
    gray = picture.mean(axis=0)
    alpha = matte.a[3] * gray + matte.b[3]
    np.testing.assert_allclose(alpha[12, 2], (gray[12, 2] - 0.1) / 0.5, atol=1e-3)


def test_a_mask_beyond_its_range_is_clipped(tmp_path: Path, picture: Tensor) -> None:
    nodes = [
        mean("gray"),
        helper.make_node("Add", ["gray", "gray"], ["twice"]),
        helper.make_node("Add", ["twice", "twice"], ["mask"]),
    ]
    alpha = alpha_of(network(tmp_path, nodes), picture)
    np.testing.assert_allclose(alpha[12, 29], 1.0, atol=1e-3)


def test_the_edge_follows_the_picture(tmp_path: Path, picture: Tensor) -> None:
    """A mask blurred over the edge is sharpened by the guided filter."""
    nodes = [
        helper.make_node("Split", ["image"], ["red", "green", "blue"], axis=1, split=[1, 1, 1]),
        helper.make_node("AveragePool", ["blue"], ["mask"], kernel_shape=[1, 9], pads=[0, 4, 0, 4]),
    ]
    path = network(tmp_path, nodes)
    with MaskNetworkEngine(MaskNetwork(path, radius=6), threads=1) as engine:
        matte = engine.matte(picture, Stamp(0, 0))
    alpha = (matte.a[3] * picture.mean(axis=0) + matte.b[3])[12]
    blurred_step = 0.5 / 9
    assert alpha[16] - alpha[15] > 3 * blurred_step


def shrink() -> list[onnx.NodeProto]:
    return [mean("gray"), helper.make_node("AveragePool", ["gray"], ["mask"], kernel_shape=[2, 2], strides=[2, 2])]


@pytest.mark.parametrize(
    ("nodes", "shape", "kind", "told"),
    [
        ([mean()], (1, 24, 32, 3), TensorProto.FLOAT, "input image is 1x24x32x3"),
        ([mean()], (1, 1, 24, 32), TensorProto.FLOAT, "input image is 1x1x24x32"),
        ([mean()], (2, 3, 24, 32), TensorProto.FLOAT, "input image is 2x3x24x32"),
        ([helper.make_node("Relu", ["image"], ["mask"])], FIXED, TensorProto.FLOAT, "gives mask 1x3x24x32"),
        (shrink(), FIXED, TensorProto.FLOAT, "gives mask 1x1x12x16"),
    ],
)
def test_other_networks_are_refused_saying_what_they_are(
    tmp_path: Path, nodes: list[onnx.NodeProto], shape: tuple[int, ...], kind: int, told: str
) -> None:
    path = network(tmp_path, nodes, shape, kind=kind)
    with pytest.raises(ModelMismatchError, match=told) as caught:
        MaskNetworkEngine(MaskNetwork(path), threads=1).__enter__()
    assert "(1, 2, h, w)" in caught.value.hint


def test_other_input_types_and_several_inputs_are_refused(tmp_path: Path) -> None:
    cast = [helper.make_node("Cast", ["image"], ["single"], to=TensorProto.FLOAT), mean(source="single")]
    path = network(tmp_path, cast, kind=TensorProto.UINT8)
    with pytest.raises(ModelMismatchError, match="uint8"):
        MaskNetworkEngine(MaskNetwork(path), threads=1).__enter__()
    model = onnx.load(path)
    model.graph.input.append(helper.make_tensor_value_info("other", TensorProto.FLOAT, [1]))
    onnx.save(model, path)
    with pytest.raises(ModelMismatchError, match="2 inputs"):
        MaskNetworkEngine(MaskNetwork(path), threads=1).__enter__()


def test_a_network_that_cannot_run_is_an_engine_error(tmp_path: Path) -> None:
    nodes = [mean("gray"), helper.make_node("Reshape", ["gray", "zero"], ["mask"])]
    with pytest.raises((EngineError, ModelError)):
        MaskNetworkEngine(MaskNetwork(network(tmp_path, nodes)), threads=1).__enter__()

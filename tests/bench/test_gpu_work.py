"""Counting is right: bytes of the pixel kernels, and operations of a network, against counts by hand."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.support.scripts import load_script
from vcam.bench.gpu_bytes import compose_bytes, picture_bytes, sample_bytes
from vcam.frame import PixelFormat, Size, VideoFormat

work = load_script("count_work")


def small_network() -> onnx.ModelProto:
    """x (1, 4, 6, 8) float16 -> Conv to 5 channels, stride 2 -> Relu -> plus y -> depthwise Conv."""
    dense = numpy_helper.from_array(np.zeros((5, 4, 3, 3), np.float16), "dense")
    single = numpy_helper.from_array(np.zeros((5, 1, 3, 3), np.float16), "single")
    nodes = [
        helper.make_node("Conv", ["x", "dense"], ["c"], kernel_shape=[3, 3], pads=[1] * 4, strides=[2, 2]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("Add", ["r", "y"], ["s"]),
        helper.make_node("Conv", ["s", "single"], ["z"], kernel_shape=[3, 3], pads=[1] * 4, group=5),
    ]

    def value(name: str, *shape: int) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT16, list(shape))

    inputs, outputs = [value("x", 1, 4, 6, 8), value("y", 1, 5, 3, 4)], [value("z", 1, 5, 3, 4)]
    graph = helper.make_graph(nodes, "small", inputs, outputs, [dense, single])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


def test_operations_and_bytes_of_layers() -> None:
    dense, relu, add, single = work.layers(small_network())
    x, c = 4 * 6 * 8 * 2, 5 * 3 * 4 * 2
    assert (dense.multiply_adds, dense.tensor) == (5 * 3 * 4 * 4 * 9, True)
    assert dense.fused_bytes == dense.alone_bytes == x + 5 * 4 * 9 * 2 + c
    assert (relu.fused_bytes, relu.alone_bytes) == (0, 2 * c)
    assert (add.multiply_adds, add.fused_bytes, add.alone_bytes) == (0, c, 3 * c)
    assert (single.multiply_adds, single.tensor) == (5 * 3 * 4 * 9, False)


def test_the_slower_of_arithmetic_and_memory_counts() -> None:
    card = work.Card("card", 1e9, 1e9, 1e12, 1e11)
    busy = work.Layer("Conv", 10**9, True, 1000, 1000)
    assert work.seconds(busy, card, expected=False) == pytest.approx(2e-3)
    wide = work.Layer("Conv", 1000, False, 10**6, 10**6)
    assert work.seconds(wide, card, expected=False) == pytest.approx(1e-3)
    assert work.seconds(wide, card, expected=True) == pytest.approx(1e-3 / work.SHARE_OF_MEMORY)
    tiny = work.Layer("Conv", 1, True, 1, 1)
    assert work.seconds(tiny, card, expected=True) == work.FLOOR_S
    ridden = work.Layer("Add", 0, False, 0, 30)
    assert work.seconds(ridden, card, expected=True) == 0
    assert work.seconds(ridden, card, expected=True, fused=False) == work.FLOOR_S


def test_the_card_is_that_of_the_data_sheet() -> None:
    card = work.RTX_2060_SUPER
    assert card.memory == 448e9
    assert card.tensor_fp16 == pytest.approx(28.7e12, rel=0.01)
    assert card.plain_fp16 == pytest.approx(14.4e12, rel=0.01)


def test_bytes_of_the_pixel_kernels() -> None:
    camera = VideoFormat(PixelFormat.I422, 1920, 1080, stride=2048)
    target = VideoFormat(PixelFormat.YUYV, 1920, 1080)
    size = Size(512, 288)
    assert picture_bytes(camera) == 2 * 1920 * 1080
    assert compose_bytes(camera, target, size, half=True) == 3 * 2 * 1920 * 1080 + 8 * 512 * 288 * 2
    assert sample_bytes(camera, size, half=True) == 2 * 288 * 1920 * 2 + 3 * 512 * 288 * 2
    whole = sample_bytes(camera, Size(960, 540), half=False)
    assert whole == 2 * 1920 * 1080 + 3 * 960 * 540 * 4

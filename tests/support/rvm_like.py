"""A small network in the shape of Robust Video Matting, with seeded random weights: always there, made in no time.

Same interface as the published export (names, dynamic sizes, state channels), same structure where vcam looks for
structure: a Resize driven by ``downsample_ratio``, a convolutional encoder, four ConvGRU states, a guided-filter
refiner that ends in two Resizes to full size, opset 12. It finds no person; it only computes like the real one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from vcam.rvm import ALPHA, DOWNSAMPLE_RATIO, FOREGROUND, SRC, STATE_CHANNELS, STATES_IN, STATES_OUT

Refiner = Literal["deep", "fast"]

Attribute: TypeAlias = int | str | list[int]

OPSET = 12
ENCODER_CHANNELS = (8, 12, 16, 24)
HIDDEN_CHANNELS = 16
BOX = 3
"""Side of the refiner's box filter, as in the authors' refiners (radius 1)."""


@dataclass
class _Builder:
    """Appends nodes and weights; every method returns the name of what it made."""

    rng: np.random.Generator
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    weights: list[onnx.TensorProto] = field(default_factory=list)

    def const(self, values: npt.ArrayLike, dtype: type[np.generic] = np.float32) -> str:
        name = f"const_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def op(self, kind: str, inputs: Sequence[str], output: str | None = None, **attributes: Attribute) -> str:
        name = output or f"{kind}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(
                kind, list(inputs), [name], name=None, doc_string=None, domain=None, overload=None, **attributes
            )
        )
        return name

    def split(self, x: str, parts: Sequence[int]) -> list[str]:
        names = [f"Split_{len(self.nodes)}_{i}" for i in range(len(parts))]
        self.nodes.append(helper.make_node("Split", [x], names, axis=1, split=list(parts)))
        return names

    def conv(self, x: str, channels: tuple[int, int], *, kernel: int = 3, stride: int = 1, bias: float = 0.0) -> str:
        inside, outside = channels
        scale = np.sqrt(2.0 / (inside * kernel * kernel))
        weight = self.const(self.rng.normal(0.0, scale, (outside, inside, kernel, kernel)))
        offset = self.const(self.rng.normal(bias, 0.05, outside))
        pads = [kernel // 2] * 4
        return self.op(
            "Conv", [x, weight, offset], kernel_shape=[kernel] * 2, pads=pads, strides=[stride] * 2, dilations=[1, 1]
        )

    def relu(self, x: str) -> str:
        return self.op("Relu", [x])

    def resize(self, x: str, *, scales: str = "", sizes: str = "") -> str:
        """Half-pixel bilinear, as PyTorch exports it; the inputs not used are empty."""
        nothing = self.const([])
        inputs = [x, nothing, scales or nothing, *([sizes] if sizes else [])]
        return self.op("Resize", inputs, mode="linear", coordinate_transformation_mode="pytorch_half_pixel")

    def height_width(self, x: str) -> str:
        shape = self.op("Shape", [x])
        return self.op("Slice", [shape, self.const([2], np.int64), self.const([4], np.int64)])

    def crop_like(self, x: str, like: str) -> str:
        starts = self.const([0, 0], np.int64)
        return self.op("Slice", [x, starts, self.height_width(like), self.const([2, 3], np.int64)])

    def to_size_of(self, x: str, like: str) -> str:
        shape = self.op("Shape", [x])
        channels = self.op("Slice", [shape, self.const([0], np.int64), self.const([2], np.int64)])
        return self.resize(x, sizes=self.op("Concat", [channels, self.height_width(like)], axis=0))

    def gru(self, x: str, state: str, channels: int, output: str) -> str:
        """ConvGRU; a state of any broadcastable size is expanded to that of x."""
        h = self.op("Expand", [state, self.op("Shape", [x])])
        gates = self.op("Sigmoid", [self.conv(self.op("Concat", [x, h], axis=1), (2 * channels, 2 * channels))])
        reset, update = self.split(gates, (channels, channels))
        reset_h = self.op("Mul", [reset, h])
        candidate = self.op("Tanh", [self.conv(self.op("Concat", [x, reset_h], axis=1), (2 * channels, channels))])
        keep = self.op("Mul", [self.op("Sub", [self.const(1.0), update]), h])
        return self.op("Add", [keep, self.op("Mul", [update, candidate])], output)

    def with_mean(self, rgb: str) -> str:
        return self.op("Concat", [rgb, self.op("ReduceMean", [rgb], axes=[1], keepdims=1)], axis=1)

    def box(self, x: str, *, depthwise: bool) -> str:
        if depthwise:
            weight = self.const(np.full((4, 1, BOX, BOX), 1.0 / BOX**2))
            return self.op("Conv", [x, weight], kernel_shape=[BOX] * 2, pads=[1] * 4, group=4)
        return self.op("AveragePool", [x], kernel_shape=[BOX] * 2, pads=[1] * 4, count_include_pad=1)


def _decode(net: _Builder, small: str) -> str:
    """Encoder, recurrent decoder; returns the hidden features at internal size."""
    features = [small]
    for inside, outside in zip((3, *ENCODER_CHANNELS), ENCODER_CHANNELS, strict=False):
        features.append(net.relu(net.conv(features[-1], (inside, outside), stride=2)))
    x = net.relu(net.conv(features[4], (ENCODER_CHANNELS[3], STATE_CHANNELS[3]), kernel=1))
    x = net.gru(x, STATES_IN[3], STATE_CHANNELS[3], STATES_OUT[3])
    double = net.const([1.0, 1.0, 2.0, 2.0])
    for level in (2, 1, 0):
        skip = features[level + 1]
        up = net.crop_like(net.resize(x, scales=double), skip)
        inside = STATE_CHANNELS[level + 1] + ENCODER_CHANNELS[level]
        x = net.relu(net.conv(net.op("Concat", [up, skip], axis=1), (inside, STATE_CHANNELS[level])))
        x = net.gru(x, STATES_IN[level], STATE_CHANNELS[level], STATES_OUT[level])
    up = net.crop_like(net.resize(x, scales=double), small)
    x = net.op("Concat", [up, small], axis=1)
    return net.relu(net.conv(x, (STATE_CHANNELS[0] + 3, HIDDEN_CHANNELS)))


def _refine(net: _Builder, small: str, hidden: str, refiner: Refiner) -> None:
    """The guided filter at internal size, its coefficients at full size, alpha and foreground."""
    deep = refiner == "deep"
    base_y = net.conv(hidden, (HIDDEN_CHANNELS, 4), kernel=1, bias=0.4)
    base_x = net.with_mean(small)
    mean_x, mean_y = net.box(base_x, depthwise=deep), net.box(base_y, depthwise=deep)
    mean_xy = net.box(net.op("Mul", [base_x, base_y]), depthwise=deep)
    cov = net.op("Sub", [mean_xy, net.op("Mul", [mean_x, mean_y])])
    mean_xx = net.box(net.op("Mul", [base_x, base_x]), depthwise=deep)
    var = net.op("Sub", [mean_xx, net.op("Mul", [mean_x, mean_x])])
    if deep:
        x = net.op("Concat", [cov, var, hidden], axis=1)
        x = net.relu(net.conv(x, (8 + HIDDEN_CHANNELS, HIDDEN_CHANNELS), kernel=1))
        a = net.conv(x, (HIDDEN_CHANNELS, 4), kernel=1)
    else:
        a = net.op("Div", [cov, net.op("Add", [var, net.const(1e-5)])])
    b = net.op("Sub", [mean_y, net.op("Mul", [a, mean_x])])
    fine = net.op("Mul", [net.to_size_of(a, SRC), net.with_mean(SRC)])
    out = net.op("Add", [fine, net.to_size_of(b, SRC)])
    residual, alpha = net.split(out, (3, 1))
    zero, one = net.const(0.0), net.const(1.0)
    net.op("Clip", [net.op("Add", [residual, SRC]), zero, one], FOREGROUND)
    net.op("Clip", [alpha, zero, one], ALPHA)


def make_rvm_like(refiner: Refiner, *, seed: int = 7) -> onnx.ModelProto:
    """The network, uncut: src (N, 3, H, W), r1i..r4i, downsample_ratio (1,) -> fgr, pha, r1o..r4o."""
    net = _Builder(np.random.default_rng(seed))
    ones = net.const([1.0, 1.0])
    scales = net.op("Concat", [ones, DOWNSAMPLE_RATIO, DOWNSAMPLE_RATIO], axis=0)
    small = net.resize(SRC, scales=scales)
    _refine(net, small, _decode(net, small), refiner)

    def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))

    inputs = [value(SRC, "batch_size", 3, "height", "width")]
    inputs += [value(n, f"{n}_batch", f"{n}_channels", f"{n}_height", f"{n}_width") for n in STATES_IN]
    inputs += [value(DOWNSAMPLE_RATIO, 1)]
    outputs = [value(FOREGROUND, "batch_size", 3, "height", "width"), value(ALPHA, "batch_size", 1, "height", "width")]
    outputs += [
        value(name, "batch_size", channels, f"{name}_height", f"{name}_width")
        for name, channels in zip(STATES_OUT, STATE_CHANNELS, strict=True)
    ]
    graph = helper.make_graph(net.nodes, "rvm_like", inputs, outputs, net.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="vcam-tests")
    model.ir_version = 7
    onnx.checker.check_model(model)
    return model

"""What a frame needs of a GPU that is not here: bytes and operations counted, and the time they take on its data sheet.

Usage: .venv/bin/python scripts/count_work.py NETWORK.onnx [out.json]

A CALCULATION, not a measurement. The network is the float16 core that a GPU gets, its layers counted one by one: a
layer takes as long as its operations at the card's arithmetic rate or its bytes at the card's memory rate, whichever is
longer. Three figures each:

* at peak: every rate as the data sheet has it. No card does that; nothing can be faster.
* expected: SHARE_OF_ARITHMETIC and SHARE_OF_MEMORY of the peaks, and no layer faster than FLOOR_S.
* unfused: as expected, with each pointwise operation a pass over memory of its own.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx

from vcam.bench.gpu_bytes import compose_bytes, picture_bytes, sample_bytes
from vcam.frame import PixelFormat, Range, Size, VideoFormat
from vcam.model.cut import cut
from vcam.model.half import to_half
from vcam.model.onnx_file import read_model
from vcam.model.specialise import simplify, specialise

SIZES = (Size(512, 288), Size(960, 540))
"""Our `high`, and what ratio 0.5 makes of 1080p."""

CAMERA = VideoFormat(PixelFormat.I422, 1920, 1080, range=Range.FULL)
TARGET = VideoFormat(PixelFormat.YUYV, 1920, 1080)

SHARE_OF_ARITHMETIC = 0.4
SHARE_OF_MEMORY = 0.75
SHARE_OF_PCIE = 0.75
FLOOR_S = 4e-6
"""Assumptions: small convolutions do not fill a card; a kernel of a CUDA graph has a start and an end."""

_HEAVY = frozenset({"Conv", "AveragePool", "GlobalAveragePool", "Resize", "ReduceMean"})
"""What ends a fused kernel; the rest is pointwise, or is only about where things lie."""

_BYTES = {onnx.TensorProto.FLOAT: 4, onnx.TensorProto.FLOAT16: 2, onnx.TensorProto.INT64: 8}


@dataclass(frozen=True, slots=True)
class Card:
    """Peak rates: bytes and operations a second (a multiply-add is two)."""

    name: str
    memory: float
    pcie: float
    tensor_fp16: float
    plain_fp16: float


def turing(name: str, *, multiprocessors: int, boost_hz: float, memory: float) -> Card:
    """A GeForce RTX 20. Per multiprocessor and clock, after NVIDIA's "Turing GPU Architecture" (WP-09183-001): 8 tensor
    cores of 64 FP16 multiply-adds each, at half that rate where sums are kept in FP32, as here; 64 FP32 lanes, twice
    that in plain FP16. PCIe 3.0 x16: 15.75 GB/s."""
    tensor = multiprocessors * 8 * 64 * 2 * boost_hz / 2
    return Card(name, memory, 15.75e9, tensor, multiprocessors * 64 * 2 * 2 * boost_hz)


RTX_2060_SUPER = turing("RTX 2060 Super", multiprocessors=34, boost_hz=1.65e9, memory=448e9)
"""NVIDIA's product page: 2176 CUDA cores (34 multiprocessors of 64), boost 1650 MHz, 256 bit GDDR6, 448 GB/s."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One node. multiply_adds; tensor: tensor cores can do them; fused_bytes: what it moves where pointwise operations
    ride on their neighbours; alone_bytes: where they do not."""

    kind: str
    multiply_adds: int
    tensor: bool
    fused_bytes: int
    alone_bytes: int


def layers(network: onnx.ModelProto) -> Iterator[Layer]:
    """Each node of a static network."""
    inferred = onnx.shape_inference.infer_shapes(network, strict_mode=True).graph
    values = {each.name: each.type.tensor_type for each in (*inferred.value_info, *inferred.input, *inferred.output)}
    shapes = {name: tuple(axis.dim_value for axis in kind.shape.dim) for name, kind in values.items()}
    sizes = {name: math.prod(shapes[name]) * _BYTES[kind.elem_type] for name, kind in values.items()}
    weights = {each.name: tuple(each.dims) for each in inferred.initializer}
    weight_bytes = {each.name: math.prod(each.dims) * _BYTES[each.data_type] for each in inferred.initializer}
    for node in inferred.node:
        read = [sizes[name] for name in node.input if name in sizes]
        constant = sum(weight_bytes.get(name, 0) for name in node.input)
        written = sum(sizes[name] for name in node.output)
        alone = sum(read) + constant + written
        fused = alone if node.op_type in _HEAVY else sum(sorted(read)[:-1])
        yield Layer(node.op_type, *_multiply_adds(node, shapes, weights), fused, alone)


def _multiply_adds(
    node: onnx.NodeProto, shapes: Mapping[str, tuple[int, ...]], weights: Mapping[str, tuple[int, ...]]
) -> tuple[int, bool]:
    if node.op_type != "Conv":
        return 0, False
    kernel = weights[node.input[1]]
    return math.prod(shapes[node.output[0]]) * math.prod(kernel[1:]), kernel[1] > 1


def seconds(layer: Layer, card: Card, *, expected: bool, fused: bool = True) -> float:
    """How long one layer takes, by the slower of arithmetic and memory."""
    moved = layer.fused_bytes if fused else layer.alone_bytes
    if not moved:
        return 0.0
    arithmetic = 2 * layer.multiply_adds / (card.tensor_fp16 if layer.tensor else card.plain_fp16)
    memory = moved / card.memory
    if not expected:
        return max(arithmetic, memory)
    starts_a_kernel = layer.kind in _HEAVY or not fused
    floor = FLOOR_S if starts_a_kernel else 0.0
    return max(arithmetic / SHARE_OF_ARITHMETIC, memory / SHARE_OF_MEMORY, floor)


def network_row(network: Path, size: Size, card: Card) -> dict[str, object]:
    """The core at one internal size."""
    half = to_half(simplify(specialise(cut(read_model(network)), size)))
    found = list(layers(half))
    return {
        "what": f"network at {size}, FP16",
        "giga_multiply_adds": sum(each.multiply_adds for each in found) / 1e9,
        "tensor_share": sum(each.multiply_adds for each in found if each.tensor) / sum(e.multiply_adds for e in found),
        "megabytes": sum(each.fused_bytes for each in found) / 1e6,
        "megabytes_unfused": sum(each.alone_bytes for each in found) / 1e6,
        "kernels": sum(each.kind in _HEAVY for each in found),
        "ms_at_peak": 1e3 * sum(seconds(each, card, expected=False) for each in found),
        "ms_expected": 1e3 * sum(seconds(each, card, expected=True) for each in found),
        "ms_unfused": 1e3 * sum(seconds(each, card, expected=True, fused=False) for each in found),
    }


def moved_row(what: str, moved: int, rate: float, share: float) -> dict[str, object]:
    """Something that only moves bytes."""
    at_peak = 1e3 * moved / rate
    return {"what": what, "megabytes": moved / 1e6, "ms_at_peak": at_peak, "ms_expected": at_peak / share}


def rows(network: Path, card: Card) -> Iterator[dict[str, object]]:
    """A 1080p frame, part by part, and in all for each internal size."""
    pcie = [
        moved_row("upload 1080p 4:2:2", picture_bytes(CAMERA), card.pcie, SHARE_OF_PCIE),
        moved_row("download 1080p YUYV", picture_bytes(TARGET), card.pcie, SHARE_OF_PCIE),
    ]
    yield from pcie
    for size in SIZES:
        sample = moved_row(
            f"sample 1080p to {size}", sample_bytes(CAMERA, size, half=True), card.memory, SHARE_OF_MEMORY
        )
        compose = moved_row(
            f"compose 1080p from {size}", compose_bytes(CAMERA, TARGET, size, half=True), card.memory, SHARE_OF_MEMORY
        )
        engine = network_row(network, size, card)
        parts = [*pcie, sample, engine, compose]
        total = {key: sum(figure(part, key) for part in parts) for key in ("ms_at_peak", "ms_expected", "ms_unfused")}
        yield from (sample, engine, compose)
        yield {"what": f"GPU part of a 1080p frame, network at {size}", **total}


def figure(part: Mapping[str, object], key: str) -> float:
    """What only moves bytes has nothing to fuse."""
    return float(str(part.get(key, part["ms_expected"])))


def main(network: Path, target: Path | None) -> None:
    """Print the table; write it where asked."""
    found = list(rows(network, RTX_2060_SUPER))
    print(f"CALCULATED, not measured: {RTX_2060_SUPER}")  # noqa: T201
    for row in found:
        figures = (f"{key} {value:.3g}" for key, value in row.items() if isinstance(value, float | int))
        print(f"{row['what']}: {', '.join(figures)}")  # noqa: T201
    if target is not None:
        assumptions = {"arithmetic": SHARE_OF_ARITHMETIC, "memory": SHARE_OF_MEMORY, "pcie": SHARE_OF_PCIE}
        document = {
            "kind": "calculation",
            "network": network.name,
            "card": asdict(RTX_2060_SUPER),
            "shares_of_peak": assumptions,
            "floor_s": FLOOR_S,
            "rows": found,
        }
        target.write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    given, *rest = map(Path, sys.argv[1:])
    main(given, rest[0] if rest else None)

"""Does the network's recurrent state drift? Long runs of several arithmetics side by side, written as JSON.

Usage: .venv/bin/python scripts/drift.py NETWORK.onnx [benchmarks/drift.json] [frames]

Three questions:

* moving: FP32 against FP16 and bfloat16 over a long clip, and against FP32 itself when it starts afresh every now and
  then; a state that drifts makes the difference grow.
* still: a picture that does not change (with and without sensor noise), at internal sizes inside and beyond the
  documented 256 to 512 pixels; the matte of frame n against that of frame 30.

ONNX Runtime's CPU provider computes a float16 network in float32 and rounds only what goes in and out, so true FP16 is
emulated: every result rounded to float16, sums kept in float32 as tensor cores do.
"""

import functools
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import onnx_graphsurgeon as gs
from skimage import data

from vcam.engines.rvm_openvino import OpenVinoEngine
from vcam.frame import AffineMatte, Size, Stamp, Tensor
from vcam.model.half import blend_nodes, refiner_nodes
from vcam.model.prepare import PrepareOptions, prepare
from vcam.model.runtime import Network
from vcam.model.verify import next_states, zero_states
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN
from vcam.stages import CoreModel

NOISE = 0.01
MOVING_RUNS = ((Size(128, 72), 1), (Size(256, 144), 10))
"""Internal size, and by what the number of frames is divided, for the sake of time."""
STILL_RUNS = (
    (Size(128, 72), 10_000, NOISE),
    (Size(256, 144), 1000, 0.0),
    (Size(256, 144), 1000, NOISE),
    (Size(512, 288), 300, NOISE),
    (Size(640, 360), 200, NOISE),
    (Size(960, 540), 120, NOISE),
)
"""Internal size, frames, and the deviation of the sensor's noise."""
WINDOW = 1000
FRESH, SETTLED = 850, 950
"""Positions in a window: from the first on, a second FP32 run starts afresh; from the second on it is compared."""
FPS = 30

Step = Callable[[Tensor, int], Tensor]
"""Alpha (h, w) of a picture, frame by frame."""

AFRESH = "fp32, 100 frames after a fresh start"

_ROUNDED = frozenset(
    {"Conv", "Add", "Sub", "Mul", "Div", "AveragePool", "GlobalAveragePool", "Sigmoid", "Tanh", "Resize", "ReduceMean"}
)


@functools.cache
def photograph() -> npt.NDArray[np.uint8]:
    """NASA's portrait of Eileen Collins, (512, 512, 3)."""
    picture: npt.NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]
    return picture


def portrait(size: Size, index: int, noise: float, rng: np.random.Generator, *, moving: bool = True) -> Tensor:
    """The astronaut as a swaying camera sees her, (3, h, w); periods of seconds that never meet again."""
    still = photograph()
    time_s = index / FPS if moving else 0.0
    side = still.shape[0]
    zoom = size.width / side * (1.12 + 0.08 * math.sin(0.9 * time_s))
    warp = cv2.getRotationMatrix2D((side * 0.45, side * 0.30), math.degrees(0.03 * math.sin(1.3 * time_s)), zoom)
    warp[0, 2] += size.width * (0.5 + 0.047 * math.sin(1.7 * time_s)) - side * 0.45
    warp[1, 2] += size.height * (0.58 + 0.021 * math.sin(2.9 * time_s)) - side * 0.30
    seen = cv2.warpAffine(still, warp, (size.width, size.height), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
    rgb = np.ascontiguousarray(seen.transpose(2, 0, 1), dtype=np.float32) / 255
    return np.clip(rgb + rng.normal(0, noise, rgb.shape), 0, 1).astype(np.float32)


def alpha_of(picture: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """At internal size."""
    alpha: Tensor = np.clip(a[3] * picture.mean(axis=0) + b[3], 0, 1)
    return alpha


def engine_step(engine: OpenVinoEngine) -> Step:
    """The engine as it is."""

    def step(picture: Tensor, index: int) -> Tensor:
        matte: AffineMatte = engine.matte(picture, Stamp(index, index))
        return alpha_of(picture, matte.a, matte.b)

    return step


def fresh_step(engine: OpenVinoEngine) -> Step:
    """As ``engine_step``, forgetting everything at FRESH."""
    go_on = engine_step(engine)

    def step(picture: Tensor, index: int) -> Tensor:
        if index % WINDOW == FRESH:
            engine.reset()
        return go_on(picture, index)

    return step


def network_step(network: onnx.ModelProto, size: Size) -> Step:
    """A core run by hand."""
    runner = Network(network, threads=1)
    states = zero_states(size)

    def step(picture: Tensor, _index: int) -> Tensor:
        nonlocal states
        outputs = runner.run({SRC: picture[None], **states})
        states = next_states(outputs)
        a, b = (outputs[name][0].astype(np.float32) for name in COEFFICIENTS)
        return alpha_of(picture, a, b)

    return step


def emulate_half(core: onnx.ModelProto, *, half_states: bool) -> onnx.ModelProto:
    """A float32 core that rounds weights, inputs and results to float16 where ``to_half`` computes in it.

    half_states: round the states and what renews them too.
    """
    graph = gs.import_onnx(core)
    single = refiner_nodes(graph) if half_states else [*refiner_nodes(graph), *blend_nodes(graph)]
    kept = {id(node) for node in single}
    for node in graph.nodes:
        for index, tensor in enumerate(node.inputs):
            rounded = isinstance(tensor, gs.Constant) and tensor.dtype == np.float32 and id(node) not in kept
            if rounded and not (node.op == "Resize" and index > 0):
                values = tensor.values.astype(np.float16).astype(np.float32)
                node.inputs[index] = gs.Constant(f"{node.outputs[0].name}_{index}_rounded", values)
    for tensor in list(graph.tensors().values()):
        if isinstance(tensor, gs.Variable) and tensor.dtype == np.float32:
            makers = list(tensor.inputs)
            exact = id(makers[0]) in kept if makers else tensor.name in STATES_IN and not half_states
            if exact or not makers or makers[0].op in _ROUNDED:
                readers = [node for node in tensor.outputs if not (exact and id(node) in kept)]
                round_for(graph, tensor, readers, output=not exact)
    graph.cleanup().toposort()
    emulated: onnx.ModelProto = gs.export_onnx(graph)
    return emulated


def round_for(graph: gs.Graph, tensor: gs.Variable, readers: list[gs.Node], *, output: bool) -> None:
    """``readers`` read ``tensor`` rounded; ``output``: where it is a result of the graph, it is rounded too."""
    rounded = gs.Variable(f"{tensor.name}_rounded", tensor.dtype, tensor.shape)
    for node in readers:
        node.inputs = [rounded if each is tensor else each for each in node.inputs]
    if output and any(tensor is each for each in graph.outputs):
        graph.outputs = [rounded if each is tensor else each for each in graph.outputs]
        tensor.name, rounded.name = f"{tensor.name}_exact", tensor.name
    half = gs.Variable(f"{rounded.name}_half", np.float16, tensor.shape)
    graph.nodes.append(gs.Node("Cast", attrs={"to": onnx.TensorProto.FLOAT16}, inputs=[tensor], outputs=[half]))
    graph.nodes.append(gs.Node("Cast", attrs={"to": onnx.TensorProto.FLOAT}, inputs=[half], outputs=[rounded]))


def moving(core: CoreModel, frames: int) -> dict[str, list[dict[str, float]]]:
    """Per variant and window of WINDOW frames: the difference of its alpha from FP32's."""
    network = onnx.load(core.path)
    with ExitStack() as stack:
        enter = stack.enter_context
        reference = engine_step(enter(OpenVinoEngine(core, threads=1)))
        variants = {
            AFRESH: fresh_step(enter(OpenVinoEngine(core, threads=1))),
            "fp16 (emulated)": network_step(emulate_half(network, half_states=False), core.size),
            "fp16 with float16 states (emulated)": network_step(emulate_half(network, half_states=True), core.size),
            "bf16": engine_step(enter(OpenVinoEngine(core, threads=1, arithmetic="bf16"))),
        }
        found: dict[str, list[list[tuple[float, float]]]] = {name: [] for name in variants}
        rng = np.random.default_rng(0)
        for index in range(frames):
            picture = portrait(core.size, index, NOISE, rng)
            wanted = reference(picture, index)
            for name, step in variants.items():
                if index % WINDOW == 0:
                    found[name].append([])
                if name == AFRESH and index % WINDOW < FRESH:
                    continue
                off = np.abs(step(picture, index) - wanted)
                if name != AFRESH or index % WINDOW >= SETTLED:
                    found[name][-1].append((float(off.max()), float(off.mean())))
    return {name: list(map(summary, windows)) for name, windows in found.items()}


def summary(differences: list[tuple[float, float]]) -> dict[str, float]:
    """Largest and mean over a window."""
    return {
        "max": float(max(largest for largest, _ in differences)),
        "mean": float(np.mean([mean for _, mean in differences])),
    }


def still(core: CoreModel, frames: int, noise: float) -> list[dict[str, float]]:
    """How the matte of an unchanging picture moves away from that of frame 30, and what it covers."""
    rng = np.random.default_rng(1)
    rows = []
    with OpenVinoEngine(core, threads=1) as engine:
        step = engine_step(engine)
        picture = portrait(core.size, 0, 0.0, rng, moving=False)
        settled: list[Tensor] = []
        for index in range(1, frames + 1):
            noisy = np.clip(picture + rng.normal(0, noise, picture.shape), 0, 1).astype(np.float32)
            alpha = step(noisy, index)
            if index <= FPS:
                settled = [alpha]
            if index in (1, 2, 5, 10, 30, 60, 90, 120, 150, 300, 400, 1000, 3000, 10000):
                off = np.abs(alpha - settled[0])
                rows.append(
                    {"frame": index, "covered": float(alpha.mean()), "max": float(off.max()), "mean": float(off.mean())}
                )
    return rows


def still_runs(network: Path, folder: Path) -> Iterator[dict[str, object]]:
    """All internal sizes."""
    for size, frames, noise in STILL_RUNS:
        core = prepare(PrepareOptions(folder, size, network))
        yield {"size": str(size), "noise": noise, "against_frame_30": still(core, frames, noise)}


def moving_runs(network: Path, folder: Path, frames: int) -> Iterator[dict[str, object]]:
    """All internal sizes."""
    for size, part in MOVING_RUNS:
        core = prepare(PrepareOptions(folder, size, network))
        differences = moving(core, frames // part)
        yield {"size": str(size), "frames": frames // part, "alpha_difference_from_fp32": differences}


def cpu_name() -> str:
    """As Linux tells it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def main(network: Path, target: Path, frames: int) -> None:
    """Run everything and write ``target``."""
    began = time.process_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report = {
            "network": network.name,
            "commit": subprocess.run(
                ["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True
            ).stdout.strip(),
            "cpu": cpu_name(),
            "window": WINDOW,
            "moving": list(moving_runs(network, folder, frames)),
            "still": list(still_runs(network, folder)),
            "cpu_seconds": round(time.process_time() - began),
        }
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    arguments = [*sys.argv[1:], *["", "benchmarks/drift.json", "10000"][len(sys.argv) - 1 :]]
    main(Path(arguments[0]), Path(arguments[1]), int(arguments[2]))

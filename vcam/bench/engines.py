"""Which library runs the network fastest on this CPU, and with how many threads."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import numpy as np

from vcam.bench.report import Row, interleaved, row
from vcam.config import Config, Quality
from vcam.engines.rvm_onnxruntime import OnnxRuntimeEngine
from vcam.engines.rvm_openvino import OpenVinoEngine
from vcam.engines.select import default_threads, look
from vcam.frame import Size, Stamp
from vcam.model.frames import moving_figure
from vcam.model.manifest import DEFAULT_MODEL
from vcam.model.prepare import PrepareOptions, prepare
from vcam.stages import CoreModel, MattingEngine

_CAMERA = Size(1280, 720)


def run(config: Config, count: int) -> Iterator[Row]:
    """All rivals of one size in turns; each row with its ratio to ONNX Runtime with as many threads."""
    for quality in (Quality.FAST, Quality.BALANCED, Quality.HIGH):
        size = config.model_copy(update={"quality": quality}).internal_size(_CAMERA)
        core = prepare(PrepareOptions(config.models_dir, size, config.model or DEFAULT_MODEL))
        for threads in sorted({1, default_threads()}):
            seconds = _race(core, threads, count)
            reference = float(np.median(seconds["onnxruntime"]))
            for name, values in seconds.items():
                ratio = round(reference / float(np.median(values)), 2)
                yield row(f"{size}, {threads} threads: {name}", values, times_onnxruntime=ratio)


def _race(core: CoreModel, threads: int, count: int) -> dict[str, list[float]]:
    rivals: dict[str, MattingEngine] = {
        "onnxruntime": OnnxRuntimeEngine(core, threads=threads),
        "openvino": OpenVinoEngine(core, threads=threads),
    }
    if look(model=True).bf16:
        rivals["openvino bf16"] = OpenVinoEngine(core, threads=threads, arithmetic="bf16")
    picture = next(moving_figure(core.size, 1))
    small = np.ascontiguousarray(picture.reshape(3, core.size.height, core.size.width))
    with ExitStack() as stack:
        calls: dict[str, Callable[[], object]] = {}
        for name, engine in rivals.items():
            stack.enter_context(engine)
            calls[name] = lambda engine=engine: engine.matte(small, Stamp(0, 0))  # type: ignore[misc]
        return interleaved(calls, count=count)

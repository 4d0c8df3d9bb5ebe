"""Ours against the published way, frame by frame in turns: the same JPEGs, the same ratio, the same threads."""

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np

from vcam.bench.baseline import UncutPipeline
from vcam.bench.clip import Clip
from vcam.bench.report import Row, interleaved, row
from vcam.config import Config
from vcam.decode.choose import make_decoder
from vcam.engines.select import default_threads
from vcam.frame import EncodedFrame, PixelFormat, Size, Stamp, VideoFormat
from vcam.model.manifest import DEFAULT_MODEL
from vcam.model.prepare import locate
from vcam.pipeline.assemble_engine import EngineRoom
from vcam.pipeline.assemble_model import silent
from vcam.pipeline.preparation import Preparation
from vcam.scene.spec import build_scene
from vcam.stages import StageTimes


def run(clip: Clip, config: Config, count: int) -> Iterator[Row]:
    """One row each, and how many times faster ours is, by the medians."""
    camera = Size(clip.format.width, clip.format.height)
    size = config.internal_size(camera)
    model = locate(config.model or DEFAULT_MODEL, config.models_dir).path
    green = np.full((camera.height, camera.width, 3), (0, 255, 0), np.uint8)
    theirs = UncutPipeline(Path(model), size, green, threads=default_threads())
    target = VideoFormat(PixelFormat.YUYV, camera.width, camera.height)
    opened = EngineRoom(config, camera, (target,), silent).open_processor(Preparation())
    scene, times = build_scene("green", (0, 255, 0)), StageTimes()
    jpegs, numbers = cycle(clip.jpegs), iter(range(10**9))
    with opened.processor as processor, make_decoder(clip.format) as decoder:

        def our_frame() -> None:
            frame = EncodedFrame(next(jpegs), clip.format, Stamp(0, next(numbers)))
            processor.process(decoder.decode(frame), scene, times)

        seconds = interleaved({"ours": our_frame, "theirs": lambda: theirs.frame(next(jpegs))}, count=count)
        ours = processor.info
    ratio = round(float(np.median(seconds["theirs"]) / np.median(seconds["ours"])), 2)
    where = f"{camera.height}p, network at {size}"
    yield row(f"{where}: ours, {ours.engine}", seconds["ours"], times_uncut=ratio)
    yield row(f"{where}: uncut network in ONNX Runtime, NumPy and OpenCV", seconds["theirs"])

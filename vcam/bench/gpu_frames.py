"""Whole frames on the GPU: JPEG bytes to an output buffer, per stage, with CUDA graphs and call by call."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import cycle

import numpy as np

from vcam.bench.clip import Clip, to_and_fro
from vcam.bench.gpu_room import GpuRoom, target_format
from vcam.bench.gpu_stopwatch import StopwatchDriver
from vcam.bench.report import Row, row
from vcam.compose.gpu import GpuFrameProcessor, GpuOptions
from vcam.decode.turbo import TurboDecoder
from vcam.frame import EncodedFrame, Image, Planes, Stamp
from vcam.pipeline.line import AHEAD_DECODERS
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import DeviceEngine, Scene, Stage, StageTimes

ON_GPU = (Stage.UPLOAD, Stage.SAMPLE, Stage.INFER, Stage.COMPOSE, Stage.DOWNLOAD)
WITHOUT_ENGINE = tuple(stage for stage in ON_GPU if stage is not Stage.INFER)
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Way:
    """How frames are made. name: of the engine, for the rows."""

    name: str
    open_engine: Callable[[], DeviceEngine]
    graphs: bool

    def __str__(self) -> str:
        return f"{self.name}, {'CUDA graphs' if self.graphs else 'call by call'}"


@dataclass(slots=True)
class _Seconds:
    """Of each frame."""

    stages: dict[Stage, list[float]] = field(default_factory=dict)
    process: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)


class FrameMaker:
    """Decoders and processor as the pipeline has them, one frame after the other. Open while entered."""

    def __init__(self, room: GpuRoom, clip: Clip, way: Way) -> None:
        self._room, self._way = room, way
        self._stopwatch = StopwatchDriver(room.driver)
        self._jpegs = cycle(to_and_fro(clip.jpegs))
        self._format = clip.format
        self._target = target_format(clip.format.size)
        self._scene = Scene(SolidBackdrop((0, 255, 0)))
        self._stack = ExitStack()
        self._number = 0
        self.times = StageTimes()
        self.process_s = self.ours_s = 0.0

    def __enter__(self) -> "FrameMaker":
        options = GpuOptions(graphs=self._way.graphs, fatbin=lambda: self._room.fatbin)
        with ExitStack() as stack:
            self.processor = stack.enter_context(
                GpuFrameProcessor(self._stopwatch.driver, self._way.open_engine(), [self._target], options=options)
            )
            decoders = [TurboDecoder(allocate=self.processor.allocate) for _ in range(AHEAD_DECODERS)]
            self._decoders = cycle([stack.enter_context(decoder) for decoder in decoders])
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def change_scene(self, scene: Scene) -> None:
        """From the next frame on."""
        self._scene = scene

    def frame(self) -> Image:
        """The next one, borrowed until the one after it; how long it took is in the attributes."""
        self.times.clear()
        stamp, self._number = Stamp(self._number * 33_333_333, self._number), self._number + 1
        with self.times.measure(Stage.DECODE):
            image = next(self._decoders).decode(EncodedFrame(next(self._jpegs), self._format, stamp))
        waited_s, began_s = self._stopwatch.seconds, time.perf_counter()
        (picture,) = self.processor.process(image, self._scene, self.times)
        self.process_s = time.perf_counter() - began_s
        self.ours_s = self.process_s - (self._stopwatch.seconds - waited_s)
        return picture


def run(room: GpuRoom, clip: Clip, way: Way) -> Iterator[Row]:
    """A row per stage, then what they come to. Raises VcamError where the engine cannot be had."""
    seconds = _Seconds()
    with FrameMaker(room, clip, way) as maker:
        for number in range(room.weight.warm_up + room.weight.frames):
            maker.frame()
            if number >= room.weight.warm_up:
                _note(seconds, maker)
        held = round(maker.processor.device.allocated_bytes / _MIB, 1)
        graphs = str(maker.processor.captured)
        free, total = maker.processor.device.free_memory()
    memory: dict[str, float | str] = {
        "captured": graphs,
        "own_buffers_mib": held,
        "gpu_memory_in_use_mib": round((total - free) / _MIB, 1),  # by all processes, CUDA's own share with it
    }
    stages = {stage: np.array(values) for stage, values in seconds.stages.items()}
    rows = [row(stage.value, list(values)) for stage, values in stages.items()]
    rows.append(row("GPU, by events", list(np.sum([stages[each] for each in ON_GPU], axis=0))))
    rows.append(row("GPU without the engine", list(np.sum([stages[each] for each in WITHOUT_ENGINE], axis=0))))
    rows.append(row("our own work on the CPU, without decoding and copies", seconds.ours))
    rows.append(row("process: picture in to picture out", seconds.process))
    rows.append(row("whole frame: JPEG in to picture out", seconds.whole, **memory))
    height = clip.format.height
    yield from (replace(each, group=f"{height}p MJPEG to YUYV, {way}") for each in rows)


def compare(room: GpuRoom, clip: Clip, ways: tuple[Way, Way]) -> Row:
    """The same frames made in two ways: how far their pictures are apart, in levels of 255."""
    first, second = (_pictures(room, clip, way) for way in ways)
    largest = max(
        int(np.abs(one.astype(np.int16) - other).max())
        for pictures in zip(first, second, strict=True)
        for one, other in zip(*pictures, strict=True)
    )
    extra: dict[str, float | str] = {"largest_difference": float(largest)}
    name = f"{clip.format.height}p, {ways[0].name}: CUDA graphs against call by call"
    return Row(name, 0.0, 0.0, 0.0, len(first), extra, "equal pictures")


def _pictures(room: GpuRoom, clip: Clip, way: Way) -> list[Planes]:
    with FrameMaker(room, clip, way) as maker:
        return [tuple(plane.copy() for plane in maker.frame().planes) for _ in range(min(30, room.weight.compared))]


def _note(seconds: _Seconds, maker: FrameMaker) -> None:
    for stage, value in maker.times.seconds().items():
        seconds.stages.setdefault(stage, []).append(value)
    seconds.process.append(maker.process_s)
    seconds.whole.append(maker.times.seconds()[Stage.DECODE] + maker.process_s)
    seconds.ours.append(maker.ours_s)

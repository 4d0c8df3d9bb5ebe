"""What scenes cost: each effect against the plain scene in the same run, and the heaviest one in a whole pipeline."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from vcam.bench.clip import Clip
from vcam.bench.compose import FixedMatte, camera_picture, coefficients
from vcam.bench.pipeline import CAMERA_FPS, Run, measure
from vcam.bench.report import Row, row
from vcam.bench.scene_effects import Effect, effects, everything, plain
from vcam.bench.scene_props import Props, make_props
from vcam.compose.cpu import CpuFrameProcessor
from vcam.compose.directed import DirectedProcessor, Director
from vcam.compose.layers import LayeredProcessor
from vcam.config import Config
from vcam.frame import Image, PixelFormat, Size, Stamp, VideoFormat
from vcam.pipeline.assemble_scene import make_scene
from vcam.stages import Stage, StageTimes

SIZE = Size(1280, 720)
_TARGET = VideoFormat(PixelFormat.YUYV, SIZE.width, SIZE.height)
FLOOR_FPS = 24.0
_SETTLE_S = 0.02
"""After a frame of what moves: its thread makes the next picture, which shall disturb no other effect."""
_WARM_UP = 100
"""Auto-framing has found the person by then."""


def run(config: Config, clip: Clip, *, count: int, frames: int) -> Iterator[Row]:
    """A row per effect, then the stages of a pipeline with a film, layers and a hologram.

    count: pictures per effect. frames: of the pipeline.
    """
    with TemporaryDirectory() as folder:
        props = make_props(Path(folder), SIZE)
        yield from _costs([plain(props), *effects(props)], count)
        yield from _floor(props, config, clip, frames)


def _costs(shown: list[Effect], count: int) -> Iterator[Row]:
    with ExitStack() as stack:
        rigs = [stack.enter_context(_Rig(effect)) for effect in shown]
        for rig in rigs:
            for _ in range(_WARM_UP):
                rig.frame()
            rig.seconds.clear()
        for _ in range(count):  # in turns, so that whatever disturbs the machine disturbs all alike
            for rig in rigs:
                rig.frame()
                if rig.moves:
                    time.sleep(_SETTLE_S)
        usual_s = float(np.median(rigs[0].seconds))
        for rig in rigs:
            median_s = float(np.median(rig.seconds))
            ratio = round(median_s / usual_s, 2)
            yield row(rig.effect.name, rig.seconds, times_plain=ratio, added_ms=round((median_s - usual_s) * 1e3, 2))


class _Rig:
    """One effect before a matte that has its answer ready; keeps the seconds of composing each frame."""

    def __init__(self, effect: Effect) -> None:
        self.effect = effect
        self.seconds: list[float] = []
        self._picture = camera_picture(SIZE)
        self._scene = make_scene(effect.settings)
        processor = CpuFrameProcessor(FixedMatte(*coefficients("realistic")), [_TARGET])
        self._processor = LayeredProcessor(DirectedProcessor(processor, Director(SIZE)))
        self._times = StageTimes()
        self._shown = 0

    def __enter__(self) -> "_Rig":
        self._processor.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._processor.__exit__(None, None, None)
        self._scene.close()

    @property
    def moves(self) -> bool:
        return bool(self._scene.films)

    def frame(self) -> None:
        """The next of 30 a second."""
        stamp = Stamp(round(self._shown * 1e9 / CAMERA_FPS), self._shown)
        self._shown += 1
        self._times.clear()
        self._processor.process(Image(self._picture.planes, self._picture.format, stamp), self._scene, self._times)
        self.seconds.append(self._times.seconds()[Stage.COMPOSE])


def _floor(props: Props, config: Config, clip: Clip, frames: int) -> Iterator[Row]:
    """The rate stands in the row of the latency; it shall stay above FLOOR_FPS on two cores."""
    heavy = config.model_copy(update=everything(props).model_dump(exclude_defaults=True))
    for pace, fps in (("camera at 30 fps", CAMERA_FPS), ("as fast as it goes", None)):
        name = f"720p MJPEG to YUYV, {config.quality}, film, layers and hologram, {pace} (floor: {FLOOR_FPS:g} fps)"
        yield from measure(Run(name, heavy, clip, frames, fps))

"""The suites of ``vcam bench`` by name. A suite yields its rows as they are measured."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vcam.bench.clip import Clip, file_clip, scene_clip
from vcam.bench.report import Row
from vcam.config import Config, Quality
from vcam.frame import Size

_SCENE_FRAMES = 450


@dataclass(frozen=True, slots=True)
class Options:
    """model: a network to measure with (None: the manifest's, fetched if need be). clip: an MJPEG file to look at
    (None: the test scene). frames: how many pictures a figure comes from (None: the suite's own number)."""

    model: str | None = None
    clip: Path | None = None
    frames: int | None = None

    def load_clip(self, size: Size) -> Clip:
        """The file, or the test scene at ``size``."""
        return file_clip(self.clip) if self.clip is not None else scene_clip(size)

    def config(self, **keys: object) -> Config:
        """Settings of a measured pipeline: green behind the person, YUYV to nowhere."""
        return Config.model_validate(
            {"input": "test:", "output": ("null:",), "background": "green", "model": self.model, **keys}
        )


def _compose(options: Options) -> Iterator[Row]:
    from vcam.bench.compose import run

    return run(options.frames or 300)


def _pipeline(options: Options) -> Iterator[Row]:
    from vcam.bench.pipeline import CAMERA_FPS, Run, measure

    clip = options.load_clip(Size(1280, 720))
    for quality in (Quality.FAST, Quality.BALANCED):
        for background in ("green", "blur"):
            config = options.config(quality=quality, background=background)
            for pace, fps in (("camera at 30 fps", CAMERA_FPS), ("as fast as it goes", None)):
                name = f"720p MJPEG to YUYV, {quality}, {background}, {pace}"
                yield from measure(Run(name, config, clip, options.frames or 600, fps))


def _baseline(options: Options) -> Iterator[Row]:
    from vcam.bench.compare import run

    return run(options.load_clip(Size(1920, 1080)), options.config(quality=Quality.BALANCED), options.frames or 60)


def _engines(options: Options) -> Iterator[Row]:
    from vcam.bench.engines import run

    return run(options.config(), options.frames or 200)


def _scene(options: Options) -> Iterator[Row]:
    from vcam.bench.scene import SIZE, run

    return run(
        options.config(quality=Quality.FAST), options.load_clip(SIZE), count=options.frames or 150, frames=_SCENE_FRAMES
    )


def _soak(options: Options) -> Iterator[Row]:
    from vcam.bench.pipeline import Run, soak

    clip = options.load_clip(Size(1280, 720))
    config = options.config(quality=Quality.FAST, background="blur")
    yield soak(Run("soak: 720p MJPEG to YUYV, fast, blur", config, clip, options.frames or 11_000, None))


def _gpu(options: Options) -> Iterator[Row]:
    from vcam.bench.gpu import run, weight_of
    from vcam.bench.gpu_room import real_room

    return run(real_room(options.config(), weight_of(options.frames)), options.clip)


def _gpu_soak(options: Options) -> Iterator[Row]:
    from vcam.bench.gpu import soak, weight_of
    from vcam.bench.gpu_room import real_room

    return soak(real_room(options.config(), weight_of(None)), options.frames or 5000)


SUITES: Mapping[str, tuple[str, Callable[[Options], Iterator[Row]]]] = MappingProxyType(
    {
        "compose": ("the compositor alone, against OpenCV", _compose),
        "pipeline": ("JPEG to YUYV at 720p, per stage", _pipeline),
        "baseline": ("ours against the uncut network at 1080p", _baseline),
        "engines": ("OpenVINO against ONNX Runtime, by size and threads", _engines),
        "scene": ("each effect at 720p, and the heaviest scene in a pipeline", _scene),
        "soak": ("memory, descriptors and threads over 10,000 frames", _soak),
        "gpu": ("the GPU: kernels, whole frames, decoders, accuracy", _gpu),
        "gpu-soak": ("the GPU: memory and descriptors over 5,000 frames", _gpu_soak),
    }
)
"""What each measures, and how."""


def needs_gpu(suite: str) -> bool:
    """Such a suite runs only when it is named."""
    return suite.startswith("gpu")

"""What the tests of the GPU's processor share: a fake GPU, and one matting computation for both processors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import numpy as np

from tests.compose.rig import CAMERA, NoiseBackdrop, frame
from tests.support.native_kernels import native_kernels
from vcam.compose.cpu import CpuFrameProcessor
from vcam.compose.gpu import GpuFrameProcessor, GpuOptions
from vcam.fakes import FakeDriver, Fault
from vcam.fakes.device_engine import Compute, FakeDeviceEngine, Tensors
from vcam.frame import AffineMatte, Image, Levels, Plane, Size, Stamp, Tensor, VideoFormat
from vcam.rvm import COEFFICIENTS, SRC, STATES_IN, STATES_OUT, core_shapes
from vcam.stages import EngineInfo, FrameProcessor, Scene, StageTimes

SIZE = Size(32, 18)
LEVELS = Levels()


def drifting(size: Size = SIZE) -> Compute:
    """Soft coefficients that depend on the picture and on every frame since the last reset."""
    rng = np.random.default_rng(3)
    a0 = rng.normal(0.0, 0.3, (1, 4, size.height, size.width)).astype(np.float32)
    b0 = rng.normal(0.0, 0.1, a0.shape).astype(np.float32)
    b0[0, 3] += 0.5

    def compute(inputs: Tensors) -> Tensors:
        states = [inputs[name] for name in STATES_IN]
        past = np.float32(states[0].mean())
        a = a0 * (1 + past)
        b = b0 + np.float32(0.1) * inputs[SRC].mean(axis=1, keepdims=True) - np.float32(0.2) * past
        after = [np.float32(0.6) * state + np.float32(0.3 + n * 0.01) for n, state in enumerate(states)]
        after[0] += inputs[SRC].mean()
        return dict(zip((*COEFFICIENTS, *STATES_OUT), (a, b, *after), strict=True))

    return compute


class HostEngine:
    """Satisfies MattingEngine: the same computation as a FakeDeviceEngine. half: rounds as that does."""

    def __init__(self, compute: Compute, size: Size = SIZE, *, half: bool = False) -> None:
        self._compute = compute
        self._shapes = core_shapes(size)
        self._half = half
        self._states: dict[str, Tensor] = {}
        self.input_size = size
        self.info = EngineInfo("fake", "fake", "fp16" if half else "fp32", size, "Fake GPU")
        self.reset()

    def __enter__(self) -> Self:
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        return None

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        small[:] = self._rounded(small)  # for what is done to the matte with this picture, too
        out = self._compute({SRC: small[None], **self._states})
        self._states = {read: out[written] for read, written in zip(STATES_IN, STATES_OUT, strict=True)}
        a, b = (self._rounded(out[name][0]) for name in COEFFICIENTS)
        return AffineMatte(a, b, stamp)

    def reset(self) -> None:
        self._states = {name: np.zeros(self._shapes[name], np.float32) for name in STATES_IN}

    def _rounded(self, values: Tensor) -> Tensor:
        return values.astype(np.float16).astype(np.float32) if self._half else values


@dataclass
class Gpu:
    """A processor on a fake GPU, not entered yet."""

    targets: Sequence[VideoFormat]
    compute: Compute = field(default_factory=drifting)
    half: bool = False
    graphs: bool = True
    levels: Levels = LEVELS
    faults: Mapping[int, Fault] = field(default_factory=dict)
    size: Size = SIZE
    driver: FakeDriver = field(default_factory=lambda: FakeDriver(native_kernels()))

    def __post_init__(self) -> None:
        self.engine = FakeDeviceEngine(self.driver, self.size, self.compute, half=self.half, faults=self.faults)
        options = GpuOptions(graphs=self.graphs, fatbin=lambda: b"kernels")
        self.processor = GpuFrameProcessor(self.driver, self.engine, self.targets, self.levels, options)

    def twin(self) -> CpuFrameProcessor:
        """The CPU's processor, with the same computation."""
        engine = HostEngine(self.compute, self.size, half=self.half)
        return CpuFrameProcessor(engine, self.targets, self.levels)


def copies(images: Sequence[Image]) -> list[tuple[Plane, ...]]:
    return [tuple(plane.copy() for plane in image.planes) for image in images]


def shown(
    processor: FrameProcessor, sequence: int, scene: Scene | None = None, fmt: VideoFormat = CAMERA
) -> list[tuple[Plane, ...]]:
    """Copies of what comes of frame number ``sequence``."""
    return copies(processor.process(frame(fmt, sequence), scene or Scene(NoiseBackdrop()), StageTimes()))


def assert_same(got: Sequence[tuple[Plane, ...]], wanted: Sequence[tuple[Plane, ...]], limit: int = 1) -> None:
    """Every byte of every picture, within ``limit``."""
    assert len(got) == len(wanted)
    for picture, expected in zip(got, wanted, strict=True):
        for plane, other in zip(picture, expected, strict=True):
            assert plane.shape == other.shape
            assert np.abs(plane.astype(int) - other.astype(int)).max() <= limit

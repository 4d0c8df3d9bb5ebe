"""The joints: one Protocol per stage, and the small values that pass between stages.

A stage is a small class with one verb. Everything it needs arrives in ``__init__``; it acquires resources in
``__enter__`` and releases them in ``__exit__``, which is harmless when called twice. Nothing is allocated per frame.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Protocol, Self

from vcam.frame import AffineMatte, EncodedFrame, Image, Plane, Size, Stamp, Tensor, VideoFormat
from vcam.looks import Framing as Framing
from vcam.looks import MatteControls as MatteControls
from vcam.looks import PersonLook as PersonLook
from vcam.looks import RoomLook as RoomLook
from vcam.scenery import Backdrop as Backdrop
from vcam.scenery import Film as Film
from vcam.scenery import Layer as Layer
from vcam.scenery import Scene as Scene


class Stage(StrEnum):
    """Where a frame's time goes; the values are metric labels."""

    CAPTURE_WAIT = "capture_wait"
    DECODE = "decode"
    UPLOAD = "upload"
    SAMPLE = "sample"
    INFER = "infer"
    COMPOSE = "compose"
    DOWNLOAD = "download"
    WRITE = "write"


class StageTimes:
    """Seconds spent per stage on one frame. Used by one thread; ``clear`` before each frame."""

    def __init__(self) -> None:
        self._seconds: dict[Stage, float] = {}

    @contextmanager
    def measure(self, stage: Stage) -> Iterator[None]:
        """Add the time spent inside the ``with`` block; nothing is added when it raises."""
        began = time.perf_counter()
        yield
        self.add(stage, time.perf_counter() - began)

    def add(self, stage: Stage, seconds: float) -> None:
        """Add a time measured elsewhere (CUDA events)."""
        self._seconds[stage] = self._seconds.get(stage, 0.0) + seconds

    def clear(self) -> None:
        self._seconds.clear()

    def seconds(self) -> Mapping[Stage, float]:
        """A live, read-only view; copy it to keep it."""
        return MappingProxyType(self._seconds)


class Resource(Protocol):
    """Opened by ``with``; closing twice, or after a failed opening, is harmless."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Losses:
    """Frames that a source met and did not deliver, since it was made.

    stale: a newer one was there already. corrupt: the driver or the file marked it broken.
    """

    stale: int = 0
    corrupt: int = 0


class Source(Resource, Protocol):
    """Delivers frames. Owns no retry policy: it raises, and the capture loop reopens it."""

    @property
    def format(self) -> VideoFormat:
        """Of the frames to come; known once entered."""
        ...

    @property
    def frame_interval_s(self) -> float:
        """Nominal seconds between frames; known once entered."""
        ...

    @property
    def losses(self) -> Losses: ...

    def read(self, timeout_s: float) -> EncodedFrame:
        """The next frame; a camera gives its newest. Stamps never go backwards; ``stamp.epoch`` is 0 here.

        Raises DeviceError on timeout or unplug, EndOfStreamError when a file is over.
        """
        ...


class Decoder(Resource, Protocol):
    """Turns what the source delivers into planes."""

    @property
    def name(self) -> str:
        """Which decoder this is; a metric label."""
        ...

    def decode(self, frame: EncodedFrame) -> Image:
        """Planes borrowed until the next call. Raises DecodeError on a corrupt frame; the next may be good."""
        ...


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """Labels of ``vcam_engine_info``: all from closed sets, but for ``model`` (a manifest name or file name)."""

    engine: str
    model: str
    precision: str
    size: Size
    device: str


@dataclass(frozen=True, slots=True)
class CoreModel:
    """A prepared network on disk: cut, static, ready for an engine. ``size`` is its internal size.

    Interface (vcam.rvm has the names): src (1, 3, h, w) RGB in [0, 1] and the four states in; A, b (1, 4, h, w) and
    the four states out. ``precision`` is fp32 or fp16; fp16 means float16 src, A and b; states are always float32.
    """

    path: Path
    name: str
    size: Size
    precision: str


class MattingEngine(Resource, Protocol):
    """Finds the person. Knows nothing of the camera's resolution."""

    @property
    def info(self) -> EngineInfo: ...

    @property
    def input_size(self) -> Size:
        """Size of the tensor that ``matte`` expects."""
        ...

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        """The matte of one frame. small: (3, h, w) float32 RGB in [0, 1]; the result bears ``stamp``.

        Raises EngineError.
        """
        ...

    def reset(self) -> None:
        """Forget temporal state: after a gap, a restart, a new camera."""
        ...


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor of a DeviceEngine: C-contiguous, float16 where ``half``, else float32."""

    shape: tuple[int, ...]
    half: bool

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * (2 if self.half else 4)


class DeviceEngine(Resource, Protocol):
    """Finds the person, with every tensor in a GPU's memory. Owns no tensor: its caller does, and so owns the state.

    Entered, bound and used with the device's primary context current. There are two turns, so that the recurrent state
    ping-pongs: turn 0 reads one set of states and writes the other, turn 1 the reverse, each with an execution context
    of its own, so that each can be captured into a CUDA graph.
    """

    @property
    def info(self) -> EngineInfo: ...

    @property
    def input_size(self) -> Size: ...

    @property
    def tensors(self) -> Mapping[str, TensorSpec]:
        """Inputs and outputs by name (vcam.rvm has the names); known once entered."""
        ...

    def bind(self, turn: int, addresses: Mapping[str, int]) -> None:
        """Where the tensors of one turn lie, by name, until it is bound anew. Raises EngineError."""
        ...

    def enqueue(self, turn: int, *, cuda_stream: int) -> None:
        """Queue one inference; returns at once. Raises EngineError when it could not be queued."""
        ...


class FrameProcessor(Resource, Protocol):
    """sample -> matte -> compose for one frame on one device (CPU, GPU). Fails closed: it raises, or every returned
    picture was composed with a finite matte of this very frame."""

    @property
    def info(self) -> EngineInfo:
        """Of the engine inside; known once entered."""
        ...

    def process(self, image: Image, scene: Scene, times: StageTimes) -> Sequence[Image]:
        """One picture per target, in their order; borrowed until the next call.

        Raises EngineError, MatteInvalidError.
        """
        ...

    def reset(self) -> None:
        """Forget temporal state."""
        ...

    def last_alpha(self) -> Plane:
        """(H, W) uint8 at the camera's resolution, of the last frame with a matte. A new array.

        Computed now, from what that frame lent: call it before the next frame is decoded or processed. Raises
        RuntimeError when there is none.
        """
        ...


class Sink(Resource, Protocol):
    """Where frames leave. One format for life."""

    @property
    def name(self) -> str:
        """As the user wrote it; a metric label."""
        ...

    @property
    def format(self) -> VideoFormat:
        """What ``write`` expects; known before entering."""
        ...

    def write(self, image: Image) -> None:
        """Hand one frame over; returns once the planes may be reused. Raises SinkError."""
        ...

    def consumers(self) -> int | None:
        """How many applications read it now; None where that cannot be known."""
        ...

"""Source, engine and sink that do what a script says."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Self, TypeAlias

import numpy as np

from vcam.errors import EndOfStreamError, SinkError
from vcam.frame import AffineMatte, EncodedFrame, Image, Plane, Size, Stamp, Tensor, VideoFormat
from vcam.stages import EngineInfo, Losses

Fault: TypeAlias = Callable[[], None]
"""What happens in place of, or before, a call: raise, wait, ..."""


class _Scope:
    """The ``with`` window; counts openings so that a leak shows."""

    def __init__(self) -> None:
        self.opened = 0
        self.is_open = False

    def __enter__(self) -> Self:
        self.opened += 1
        self.is_open = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_open = False


class FakeSource(_Scope):
    """Repeats one raw picture. ``faults[n]`` is called before the n-th read, counted over all openings.

    frames: EndOfStreamError after this many reads (None: endless). interval_s: real time between frames (0: at once).
    """

    def __init__(
        self,
        data: bytes,
        fmt: VideoFormat,
        *,
        frames: int | None = None,
        interval_s: float = 0.0,
        faults: Mapping[int, Fault] | None = None,
    ) -> None:
        super().__init__()
        self._data = data
        self._format = fmt
        self._frames = frames
        self._interval_s = interval_s
        self._faults = dict(faults or {})
        self.reads = 0

    @property
    def format(self) -> VideoFormat:
        return self._format

    @property
    def frame_interval_s(self) -> float:
        return self._interval_s or 1 / 30

    @property
    def losses(self) -> Losses:
        return Losses()

    def read(self, timeout_s: float) -> EncodedFrame:
        if self._frames is not None and self.reads >= self._frames:
            raise EndOfStreamError
        index, self.reads = self.reads, self.reads + 1
        if self._interval_s:
            time.sleep(min(self._interval_s, timeout_s))
        if index in self._faults:
            self._faults[index]()
        return EncodedFrame(self._data, self._format, Stamp(time.monotonic_ns(), index))


class FakeEngine(_Scope):
    """Gives the same mask for each frame. ``faults[n]`` is called before the n-th matte; ``spoil[n]`` changes (A, b).

    mask: (h, w) float32 in [0, 1]; its size is the engine's input size.
    """

    def __init__(
        self,
        mask: Tensor,
        *,
        faults: Mapping[int, Fault] | None = None,
        spoil: Mapping[int, Callable[[AffineMatte], AffineMatte]] | None = None,
    ) -> None:
        super().__init__()
        self._mask = mask
        self._faults = dict(faults or {})
        self._spoil = dict(spoil or {})
        self.mattes = 0
        self.resets = 0

    @property
    def info(self) -> EngineInfo:
        return EngineInfo("fake", "fake", "fp32", self.input_size, "cpu")

    @property
    def input_size(self) -> Size:
        height, width = self._mask.shape
        return Size(width, height)

    def matte(self, small: Tensor, stamp: Stamp) -> AffineMatte:
        index, self.mattes = self.mattes, self.mattes + 1
        if index in self._faults:
            self._faults[index]()
        a = np.zeros((4, *self._mask.shape), np.float32)
        b = np.zeros_like(a)
        b[3] = self._mask
        matte = AffineMatte(a, b, stamp)
        return self._spoil[index](matte) if index in self._spoil else matte

    def reset(self) -> None:
        self.resets += 1


class FakeSink(_Scope):
    """Keeps a copy of each picture. ``faults[n]`` is called before the n-th write; ``refuse`` makes opening fail.

    readers: what ``consumers`` answers; tests set it.
    """

    def __init__(
        self, fmt: VideoFormat, *, name: str = "fake:", faults: Mapping[int, Fault] | None = None, refuse: int = 0
    ) -> None:
        super().__init__()
        self._format = fmt
        self._name = name
        self._faults = dict(faults or {})
        self._refuse = refuse
        self._writes = 0
        self._arrived = threading.Condition()
        self.readers: int | None = None
        self.pictures: list[tuple[Plane, ...]] = []

    @property
    def name(self) -> str:
        return self._name

    @property
    def format(self) -> VideoFormat:
        return self._format

    def __enter__(self) -> Self:
        if self._refuse > 0:
            self._refuse -= 1
            raise SinkError(f"{self._name} refuses to open", hint="it is a fake: lower its refuse count")
        return super().__enter__()

    def write(self, image: Image) -> None:
        index, self._writes = self._writes, self._writes + 1
        if index in self._faults:
            self._faults[index]()
        with self._arrived:
            self.pictures.append(tuple(plane.copy() for plane in image.planes))
            self._arrived.notify_all()

    def wait_for(self, enough: Callable[[Sequence[tuple[Plane, ...]]], bool], timeout_s: float) -> bool:
        """Wait until ``enough(pictures)`` holds; False when the time ran out."""
        with self._arrived:
            return self._arrived.wait_for(lambda: enough(self.pictures), timeout_s)

    def consumers(self) -> int | None:
        return self.readers

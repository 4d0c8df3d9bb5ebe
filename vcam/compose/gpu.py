"""sample -> matte -> compose on the GPU: one upload, one CUDA graph, one wait per frame."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from vcam.compose.cpu import FAINT
from vcam.compose.gpu_parts import Parts
from vcam.compose.gpu_program import Programs
from vcam.compose.gpu_session import Session
from vcam.cuda.device import Device
from vcam.cuda.driver import Driver
from vcam.cuda.kernels import read_fatbin
from vcam.frame import Image, Levels, Plane, VideoFormat
from vcam.stages import DeviceEngine, EngineInfo, Scene, StageTimes


@dataclass(frozen=True, slots=True)
class GpuOptions:
    """index: of the GPU. graphs: repeat frames as CUDA graphs, not call by call. fatbin: where the kernels are."""

    index: int = 0
    graphs: bool = True
    fatbin: Callable[[], bytes] = read_fatbin


@dataclass(frozen=True, slots=True)
class _Opened:
    device: Device
    parts: Parts
    programs: Programs
    session: Session


class GpuFrameProcessor:
    """Satisfies FrameProcessor. Opens a device and the engine on it. Outputs are allocated once, page-locked.

    The camera's format may change between frames. Where an output has another shape than the camera, the picture is
    cropped to cover it. After an error the next frame starts afresh; a GPU that is lost raises GpuLostError again.
    """

    def __init__(
        self,
        driver: Driver,
        engine: DeviceEngine,
        targets: Sequence[VideoFormat],
        levels: Levels = FAINT,
        options: GpuOptions | None = None,
    ) -> None:
        self._driver = driver
        self._engine = engine
        self._targets = tuple(targets)
        self._levels = levels
        self._options = options or GpuOptions()
        self._stack = ExitStack()
        self._opened: _Opened | None = None

    def __enter__(self) -> Self:
        """Raises GpuError, EngineError, EngineUnavailableError."""
        with ExitStack() as stack:
            device = stack.enter_context(Device(self._driver, self._options.index))
            with device.current():
                self._engine.__enter__()
                stack.callback(self._close_engine, device)
                parts = Parts(device, self._engine, self._targets, self._levels, self._options.fatbin())
                programs = Programs(device, graphs=self._options.graphs)
                session = Session(parts, programs)
            stack.callback(session.close)
            self._opened = _Opened(device, parts, programs, session)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Memory that was lent by ``allocate`` goes too: its decoders must be closed."""
        self._opened = None
        self._stack.close()

    @property
    def info(self) -> EngineInfo:
        """Of the engine."""
        return self._engine.info

    @property
    def device(self) -> Device:
        """The open device: its facts, and how much memory it holds. Raises RuntimeError while closed."""
        return self._require().device

    @property
    def captured(self) -> bool | None:
        """Whether frames are launched as CUDA graphs; None while closed, and before that was tried. Any thread."""
        opened = self._opened
        return None if opened is None else opened.programs.captured

    def allocate(self, nbytes: int) -> Plane:
        """Page-locked memory, (nbytes,) uint8, for a decoder to write planes into: they are uploaded from there
        without a copy in between. Lent until the array and all views of it are gone, or the processor is closed. Any
        thread may ask. Raises GpuError.
        """
        return self._require().parts.pool.allocate(nbytes)

    def process(self, image: Image, scene: Scene, times: StageTimes) -> Sequence[Image]:
        """See FrameProcessor. Outputs of one format are one picture. Raises GpuError, GpuLostError, too."""
        opened = self._require()
        with opened.device.current():
            return opened.session.process(image, scene, times)

    def reset(self) -> None:
        """Forget the engine's temporal state: it is zeroed before the next frame."""
        if self._opened is not None:
            self._opened.session.reset()

    def last_alpha(self) -> Plane:
        """(H, W) uint8 at the camera's resolution, of the last frame with a matte. A new array.

        Computed now, from what that frame left on the GPU: call it before the next frame is decoded or processed.
        Raises RuntimeError when there is none, GpuError.
        """
        opened = self._require()
        with opened.device.current():
            return opened.session.last_alpha()

    def _require(self) -> _Opened:
        if self._opened is None:
            raise RuntimeError("the GPU frame processor is used outside its `with` block")
        return self._opened

    def _close_engine(self, device: Device) -> None:
        with device.current():
            self._engine.__exit__(None, None, None)

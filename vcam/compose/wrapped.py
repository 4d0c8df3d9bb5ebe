"""A frame processor around another one."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from vcam.frame import Image, Plane
from vcam.stages import EngineInfo, FrameProcessor, Scene, StageTimes


class WrappedProcessor:
    """Satisfies FrameProcessor by handing everything on; what inherits it does more in ``process``.

    Enters and leaves the one inside.
    """

    def __init__(self, inside: FrameProcessor) -> None:
        self._inside = inside

    def __enter__(self) -> Self:
        self._inside.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._inside.__exit__(kind, error, trace)

    @property
    def info(self) -> EngineInfo:
        return self._inside.info

    def process(self, image: Image, scene: Scene, times: StageTimes) -> Sequence[Image]:
        return self._inside.process(image, scene, times)

    def reset(self) -> None:
        self._inside.reset()

    def last_alpha(self) -> Plane:
        return self._inside.last_alpha()

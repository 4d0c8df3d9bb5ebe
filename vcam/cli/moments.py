"""Pictures kept from a running pipeline, for people to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

from vcam import native
from vcam.frame import Image, PixelFormat, Plane, Range, VideoFormat, allocate_planes
from vcam.stages import EngineInfo, FrameProcessor


@dataclass(frozen=True, slots=True)
class Moment:
    """One frame at three places. source, result: (H, W, 3) uint8 RGB; alpha: (H, W) uint8. Kept."""

    sequence: int
    source: Plane
    alpha: Plane
    result: Plane


class MomentKeeper:
    """Keeps some frames of a run; satisfies the pipeline's Observer. Called by the frame thread only.

    wanted: sequence numbers; of a source that skips some, the next one is taken. engine: which one ran last.
    """

    def __init__(self, wanted: Sequence[int]) -> None:
        self._wanted = sorted(wanted, reverse=True)
        self.moments: list[Moment] = []
        self.engine: EngineInfo | None = None

    def __call__(self, image: Image, processor: FrameProcessor, results: Sequence[Image]) -> None:
        """Copy the frame if it is one of those wanted; costs nothing otherwise."""
        self.engine = processor.info
        if not self._wanted or image.stamp.sequence < self._wanted[-1]:
            return
        self._wanted.pop()
        alpha = processor.last_alpha()
        self.moments.append(Moment(image.stamp.sequence, to_rgb(image), alpha, to_rgb(results[0])))


def to_rgb(image: Image) -> Plane:
    """(H, W, 3) uint8 RGB, full range. Owned."""
    target = VideoFormat(PixelFormat.RGB24, image.format.width, image.format.height, range=Range.FULL)
    _, planes = allocate_planes(target)
    native.convert(image, planes, target)
    return planes[0].reshape(image.format.height, image.format.width, 3)

"""Frames kept from a run: the right ones, as copies."""

from typing import Self

import numpy as np
import pytest

from vcam.cli.moments import MomentKeeper, to_rgb
from vcam.frame import Image, Matrix, PixelFormat, Plane, Range, Size, Stamp, VideoFormat, allocate_planes
from vcam.stages import EngineInfo, FrameProcessor, Scene, StageTimes

FORMAT = VideoFormat(PixelFormat.I420, 8, 4, range=Range.FULL, matrix=Matrix.BT601)
INFO = EngineInfo("fake", "fake", "fp32", Size(8, 4), "cpu")


def picture(level: int, sequence: int) -> Image:
    _, planes = allocate_planes(FORMAT)
    for plane, value in zip(planes, (level, 128, 128), strict=True):
        plane[:] = value
    return Image(planes, FORMAT, Stamp(0, sequence))


class Processor:
    """Has composed a frame, and shows its matte."""

    info = INFO

    def __init__(self) -> None:
        self.alpha = np.full((4, 8), 7, np.uint8)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def process(self, image: Image, scene: Scene, times: StageTimes) -> tuple[Image, ...]:
        return ()

    def reset(self) -> None:
        pass

    def last_alpha(self) -> Plane:
        return self.alpha.copy()


def keep(keeper: MomentKeeper, sequences: range | tuple[int, ...], processor: FrameProcessor) -> None:
    for sequence in sequences:
        keeper(picture(sequence * 10, sequence), processor, [picture(200, sequence)])


def test_the_frames_wanted_are_kept_as_copies() -> None:
    keeper, processor = MomentKeeper([4, 1, 2]), Processor()
    keep(keeper, range(6), processor)
    processor.alpha[:] = 99
    assert [moment.sequence for moment in keeper.moments] == [1, 2, 4]
    assert [int(moment.source[0, 0, 0]) for moment in keeper.moments] == [10, 20, 40]
    first = keeper.moments[0]
    assert (first.source.shape, first.result.shape, first.alpha.shape) == ((4, 8, 3), (4, 8, 3), (4, 8))
    assert (int(first.result[0, 0, 1]), int(first.alpha[0, 0])) == (200, 7)


def test_where_a_frame_is_missing_the_next_one_is_kept() -> None:
    keeper = MomentKeeper([1, 5])
    keep(keeper, (0, 3, 4, 9), Processor())
    assert [moment.sequence for moment in keeper.moments] == [3, 9]


def test_the_engine_is_remembered() -> None:
    keeper = MomentKeeper([])
    assert keeper.engine is None
    keep(keeper, (0,), Processor())
    assert keeper.engine is INFO


@pytest.mark.parametrize(("level", "expected"), [(0, 0), (128, 128), (255, 255)])
def test_rgb_is_full_range(level: int, expected: int) -> None:
    assert np.all(to_rgb(picture(level, 0)) == expected)

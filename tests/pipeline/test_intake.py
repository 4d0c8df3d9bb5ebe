"""Decoding ahead: the newest picture, whole, in order, none lost in silence, and nothing left behind."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from tests.pipeline.rig import LIMIT_S, assert_set, wait_until
from tests.pipeline.test_statistics import OBSERVED
from vcam.errors import DecodeError, MissingDependencyError, SlotClosedError
from vcam.frame import EncodedFrame, Image, PixelFormat, Stamp, VideoFormat, allocate_planes
from vcam.pipeline.capture import Captured
from vcam.pipeline.intake import AheadIntake, IntakePolicy
from vcam.pipeline.line import AHEAD_DECODERS, FormatDecoder
from vcam.pipeline.snapshot import DropReason, Outcome, Snapshot
from vcam.pipeline.statistics import Statistics
from vcam.slot import LatestSlot
from vcam.stages import Stage, StageTimes

FORMAT = VideoFormat(PixelFormat.GREY, 16, 8)
SMALL = VideoFormat(PixelFormat.GREY, 4, 4)


class NumberDecoder:
    """Writes the frame's number into every pixel of the one picture it owns, row by row."""

    name = "number"

    def __init__(self, rig: "Rig", fmt: VideoFormat) -> None:
        self._rig = rig
        self._format = fmt
        self._planes = allocate_planes(fmt)[1]

    def __enter__(self) -> Self:
        self._rig.open_decoders += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rig.open_decoders -= 1

    def decode(self, frame: EncodedFrame) -> Image:
        number = frame.stamp.sequence
        self._rig.decoding(number)
        for row in self._planes[0]:
            row[:] = number % 256
        self._rig.decoded.append(number)
        return Image(self._planes, self._format, frame.stamp)


class Rig:
    """An intake, and both its ends. ``decoding`` is called before each picture."""

    def __init__(self, *, every_frame: bool = False) -> None:
        self.decoding: Callable[[int], None] = lambda _: None
        self.decoded: list[int] = []
        self.open_decoders = 0
        self.wanted = True
        self.slot: LatestSlot[Captured] = LatestSlot()
        self.statistics = Statistics(lambda: 0.0)
        self.decoders = tuple(FormatDecoder(lambda fmt: NumberDecoder(self, fmt)) for _ in range(AHEAD_DECODERS))
        policy = IntakePolicy(every_frame=every_frame, wanted=lambda: self.wanted, clock=lambda: 0.0)
        self.intake = AheadIntake(self.decoders, self.slot, self.statistics, policy)
        self.times = StageTimes()

    def put(self, number: int, fmt: VideoFormat = FORMAT) -> None:
        self.slot.put(Captured(EncodedFrame(b"", fmt, Stamp(number, number)), 0.0))

    def put_and_wait(self, number: int) -> None:
        """Until it is decoded and waits to be taken."""
        self.put(number)
        wait_until(lambda: number in self.decoded and self.intake.busy_since_s is None)

    def take(self) -> Image:
        return self.intake.picture(self.intake.take(LIMIT_S), self.times)

    def pictures(self) -> Iterator[Image]:
        """All until the source ends."""
        with suppress(SlotClosedError):
            while True:
                yield self.take()

    def snapshot(self) -> Snapshot:
        return self.statistics.snapshot(OBSERVED)


@contextmanager
def running(*, every_frame: bool = False) -> Iterator[Rig]:
    before = threading.active_count()
    rig = Rig(every_frame=every_frame)
    with rig.intake:
        yield rig
        rig.slot.close()  # as the supervisor does; else the thread ends with its next look at the slot
    assert threading.active_count() == before
    for decoder in rig.decoders:
        decoder.close()
    assert rig.open_decoders == 0


def number_of(image: Image) -> int:
    """Of a whole picture."""
    (values,) = np.unique(image.planes[0])[None].tolist()
    assert values == [image.stamp.sequence % 256]
    return image.stamp.sequence


def test_a_frame_comes_out_decoded_and_its_time_is_metered() -> None:
    with running() as rig:
        assert rig.intake.decoder is None
        rig.put(7)
        assert number_of(rig.take()) == 7
        assert set(rig.times.seconds()) == {Stage.DECODE}
        wait_until(lambda: rig.intake.busy_since_s is None)


def test_the_decoder_has_a_name_once_it_runs() -> None:
    with running() as rig:
        for number in range(AHEAD_DECODERS):
            rig.put_and_wait(number)
        assert rig.intake.decoder == "number"


def test_the_newest_wins_and_the_others_are_counted() -> None:
    with running() as rig:
        for number in range(10):
            rig.put_and_wait(number)
        wait_until(lambda: rig.snapshot().dropped[DropReason.SUPERSEDED] == 9)
        assert number_of(rig.take()) == 9
        assert rig.decoded == list(range(10))


def test_a_borrowed_picture_is_not_touched_however_many_are_decoded_meanwhile() -> None:
    with running() as rig:
        rig.put(0)
        image = rig.take()
        for number in range(1, 20):
            rig.put_and_wait(number)
            assert number_of(image) == 0
        assert number_of(rig.take()) == 19


def test_the_next_is_decoded_while_the_last_is_in_use() -> None:
    with running() as rig:
        rig.put(0)
        rig.take()
        rig.put_and_wait(1)
        assert number_of(rig.take()) == 1


def test_nothing_is_reordered_or_torn_at_full_speed() -> None:
    frames, taken = 3000, list[int]()
    with running() as rig:

        def camera() -> None:
            for number in range(frames):
                rig.put(number)
            rig.slot.close()

        source = threading.Thread(target=camera)
        source.start()
        for image in rig.pictures():
            first = number_of(image)
            for _ in range(first % 7):
                assert number_of(image) == first
            taken.append(first)
        source.join()
        superseded = rig.snapshot().dropped[DropReason.SUPERSEDED]
    assert taken == sorted(set(taken))
    assert taken[-1] == frames - 1, "the last frame is never lost: nothing newer came"
    assert len(taken) + superseded == len(rig.decoded)


def test_every_frame_comes_where_each_counts() -> None:
    frames, taken = 300, list[int]()
    with running(every_frame=True) as rig:

        def source() -> None:
            for number in range(frames):
                captured = Captured(EncodedFrame(b"", FORMAT, Stamp(number, number)), 0.0)
                assert rig.slot.offer(captured, LIMIT_S)
            rig.slot.close()

        thread = threading.Thread(target=source)
        thread.start()
        taken.extend(number_of(image) for image in rig.pictures())
        thread.join()
    assert taken == list(range(frames))


def test_a_corrupt_frame_is_dropped_and_counted_and_does_not_displace_a_good_one() -> None:
    def corrupt(number: int) -> None:
        if number % 2:
            raise DecodeError("corrupt", hint="this is a test")

    with running() as rig:
        rig.decoding = corrupt
        rig.put_and_wait(0)
        for number in (1, 3, 5, 7, 9):
            rig.put(number)
            wait_until(lambda: rig.snapshot().dropped[DropReason.CORRUPT] == (number + 1) // 2)  # noqa: B023
        assert number_of(rig.take()) == 0
        assert rig.snapshot().frames[Outcome.DROPPED] == 5
        assert rig.snapshot().stages[Stage.DECODE].count == 5


def test_a_new_format_gets_new_decoders() -> None:
    with running() as rig:
        rig.put(0)
        rig.take()
        for number in range(1, 7):
            rig.put(number, SMALL)
            image = rig.take()
            assert (number_of(image), image.format) == (number, SMALL)
        assert rig.open_decoders == AHEAD_DECODERS


def test_nothing_is_decoded_while_nothing_is_wanted() -> None:
    with running() as rig:
        rig.wanted = False
        rig.put(0)
        wait_until(lambda: rig.slot._item is None)
        with pytest.raises(TimeoutError):
            rig.intake.take(0.0)
        rig.wanted = True
        rig.put(1)
        assert number_of(rig.take()) == 1
    assert rig.decoded == [1]


def test_what_cannot_be_opened_is_told_to_whoever_takes() -> None:
    missing = MissingDependencyError("no library", hint="install it")

    def fail(_: int) -> None:
        raise missing

    with running() as rig:
        rig.decoding = fail
        rig.put(0)
        with pytest.raises(MissingDependencyError) as caught:
            rig.take()
        assert caught.value is missing
        with pytest.raises(MissingDependencyError):
            rig.take()


def test_a_bug_is_told_too() -> None:
    def fail(_: int) -> None:
        raise ValueError("a bug")

    with running() as rig:
        rig.decoding = fail
        rig.put(0)
        with pytest.raises(ValueError, match="a bug"):
            rig.take()


def test_a_frame_that_takes_long_shows_as_busy_and_holds_nothing_up() -> None:
    gate = threading.Event()
    with running() as rig:
        rig.decoding = lambda _: assert_set(gate)
        rig.put(0)
        wait_until(lambda: rig.intake.busy_since_s is not None)
        with pytest.raises(TimeoutError):
            rig.intake.take(0.0)
        gate.set()
        assert number_of(rig.take()) == 0


def test_leaving_waits_for_the_decoder_whose_memory_goes_next() -> None:
    gate, began, left = threading.Event(), threading.Event(), threading.Event()
    rig = Rig()

    def decoding(_: int) -> None:
        began.set()
        assert_set(gate)

    def live() -> None:
        with rig.intake:
            rig.put(0)
            assert_set(began)
        left.set()

    rig.decoding = decoding
    thread = threading.Thread(target=live)
    thread.start()
    assert_set(began)
    assert not left.is_set()
    gate.set()
    assert_set(left)
    assert rig.decoded == [0]
    thread.join()


def test_only_the_frame_just_taken_has_a_picture() -> None:
    with running() as rig:
        rig.put(0)
        first = rig.intake.take(LIMIT_S)
        rig.put(1)
        rig.intake.take(LIMIT_S)
        with pytest.raises(RuntimeError, match="just taken"):
            rig.intake.picture(first, rig.times)

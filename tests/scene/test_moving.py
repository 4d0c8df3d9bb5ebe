"""What moves: by the output's clock, ahead of time, without end, and gone when it is closed."""

import gc
import logging
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.rig import wait_until
from tests.support.clip import Clip, write_clip
from vcam.errors import MediaError
from vcam.frame import Image, PixelFormat, Plane, Planes, VideoFormat, allocate_planes
from vcam.scene import moving
from vcam.scene.moving import AHEAD, MovingBackdrop

MS = 1_000_000
GREY = VideoFormat(PixelFormat.I420, 8, 4)
OTHER = VideoFormat(PixelFormat.NV12, 4, 4)
PATIENCE_S = 20.0


@dataclass
class Flat:
    """A picture of one level."""

    level: int
    duration_ns: int
    projector: "Projector"

    def draw(self, target: VideoFormat) -> Planes:
        if self.projector.lost and self.level:
            raise MediaError("the picture is gone", hint="mend it")
        self.projector.drawn.append((self.level, target))
        _, planes = allocate_planes(target)
        for plane in planes:
            plane[:] = self.level
        return planes


class Projector:
    """Plays levels 0, 1, 2 .. again and again; remembers what it drew and which passes were closed."""

    def __init__(self, count: int = 5, duration_ms: int = 40) -> None:
        self.levels = list(range(count))
        self.duration_ns = duration_ms * MS
        self.drawn: list[tuple[int, VideoFormat]] = []
        self.passes = self.closed = 0
        self.faults: dict[int, str] = {}
        self.lost = False
        self.may = threading.Event()
        self.may.set()

    def play(self) -> Iterator[Flat]:
        self.passes += 1
        try:
            for level in self.levels:
                if level:
                    assert self.may.wait(PATIENCE_S)
                if level in self.faults:
                    raise MediaError(self.faults[level], hint="mend it")
                yield Flat(level, self.duration_ns, self)
        finally:
            self.closed += 1

    def backdrop(self) -> MovingBackdrop:
        backdrop = MovingBackdrop("film", self.play)
        _MADE.append(backdrop)
        return backdrop


_MADE: list[MovingBackdrop] = []


@pytest.fixture(autouse=True)
def _all_end() -> Iterator[None]:
    yield
    while _MADE:
        _MADE.pop().close()
    assert not [thread for thread in threading.enumerate() if thread.name == "vcam-backdrop"]


def level_of(image: Image) -> int:
    levels = {int(level) for plane in image.planes for level in np.unique(plane)}
    assert len(levels) == 1
    return levels.pop()


def full(backdrop: MovingBackdrop) -> None:
    """Wait until as much was made ahead as may be."""
    with backdrop._changed:
        assert backdrop._changed.wait_for(lambda: len(backdrop._ahead) == AHEAD, PATIENCE_S)


def shown(backdrop: MovingBackdrop, times_ms: list[float], target: VideoFormat = GREY) -> list[int]:
    levels = []
    for time_ms in times_ms:
        levels.append(level_of(backdrop.render(target, round(time_ms * MS))))
        full(backdrop)
    return levels


def test_shows_each_picture_at_its_time_and_begins_again_without_a_gap() -> None:
    backdrop = Projector().backdrop()
    assert shown(backdrop, [1000 + 40 * k for k in range(12)]) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]


def test_stamps_that_tremble_show_no_picture_twice() -> None:
    rng = np.random.default_rng(5)
    backdrop = Projector().backdrop()
    times = [40.0 * k + float(rng.uniform(-15, 15)) for k in range(1, 40)]
    assert shown(backdrop, [0.0, *times])[1:] == [k % 5 for k in range(1, 40)]


def test_a_slow_film_gives_the_same_object_until_its_picture_changes() -> None:
    backdrop = Projector(duration_ms=100).backdrop()
    images = []
    for k in range(9):
        images.append(backdrop.render(GREY, k * 25 * MS))
        full(backdrop)
    assert [level_of(image) for image in images] == [0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert images[0] is images[1] is images[2] is images[3]
    assert images[4] is images[5] is images[6] is images[7]
    assert images[8] is not images[7]


def test_of_a_fast_film_only_what_is_shown_is_drawn() -> None:
    projector = Projector(count=100, duration_ms=10)
    backdrop = projector.backdrop()
    levels = shown(backdrop, [40.0 * k for k in range(20)])
    assert levels == sorted(levels)
    assert 60 <= levels[-1] <= 80, "it is as fast as it should be"
    settled = [level for level, _ in projector.drawn if level > 10]
    assert set(np.diff(settled)) == {4}


@pytest.mark.parametrize(("duration_ms", "steps"), [(20, {1, 2}), (12, {2, 4}), (33, {1, 2})])
def test_a_film_of_any_rate_runs_evenly(duration_ms: int, steps: set[int]) -> None:
    """Before an output of 30 pictures a second."""
    projector = Projector(count=250, duration_ms=duration_ms)
    backdrop = projector.backdrop()
    backdrop.patient = True
    levels = [level_of(backdrop.render(GREY, round(k * 100 / 3 * MS))) for k in range(60)]
    assert set(np.diff(levels[8:])) <= steps
    assert levels[-1] == pytest.approx(60 * 100 / 3 / duration_ms, abs=5)


def test_a_leap_in_time_moves_nothing() -> None:
    backdrop = Projector().backdrop()
    assert shown(backdrop, [0, 40, 80]) == [0, 1, 2]
    assert shown(backdrop, [90_000, 5, 0, 3_000_000, 0]) == [2] * 5
    assert shown(backdrop, [40]) == [3]


def test_one_reading_serves_several_targets() -> None:
    projector = Projector(count=50)
    backdrop = projector.backdrop()
    first = [level_of(backdrop.render(target, 0)) for target in (GREY, OTHER)]
    full(backdrop)
    for k in range(1, 20):
        pair = [level_of(backdrop.render(target, k * 40 * MS)) for target in (GREY, OTHER)]
        assert pair[0] == pair[1] == k
        full(backdrop)
    assert first == [0, 0]
    assert projector.passes == 1
    assert backdrop.render(OTHER, 19 * 40 * MS).format == OTHER


def test_a_target_that_comes_later_is_served_at_once() -> None:
    backdrop = Projector(count=50).backdrop()
    shown(backdrop, [40.0 * k for k in range(5)])
    assert shown(backdrop, [40.0 * k for k in range(4, 15)], OTHER) == list(range(4, 15))


def test_a_late_target_gets_the_first_picture_where_the_present_one_cannot_be_read_again() -> None:
    projector = Projector(count=50)
    backdrop = projector.backdrop()
    shown(backdrop, [40.0 * k for k in range(5)])
    projector.lost = True
    assert level_of(backdrop.render(OTHER, 160 * MS)) == 0


def test_a_late_film_goes_slower_and_nobody_waits() -> None:
    projector = Projector()
    projector.may.clear()
    backdrop = projector.backdrop()
    images = [backdrop.render(GREY, k * 40 * MS) for k in range(10)]
    assert all(image is images[0] for image in images)
    projector.may.set()
    full(backdrop)
    assert shown(backdrop, [400, 440]) == [1, 2], "it did not run away meanwhile"


def test_a_patient_film_is_waited_for_and_shows_each_picture_in_its_place() -> None:
    projector = Projector(count=200, duration_ms=10)
    backdrop = projector.backdrop()
    backdrop.patient = True
    levels = [level_of(backdrop.render(GREY, k * 40 * MS)) for k in range(40)]
    assert set(np.diff(levels[8:])) == {4}
    assert 4 * 38 <= levels[-1] <= 4 * 40


@pytest.mark.parametrize("how", ["closed", "fault", "one picture"])
def test_patience_ends_where_nothing_can_come(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_PATIENCE_S", 3600.0)
    projector = Projector(count=1 if how == "one picture" else 3)
    backdrop = projector.backdrop()
    backdrop.patient = True
    if how == "fault":
        projector.faults = {0: "it is gone", 1: "it is gone"}
    first = backdrop.render(GREY, 0)
    if how == "closed":
        backdrop.close()
    later = [backdrop.render(GREY, k * 40 * MS) for k in range(1, 20)]
    assert level_of(first) == 0
    assert all(image is later[-1] for image in later[-5:])


def test_a_fault_in_the_middle_shows_the_last_good_picture_and_the_film_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(moving, "_RETRY_S", 0.001)
    projector = Projector()
    projector.faults[3] = "a scratch"
    backdrop = projector.backdrop()
    with caplog.at_level(logging.WARNING):
        assert shown(backdrop, [40.0 * k for k in range(9)]) == [0, 1, 2, 0, 1, 2, 0, 1, 2]
    told = [record for record in caplog.records if record.message == "backdrop.fault"]
    assert [record.__dict__["problem"] for record in told] == ["a scratch"], "once, as long as it is the same"
    backdrop.close()
    assert projector.closed == projector.passes


def test_a_film_that_cannot_be_read_any_more_keeps_its_last_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_RETRY_S", 0.001)
    projector = Projector(count=3)
    backdrop = projector.backdrop()
    backdrop.render(GREY, 0)
    full(backdrop)
    projector.faults[0] = "it is gone"
    levels = [level_of(backdrop.render(GREY, k * 40 * MS)) for k in range(30)]
    assert levels[-1] in (0, 1, 2)
    passes = projector.passes
    wait_until(lambda: projector.passes > passes + 3)  # it goes on trying


def test_a_film_without_a_picture_is_refused() -> None:
    with pytest.raises(MediaError, match="no picture"):
        Projector(count=0).backdrop()


def test_one_picture_needs_no_thread() -> None:
    projector = Projector(count=1)
    backdrop = projector.backdrop()
    image = backdrop.render(GREY, 0)
    thread = backdrop._thread
    assert thread is not None
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert all(backdrop.render(GREY, k * 40 * MS) is image for k in range(100))


def test_closing_ends_the_thread_and_the_reading_and_keeps_the_picture() -> None:
    projector = Projector(count=50)
    backdrop = projector.backdrop()
    assert shown(backdrop, [0, 40]) == [0, 1]
    thread = backdrop._thread
    backdrop.close()
    backdrop.close()
    assert thread is not None
    assert not thread.is_alive()
    assert projector.closed == projector.passes == 1
    last = [level_of(backdrop.render(GREY, 40 * k * MS)) for k in range(2, 20)]
    assert last == [2, 3, 4, *[4] * 15], "what was made already, and no more"


def test_what_was_never_shown_has_no_thread_and_is_closed() -> None:
    projector = Projector()
    backdrop = projector.backdrop()
    backdrop.close()
    assert projector.closed == 1
    assert level_of(backdrop.render(GREY, 0)) == 0
    assert backdrop._thread is None


def test_holds_few_pictures_however_long_it_plays() -> None:
    backdrop = Projector().backdrop()
    shown_once: list[weakref.ref[Plane]] = []
    for k in range(500):
        shown_once.append(weakref.ref(backdrop.render(GREY, k * 40 * MS).planes[0]))
        full(backdrop)
    gc.collect()
    assert sum(plane() is not None for plane in shown_once) <= 2


def test_python_ends_while_a_film_plays(tmp_path: Path) -> None:
    """Nobody closed it; the thread must not be in a library when the interpreter goes."""
    path = write_clip(tmp_path / "clip.mkv", Clip(frames=20))
    code = (
        "from pathlib import Path; from vcam.scene.film import video_backdrop; from vcam.scene.fit import Placing\n"
        "from vcam.frame import PixelFormat, VideoFormat\n"
        f"film = video_backdrop(Path({str(path)!r}), Placing())\n"
        "for k in range(50): film.render(VideoFormat(PixelFormat.YUYV, 640, 360), k * 40_000_000)\n"
        "print(film._thread.is_alive())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "True", "")

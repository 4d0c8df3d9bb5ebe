"""Readers of a v4l2loopback that tells nothing of them: by the module's use count."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.clock import Clock
from tests.support.fake_v4l2 import FakeKernel, FakeLoopback, Loopback
from vcam.frame import PixelFormat, VideoFormat
from vcam.sinks.v4l2 import V4l2Sink
from vcam.v4l2.readers import Openers, openers

OWN = 1


def in_ns(clock: Clock) -> Callable[[], int]:
    return lambda: round(clock() * 1e9)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Module:
    """A loaded v4l2loopback, as /sys tells of it."""

    def __init__(self, sysfs: Path) -> None:
        self.sysfs = sysfs
        self._uses = sysfs / "module/v4l2loopback/refcnt"
        self._uses.parent.mkdir(parents=True)
        self.others(0)

    def device(self, number: int) -> None:
        (self.sysfs / f"devices/virtual/video4linux/video{number}").mkdir(parents=True)
        (self.sysfs / f"devices/virtual/video4linux/video{number}/max_openers").write_text("10\n")

    def others(self, count: int) -> None:
        self._uses.write_text(f"{OWN + count}\n")


@pytest.fixture
def module(tmp_path: Path) -> Module:
    module = Module(tmp_path)
    module.device(10)
    return module


@pytest.fixture
def counted(module: Module, clock: Clock) -> Openers:
    found = openers(module.sysfs, in_ns(clock))
    assert found is not None
    return found


def test_who_keeps_it_open_is_a_reader(module: Module, counted: Openers, clock: Clock) -> None:
    assert counted.count() == 0
    module.others(1)
    assert counted.count() == 0, "not yet"
    clock.now_s += 0.5
    assert counted.count() == 1
    module.others(3)
    assert counted.count() == 3
    module.others(0)
    assert counted.count() == 0


def test_who_only_looks_is_none(module: Module, counted: Openers, clock: Clock) -> None:
    for _ in range(10):
        module.others(1)
        assert counted.count() == 0
        clock.now_s += 0.4
        assert counted.count() == 0
        module.others(0)
        assert counted.count() == 0
        clock.now_s += 0.4


def test_who_comes_again_every_three_seconds_is_a_reader_all_the_time(
    module: Module, counted: Openers, clock: Clock
) -> None:
    module.others(1)
    counted.count()
    clock.now_s += 0.5
    assert counted.count() == 1
    for _ in range(3):
        module.others(0)
        assert counted.count() == 0
        clock.now_s += 3.0
        module.others(1)
        assert counted.count() == 1, "however short it looks"
    module.others(0)
    assert counted.count() == 0
    clock.now_s += 5.0
    module.others(1)
    assert counted.count() == 0, "a first look again"


def test_of_two_devices_nobody_knows_which_is_open(module: Module, clock: Clock) -> None:
    module.device(11)
    assert openers(module.sysfs, in_ns(clock)) is None


def test_without_the_module_nothing_is_known(tmp_path: Path, clock: Clock) -> None:
    assert openers(tmp_path, in_ns(clock)) is None


def test_a_sink_asks_whoever_knows(module: Module, clock: Clock) -> None:
    def sink(device: FakeLoopback) -> V4l2Sink:
        fmt = VideoFormat(PixelFormat.YUYV, 32, 16)
        kernel = FakeKernel(video10=device)
        return V4l2Sink(Path("/dev/video10"), fmt, 30.0, kernel=kernel, clock_ns=in_ns(clock), sysfs=module.sysfs)

    module.others(2)
    with sink(FakeLoopback(Loopback(tells_readers=False))) as silent, sink(FakeLoopback()) as telling:
        silent.consumers()
        clock.now_s += 1.0
        assert (silent.consumers(), telling.consumers()) == (2, 0)
    with sink(FakeLoopback(Loopback(tells_readers=False), driver="akvcam")) as other:
        assert other.consumers() is None


def test_a_module_that_was_taken_out_is_an_error_of_the_sink(module: Module, counted: Openers) -> None:
    (module.sysfs / "module/v4l2loopback/refcnt").unlink()
    with pytest.raises(OSError, match="refcnt"):
        counted.count()


@pytest.mark.parametrize("text", ["", "many\n"])
def test_a_count_that_is_none_is_an_error_of_the_sink(module: Module, counted: Openers, text: str) -> None:
    (module.sysfs / "module/v4l2loopback/refcnt").write_text(text)
    with pytest.raises(OSError, match="refcnt holds no number"):
        counted.count()

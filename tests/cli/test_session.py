"""A pipeline in its thread, signals in the main one."""

import os
import signal
import threading
from collections.abc import Callable

import pytest

from vcam.cli.session import Hooks, supervise
from vcam.cli.signals import SignalBox
from vcam.errors import DeviceError

LIMIT_S = 20.0


class FakePipeline:
    """Runs until stopped, or does what it is told."""

    def __init__(self, work: Callable[[], None] | None = None) -> None:
        self._work = work
        self._stopped = threading.Event()
        self.ran_in = ""

    def run(self) -> None:
        self.ran_in = threading.current_thread().name
        if self._work is not None:
            self._work()
        else:
            assert self._stopped.wait(LIMIT_S)

    def stop(self) -> None:
        self._stopped.set()


def nothing() -> None:
    """For hooks that a test does not look at."""


def fail() -> None:
    raise DeviceError("it is gone", hint="plug it in")


def test_the_end_of_the_source_ends_the_session() -> None:
    pipeline = FakePipeline(nothing)
    with SignalBox() as signals:
        assert supervise(pipeline, signals, Hooks(nothing, nothing)) is None
    assert pipeline.ran_in.startswith("vcam-supervisor")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_pipeline_and_is_told(number: signal.Signals) -> None:
    with SignalBox() as signals:
        os.kill(os.getpid(), number)
        assert supervise(FakePipeline(), signals, Hooks(nothing, nothing)) is number
        assert signal.getsignal(signal.SIGINT) is signal.SIG_DFL, "a second one kills"


def test_an_error_of_the_pipeline_is_raised() -> None:
    with SignalBox() as signals, pytest.raises(DeviceError, match="it is gone"):
        supervise(FakePipeline(fail), signals, Hooks(nothing, nothing))


def test_an_error_of_the_display_stops_the_pipeline() -> None:
    pipeline = FakePipeline()
    with SignalBox() as signals, pytest.raises(DeviceError):
        supervise(pipeline, signals, Hooks(tick=fail, reload=nothing))
    assert pipeline._stopped.is_set()


def test_hangup_reloads_and_goes_on() -> None:
    events = []

    def reload() -> None:
        events.append(threading.current_thread())
        os.kill(os.getpid(), signal.SIGTERM)

    with SignalBox() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        stopped_by = supervise(FakePipeline(), signals, Hooks(nothing, reload))
    assert stopped_by is signal.SIGTERM
    assert events == [threading.main_thread()]


def test_the_display_is_kept_while_it_runs() -> None:
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        if len(ticks) == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with SignalBox() as signals:
        supervise(FakePipeline(), signals, Hooks(tick, nothing))
    assert len(ticks) >= 3

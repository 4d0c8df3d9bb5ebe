"""Signals arrive as values, in the main thread, and leave no trace behind."""

import os
import signal
import threading

from vcam.cli.signals import NEXT_PROFILE, PAUSE, RELOAD, STOP, SignalBox

LONG_S = 20.0


def test_each_signal_arrives_once() -> None:
    with SignalBox() as box:
        for number in (*STOP, RELOAD, NEXT_PROFILE, PAUSE):
            os.kill(os.getpid(), number)
            assert box.wait(LONG_S) is number
        assert box.wait(0.0) is None


def test_a_signal_ends_a_wait_that_has_begun() -> None:
    with SignalBox() as box:
        timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM))
        timer.start()
        assert box.wait(LONG_S) is signal.SIGTERM
        timer.join()


def test_waking_ends_a_wait_without_a_signal() -> None:
    with SignalBox() as box:
        timer = threading.Timer(0.05, box.wake)
        timer.start()
        assert box.wait(LONG_S) is None
        timer.join()


def test_handlers_are_as_before_afterwards() -> None:
    numbers = (*STOP, RELOAD, NEXT_PROFILE, PAUSE)
    before = [signal.getsignal(number) for number in numbers]
    box = SignalBox()
    with box:
        assert [signal.getsignal(number) for number in numbers] != before
    assert [signal.getsignal(number) for number in numbers] == before
    box.__exit__(None, None, None)
    assert [signal.getsignal(number) for number in numbers] == before


def test_asked_twice_the_process_dies_at_once() -> None:
    with SignalBox() as box:
        box.kill_next_time()
        assert [signal.getsignal(number) for number in STOP] == [signal.SIG_DFL] * 2
        assert signal.getsignal(RELOAD) is not signal.SIG_DFL

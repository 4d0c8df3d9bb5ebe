"""The supervised thread: what is repeated, what is final, what is told."""

import logging
import sys
import threading
from collections.abc import Callable

import pytest

from vcam.errors import DeviceError, EngineUnavailableError, VcamError
from vcam.pipeline.worker import RetryPolicy, Worker

AT_ONCE = RetryPolicy(backoff_s=0.0, backoff_limit_s=0.0)
LOST = DeviceError("gone", hint="plug it in")


def failing(times: int, error: Exception) -> Callable[[], None]:
    """A session that raises so often, then returns."""
    left = [error] * times

    def session() -> None:
        if left:
            raise left.pop()

    return session


def run(session: Callable[[], None], policy: RetryPolicy = AT_ONCE) -> Worker:
    ended = threading.Event()
    worker = Worker("test", session, policy, on_end=ended.set)
    worker.start()
    assert ended.wait(20.0)
    assert worker.join(20.0)
    return worker


def test_a_session_that_returns_ends_the_worker() -> None:
    assert run(lambda: None).failure is None


def test_a_failure_is_repeated_until_it_works() -> None:
    worker = run(failing(20, LOST))
    assert worker.failure is None
    assert worker.last_error is LOST


def test_a_camera_may_be_away_for_days() -> None:
    left = [LOST] * 1100

    def session() -> None:
        if left:
            raise left.pop()

    run(session)
    assert not left


def test_a_bug_is_repeated_too() -> None:
    assert run(failing(3, ValueError("a bug"))).failure is None


@pytest.mark.parametrize(
    ("error", "policy"),
    [
        (EngineUnavailableError("no such engine", hint=""), AT_ONCE),
        (LOST, RetryPolicy(0.0, 0.0, first_must_succeed=True)),
        (LOST, RetryPolicy(0.0, 0.0, failures_limit=3)),
    ],
)
def test_what_is_beyond_repair_ends_the_worker(error: VcamError, policy: RetryPolicy) -> None:
    assert run(failing(5, error), policy).failure is error


def test_failures_are_told_ever_more_rarely(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        run(failing(100, LOST))
    told = [record.__dict__["failures"] for record in caplog.records if record.message == "worker.retry"]
    assert told == [1, 2, 4, 8, 16, 32, 64]


def test_stop_cuts_a_long_wait_short() -> None:
    worker = Worker("test", failing(9, LOST), RetryPolicy(3600.0, 3600.0), on_end=lambda: None)
    worker.start()
    worker.stop()
    assert worker.join(20.0)


def test_a_wait_is_ended_by_a_nudge_be_it_one_that_came_before() -> None:
    woken: list[int] = []

    def session() -> None:
        worker.nudge()
        worker.wait(1e6)
        asleep.set()
        worker.wait(1e6)
        woken.append(1)

    asleep, ended = threading.Event(), threading.Event()
    worker = Worker("test", session, AT_ONCE, on_end=ended.set)
    worker.start()
    assert asleep.wait(20.0)
    worker.nudge()
    assert ended.wait(20.0)
    assert woken


def test_once_told_of_a_failure_one_can_see_it() -> None:
    seen: list[Exception | None] = []
    ended = threading.Event()
    session = failing(2, LOST)
    worker = Worker("test", session, AT_ONCE, on_end=ended.set, on_failure=lambda _: seen.append(worker.last_error))
    worker.start()
    assert ended.wait(20.0)
    assert seen == [LOST, LOST]


def test_what_goes_wrong_while_a_failure_is_told_ends_the_worker_and_is_kept() -> None:
    sessions: list[int] = []
    fault = ValueError("a bug in who is told")

    def session() -> None:
        sessions.append(1)
        raise LOST

    ended = threading.Event()
    worker = Worker("test", session, AT_ONCE, on_end=ended.set, on_failure=raises_any(fault))
    worker.start()
    assert ended.wait(20.0)
    assert (worker.failure, len(sessions), worker.finished) == (fault, 1, False)


def test_an_error_beyond_repair_is_kept_whatever_goes_wrong_while_it_is_told() -> None:
    ended = threading.Event()
    final = EngineUnavailableError("no such engine", hint="")
    worker = Worker("test", failing(1, final), AT_ONCE, on_end=ended.set, on_failure=raises_any(ValueError("a bug")))
    worker.start()
    assert ended.wait(20.0)
    assert worker.failure is final


def raises_any(error: Exception) -> Callable[[Exception], None]:
    def told(_: Exception) -> None:
        raise error

    return told


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ends_by_what_is_no_error_has_failed() -> None:
    def session() -> None:
        sys.exit(0)

    worker = run(session)
    assert isinstance(worker.failure, VcamError)
    assert "test has ended" in worker.failure.problem
    assert "report" in worker.failure.hint


def test_only_a_session_that_returned_is_finished() -> None:
    assert run(failing(3, LOST)).finished
    assert not run(failing(5, LOST), RetryPolicy(0.0, 0.0, failures_limit=3)).finished
    stopped = Worker("test", lambda: None, AT_ONCE, on_end=lambda: None)
    stopped.stop()
    stopped.start()
    assert stopped.join(20.0)
    assert (stopped.finished, stopped.failure) == (False, None)

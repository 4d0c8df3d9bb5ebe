"""Log lines for people and machines, and the limit on repeated events."""

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.support.clock import Clock
from vcam.service import logs


@pytest.fixture
def stderr(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was written there since the last call; logging is as before afterwards."""
    root, ours = logging.getLogger(), logging.getLogger(logs.OUR_LOGGER)
    handlers, level = list(root.handlers), ours.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = handlers
    ours.setLevel(level)


@pytest.fixture
def logger() -> logging.Logger:
    return logging.getLogger("vcam.somewhere")


def record(event: str = "camera.opened", level: int = logging.INFO, **facts: object) -> logging.LogRecord:
    made = logging.LogRecord("vcam.x", level, "x.py", 1, event, None, None)
    vars(made).update(facts)
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limit(clock: Clock) -> logs.RateLimit:
    return logs.RateLimit(clock=clock)


def test_console_lines_are_event_and_facts(stderr: Callable[[], str], logger: logging.Logger) -> None:
    logs.configure("info", "console")
    logger.info("camera.opened", extra={"device": "/dev/video0", "mode": "MJPG 1280x720", "fps": 30.0001, "note": ""})
    time, rest = stderr().split(" ", 1)
    assert len(time) == len("12:00:00.123")
    assert rest == 'INFO    camera.opened  device=/dev/video0 mode="MJPG 1280x720" fps=30 note=""\n'


def test_a_console_line_stays_one_line(stderr: Callable[[], str], logger: logging.Logger) -> None:
    logs.configure("info", "console")
    logger.warning("output.failed", extra={"problem": 'two\nlines "quoted"'})
    assert stderr().count("\n") == 1


def test_json_lines_hold_every_fact(stderr: Callable[[], str], logger: logging.Logger) -> None:
    logs.configure("info", "json")
    logger.warning("output.failed", extra={"output": "/dev/video10", "errors": 3, "what": object()})
    line = json.loads(stderr())
    assert (line["level"], line["event"], line["logger"]) == ("warning", "output.failed", "vcam.somewhere")
    assert (line["output"], line["errors"]) == ("/dev/video10", 3)
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize("style", ["console", "json"])
def test_an_exception_is_told_with_its_trace(stderr: Callable[[], str], logger: logging.Logger, style: str) -> None:
    logs.configure("info", style)
    try:
        raise ValueError("that one")
    except ValueError as error:
        logger.warning("worker.retry", exc_info=error)
    text = stderr()
    assert "ValueError: that one" in text
    assert "test_logs.py" in text


def test_the_level_is_ours_and_can_change(stderr: Callable[[], str], logger: logging.Logger) -> None:
    logs.configure("debug", "console")
    logger.debug("a.b")
    logging.getLogger("other").info("not ours")
    logs.configure("error", "console")
    logger.warning("c.d")
    logger.error("e.f")
    assert [line.split()[2] for line in stderr().splitlines()] == ["a.b", "e.f"]


def test_the_messages_of_others_are_formatted(stderr: Callable[[], str]) -> None:
    logs.configure("info", "console")
    logging.getLogger("other").warning("%d things", 3)
    assert "3 things" in stderr()


def test_stderr_is_looked_up_when_a_line_is_written(
    stderr: Callable[[], str], logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs.configure("info", "console")
    later = io.StringIO()
    monkeypatch.setattr(sys, "stderr", later)
    logger.info("a.b")
    assert "a.b" in later.getvalue()


def test_a_reader_that_has_gone_does_no_harm(logger: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    handler = logs.StderrHandler()
    monkeypatch.setattr(sys, "stderr", Gone())
    handler.emit(record())


def test_the_same_event_passes_once_a_second(limit: logs.RateLimit, clock: Clock) -> None:
    passed = []
    for at_ms in range(0, 2500, 100):
        clock.now_s = at_ms / 1000
        event = record("frame.corrupt", problem=f"frame {at_ms}")
        if limit.filter(event):
            passed.append((at_ms, getattr(event, "suppressed", None)))
    assert passed == [(0, None), (1000, 9), (2000, 9)]


def test_no_change_of_state_is_held_back(limit: logs.RateLimit) -> None:
    states = ["safe", "live"] * 5
    assert all(limit.filter(record("pipeline.state", state=state)) for state in states)


def test_events_about_different_things_all_pass(limit: logs.RateLimit) -> None:
    events = [
        record(output="/dev/video10"),
        record(output="/dev/video11"),
        record("camera.lost"),
        record(level=logging.ERROR),
    ]
    assert all(limit.filter(event) for event in events)
    assert not limit.filter(record(output="/dev/video11", errors=7, problem="another text"))


def test_the_limit_remembers_a_bounded_number_of_events(limit: logs.RateLimit) -> None:
    for number in range(2000):
        assert limit.filter(record(output=f"file:{number}"))
    assert len(limit._seen) <= 256

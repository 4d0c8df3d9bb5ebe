"""What a terminal shows, and what a log gets where there is none."""

import io
import logging

import pytest
from rich.console import Console

from vcam.cli.display import Display
from vcam.cli.tables import stage_table
from vcam.model.progress import Progress, Step
from vcam.pipeline.statistics import TableRow


def make_console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=terminal, width=100, color_system=None), stream


def test_a_terminal_sees_bytes_and_steps() -> None:
    console, stream = make_console(terminal=True)
    with Display(console) as display:
        display.model(Progress(Step.FETCH, 3_000_000, 15_000_000))
        display._progress.refresh()
        display.model(Progress(Step.VERIFY))
        display._progress.refresh()
    assert "fetching the network" in stream.getvalue()
    assert "3.0/15.0 MB" in stream.getvalue()
    assert "comparing it with the original" in stream.getvalue()


def test_a_terminal_sees_frames() -> None:
    console, stream = make_console(terminal=True)
    with Display(console) as display:
        display.model(Progress(Step.READ))
        display.quiet()
        display.frames(30, 240, 41.27)
        display._progress.refresh()
    assert "30/240  41.3 fps" in stream.getvalue()


def test_a_terminal_sees_how_far_a_plan_is() -> None:
    console, stream = make_console(terminal=True)
    with Display(console) as display:
        display.plan(None)
        display.plan(0.43)
        display.quiet()
        display._progress.refresh()
        assert "building plan 43%" in stream.getvalue()
        display.plan(None)
        assert not display._progress.live.is_started
        assert display._progress.tasks == []


def test_the_line_of_a_plan_and_that_of_the_frames_go_together() -> None:
    console, _stream = make_console(terminal=True)
    with Display(console) as display:
        display.frames(30, 240, 41.0)
        display.plan(0.5)
        display.plan(None)
        display._progress.refresh()
        assert display._progress.live.is_started
        assert len(display._progress.tasks) == 1


def test_a_pipe_gets_each_step_once_as_a_log_line(caplog: pytest.LogCaptureFixture) -> None:
    console, stream = make_console(terminal=False)
    caplog.set_level(logging.INFO, "vcam")
    with Display(console) as display:
        for done in range(0, 105, 5):
            display.model(Progress(Step.FETCH, done, 100))
        display.model(Progress(Step.CUT))
        display.frames(1, 2, 3.0)
    assert stream.getvalue() == ""
    told = [(record.getMessage(), record.__dict__["step"], record.__dict__.get("share")) for record in caplog.records]
    tenths = [("model.progress", "fetch", tenth / 10) for tenth in range(1, 11)]
    assert told == [("model.step", "fetch", None), *tenths, ("model.step", "cut", None)]


def test_a_fetch_that_begins_anew_is_told_anew(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vcam")
    with Display(make_console(terminal=False)[0]) as display:
        for done in (55, 10, 60):
            display.model(Progress(Step.FETCH, done, 100))
    assert [record.__dict__["share"] for record in caplog.records[1:]] == [0.55, 0.1, 0.6]


def test_closing_twice_is_harmless() -> None:
    display = Display(make_console(terminal=True)[0])
    with display:
        display.quiet()
    display.__exit__(None, None, None)


def test_the_table_is_in_milliseconds() -> None:
    console, stream = make_console(terminal=False)
    console.print(stage_table([TableRow("infer", 0.01234, 0.02, 0.0301, 100)], "a title"))
    (line,) = [line for line in stream.getvalue().splitlines() if "infer" in line]
    assert [cell.strip() for cell in line.strip("│").split("│")] == ["infer", "12.34", "20.00", "30.10", "100"]
    assert "a title" in stream.getvalue()

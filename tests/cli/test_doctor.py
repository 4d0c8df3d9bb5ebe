"""The table, the remedies, JSON and the exit code."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from rich.console import Console

from tests.doctor.conftest import Computer
from vcam.cli.doctor import as_json, doctor, show
from vcam.cli.options import DoctorOptions
from vcam.doctor.examine import CHECKS, examine, would_work
from vcam.doctor.finding import Finding, Verdict, fail, ok, skip, warn
from vcam.engine_names import EngineName

FINDINGS = [
    ok("system", "Debian [bold]12[/bold]"),
    skip("GPU", "none"),
    warn("network", "it is not here", "vcam model prepare"),
    fail("output", "there is no /dev/video10", "sudo modprobe v4l2loopback exclusive_caps=1 card_label=AI-Camera " * 2),
]


def shown(findings: list[Finding]) -> str:
    stream = io.StringIO()
    show(findings, Console(file=stream, width=80))
    return stream.getvalue()


def test_remedies_stand_whole_on_lines_of_their_own() -> None:
    text = shown(FINDINGS)
    assert f"    {FINDINGS[3].remedy}\n" in text, "they are for pasting"
    assert text.index("To be done") < text.index("Could be better")
    assert text.rstrip().endswith("No camera would work.")
    assert "Debian [bold]12[/bold]" in text, "facts are no markup"


def test_a_remedy_for_several_things_stands_once() -> None:
    text = shown(
        [fail("input", "closed", "log in again"), fail("port", "taken", "x"), fail("output", "closed", "log in again")]
    )
    assert text.count("log in again") == 1
    assert (
        text.index("input: closed")
        < text.index("output: closed")
        < text.index("log in again")
        < text.index("port: taken")
    )


def test_all_well_has_nothing_to_do() -> None:
    text = shown(FINDINGS[:2])
    assert "To be done" not in text
    assert text.rstrip().endswith("A camera would work.")


def test_json_holds_every_finding() -> None:
    document = json.loads(as_json(FINDINGS))
    assert document["works"] is False
    assert [each["verdict"] for each in document["findings"]] == ["ok", "skip", "warn", "fail"]
    assert document["findings"][2] == {
        "check": "network",
        "verdict": "warn",
        "facts": "it is not here",
        "remedy": "vcam model prepare",
    }


def asked(computer: Computer, source: str | None = None, output: list[str] | None = None) -> DoctorOptions:
    return DoctorOptions(
        json=True, input=source, output=output, engine=EngineName.PLATE, models_dir=computer.root / "models"
    )


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def test_a_computer_without_anything_exits_with_1(computer: Computer, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as exit_:
        doctor(asked(computer), computer.view)
    assert exit_.value.exit_code == 1
    document = json.loads(capsys.readouterr().out)
    failed = {each["check"] for each in document["findings"] if each["verdict"] == "fail"}
    assert failed == {"kernel module", "output", "input"}


def test_what_needs_no_device_works_everywhere(computer: Computer, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(asked(computer, "test:", ["null:"]), computer.view)
    assert json.loads(capsys.readouterr().out)["works"] is True


def test_wrong_settings_are_a_finding_and_all_else_is_told_too(
    computer: Computer, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit):
        doctor(asked(computer, "camera"), computer.view)
    document = json.loads(capsys.readouterr().out)
    assert document["findings"][0]["check"] == "settings"
    assert document["findings"][0]["verdict"] == "fail"
    assert len(document["findings"]) > len(CHECKS) // 2


def test_settings_from_the_environment_count_and_are_named(
    computer: Computer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VCAM_INPUT", "test:")
    monkeypatch.setenv("VCAM_OUTPUT", "null:")
    doctor(replace(asked(computer), models_dir=None), computer.view)
    assert json.loads(capsys.readouterr().out)["findings"][0]["facts"] == "no file; set are engine, input, output"


def test_every_check_finds_something_somewhere(computer: Computer) -> None:
    case = computer.case
    silent = [check.__name__ for check in CHECKS if not check(case)]
    assert silent == ["check_exclusive_caps", "check_cameras"], "there is no node"


def test_everything_that_fails_or_could_be_better_has_a_remedy(computer: Computer) -> None:
    computer.settings |= {"engine": "tensorrt", "input": "file:none.mp4"}
    findings = examine(computer.case)
    assert not would_work(findings)
    bad = [each for each in findings if each.verdict in (Verdict.FAIL, Verdict.WARN)]
    assert len(bad) >= 4
    assert all(each.remedy for each in bad)


def test_a_warning_is_no_failure() -> None:
    assert would_work([replace(FINDINGS[3], verdict=Verdict.WARN)])

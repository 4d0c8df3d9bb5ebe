"""scripts/gpu_check.sh goes on after every failure and sums up; what is not measured is never said to be met."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.support.scripts import load_script
from vcam.bench.report import Row

ROOT = Path(__file__).parents[2]
summary = load_script("gpu_summary")

STUB = """#!/bin/sh
echo "$*" | head -n 1 >> "$STUB_LOG"
case "$*" in
*gpu_summary.py*) exec {python} "$@" ;;
*find_gpu*) echo "Fake GPU"; exit $STUB_GPU ;;
*"$STUB_FAILS"*) echo "it went wrong"; exit 3 ;;
esac
"""
"""An interpreter that only notes what it is asked."""


def run(folder: Path, *options: str, gpu: int = 0, fails: str = "nothing at all") -> subprocess.CompletedProcess[str]:
    stub = folder / "python"
    stub.write_text(STUB.format(python=sys.executable))
    stub.chmod(0o755)
    tools = folder / "tools"
    tools.mkdir()
    for tool in ("bash", "cat", "dirname", "head", "mkdir", "rm", "tee", "make", "sh"):
        found = next(Path(each) / tool for each in os.get_exec_path() if (Path(each) / tool).exists())
        (tools / tool).symlink_to(found)
    environment = {
        "PATH": str(tools), "PYTHON": str(stub), "STUB_LOG": str(folder / "asked"), "STUB_GPU": str(gpu),
        "STUB_FAILS": fails,
    }  # fmt: skip
    command = [str(ROOT / "scripts" / "gpu_check.sh"), "--out", str(folder / "out"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def asked(folder: Path) -> str:
    return (folder / "asked").read_text()


def test_without_a_gpu_it_says_so_and_measures_nothing(tmp_path: Path) -> None:
    result = run(tmp_path, gpu=6)
    assert result.returncode == 6
    assert "Nothing was measured" in result.stderr
    assert asked(tmp_path).count("\n") == 1
    assert not list((tmp_path / "out").glob("*.json"))


def test_every_step_is_taken_and_summed_up(tmp_path: Path) -> None:
    model = tmp_path / "network.onnx"
    model.touch()
    result = run(tmp_path, "--model", str(model))
    assert result.returncode == 0, result.stdout + result.stderr
    steps = {step["name"]: step for step in json.loads((tmp_path / "out" / "gpu_check.json").read_text())["steps"]}
    ran = {"gpu", "packages", "doctor", "tests", "portrait", "run-tensorrt", "run-tensorrt-rtx", "bench", "soak"}
    assert {name for name, step in steps.items() if step["result"] == "0"} == ran | {"calculation"}
    for name in ("nvidia-smi", "memcheck", "racecheck"):
        assert steps[name]["result"].startswith("skipped: ")
        assert f"{name}: not run" in result.stdout
    words = asked(tmp_path)
    assert f"vcam bench --model {model} gpu --json" in words
    assert (
        f"vcam run -i test:1920x1080@30 -o null: --background green --quality high --http-port 0 --model {model}"
        in words
    )
    assert "-m gpu" in words


@pytest.mark.parametrize(
    "fails", ["-m pytest", "vcam bench gpu --json", "vcam doctor", "portrait_clip", "--engine tensorrt "]
)
def test_a_failure_is_shown_and_the_rest_goes_on(tmp_path: Path, fails: str) -> None:
    result = run(tmp_path, "--quick", fails=fails)
    assert result.returncode == 1
    document = json.loads((tmp_path / "out" / "gpu_check.json").read_text())
    failed = [step["name"] for step in document["steps"] if step["result"] == "3"]
    assert len(failed) == 1
    assert "it went wrong" in document["logs"][failed[0]]
    assert f"FAILED (exit 3): {failed[0]}" in result.stdout
    assert "gpu-soak" in asked(tmp_path)


def test_quick_is_less(tmp_path: Path) -> None:
    assert run(tmp_path, "--quick").returncode == 0
    words = asked(tmp_path)
    assert "--frames 60" in words
    assert "--frames 150" in words
    assert "gpu-soak --json" in words
    assert "--frames 500" in words


@pytest.mark.parametrize("options", [["--fast"], ["--model"], ["--model", "nowhere.onnx"], ["--out"]])
def test_wrong_usage_does_nothing(tmp_path: Path, options: list[str]) -> None:
    assert run(tmp_path, *options).returncode == 2
    assert not (tmp_path / "asked").exists()


def test_help_names_every_option_and_exit(tmp_path: Path) -> None:
    result = run(tmp_path, "--help")
    assert result.returncode == 0
    for word in ("--quick", "--model", "--out", "VENV", "PYTHON", "6 there is no GPU"):
        assert word in result.stdout


def rows(whole_ms: float = 5.0, uhd_ms: float = 14.0) -> list[dict[str, object]]:
    """What `vcam bench gpu` might write, as far as goals look at it."""

    def frame(height: int, engine: str, name: str, ms: float, **extra: float | str) -> Row:
        return Row(name, ms, ms, ms, 9, {**extra}, f"{height}p MJPEG to YUYV, {engine}, CUDA graphs")

    whole = "whole frame: JPEG in to picture out"
    found = [
        Row("sample 1080p", 0.01, 0.01, 0.01, 9, {"share_of_copy": 0.81}, "bandwidth: bytes that must move"),
        Row("compose 1080p", 0.01, 0.01, 0.01, 9, {"share_of_copy": 0.69}, "bandwidth: bytes that must move"),
        Row(
            "1080p, tensorrt: CUDA graphs against call by call",
            0,
            0,
            0,
            9,
            {"largest_difference": 0.0},
            "equal pictures",
        ),
        frame(1080, "no engine", "GPU without the engine", 0.4),
        frame(1080, "tensorrt", whole, whole_ms, gpu_memory_in_use_mib=500.0),
        frame(1080, "tensorrt", "GPU, by events", 1.5),
        frame(1080, "tensorrt", "our own work on the CPU, without decoding and copies", 0.2),
        frame(2160, "tensorrt", whole, uhd_ms),
        Row("tensorrt, fp16, 512x288", 0, 0, 0, 300, {"largest": 0.03, "mean": 2e-5}, "accuracy: alpha"),
        Row("tensorrt-rtx", 0, 0, 0, 0, {"not_measured": "it is not installed"}, "whole frames"),
    ]
    return [asdict(row) for row in found]


def verdicts(bench: list[dict[str, object]], soak: list[dict[str, object]] | None = None) -> dict[str, str]:
    return {goal.name: goal.verdict for goal in summary.goals(bench, soak or [])}


def test_goals_are_those_of_the_figures() -> None:
    found = verdicts(rows())
    assert [name for name, verdict in found.items() if verdict != "met"] == [
        "compose at 1080p, share of the copy's bandwidth"
    ]
    assert len(found) == 11
    assert verdicts(rows(whole_ms=7.0))["tensorrt: 1080p whole frame, ms"] == "MISSED"
    assert verdicts(rows(uhd_ms=16.0))["tensorrt: 4K over 1080p"] == "MISSED"


def test_what_was_not_measured_is_neither_met_nor_missed() -> None:
    assert set(verdicts([]).values()) == {"not measured"}
    without = [row for row in rows() if "tensorrt" not in str(row["group"])]
    assert verdicts(without)["tensorrt: 1080p whole frame, ms"] == "not measured"


def test_a_soak_that_grows_misses_its_goal() -> None:
    figures = {"gpu_memory_growth_mib": 64.0, "own_buffers_growth_bytes": 0.0, "descriptor_growth": 1.0}
    found = verdicts([], [asdict(Row("soak", 0.0, 0.0, 0.0, 5000, {**figures}))])
    assert found["soak, gpu_memory_growth_mib"] == "MISSED"
    assert found["soak, own_buffers_growth_bytes"] == "met"
    assert found["soak, descriptor_growth"] == "MISSED"


def test_a_missed_goal_shows_in_the_exit_code(tmp_path: Path) -> None:
    (tmp_path / "steps.tsv").write_text("bench\t0\t9\n")
    (tmp_path / "gpu.json").write_text(json.dumps({"rows": rows()}))
    assert summary.main(tmp_path) == 1
    (tmp_path / "gpu.json").write_text(json.dumps({"rows": []}))
    assert summary.main(tmp_path) == 0
    (tmp_path / "steps.tsv").write_text("bench\t1\t9\n")
    assert summary.main(tmp_path) == 1


def test_counts_of_a_test_report(tmp_path: Path) -> None:
    path = tmp_path / "tests.xml"
    path.write_text('<testsuites><testsuite tests="7" failures="1" errors="0" skipped="2"/></testsuites>')
    assert summary.counts(path) == {"tests": 7, "failures": 1, "errors": 0, "skipped": 2}
    assert summary.counts(tmp_path / "none.xml") == {}

"""The program as a shell sees it: exit codes, one message, no traceback, quiet pipes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from vcam import __main__
from vcam.errors import ConfigError, SinkError, VcamError

LIMIT_S = 60
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VCAM_")}


def vcam(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vcam", *arguments],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        cwd=cwd,
        env={**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2]), **environ},
        check=False,
    )


def one_message(stderr: str) -> tuple[str, str]:
    """(problem, hint); there is nothing else on stderr but log lines."""
    assert "Traceback" not in stderr
    lines = [line for line in stderr.splitlines() if line.startswith(("error: ", "hint: "))]
    assert [line.split(": ")[0] for line in lines] == ["error", "hint"]
    return lines[0].removeprefix("error: "), lines[1].removeprefix("hint: ")


def test_a_process_that_fails_tells_one_message_and_its_code(tmp_path: Path) -> None:
    done = vcam("run", "-i", "file:none.mp4", "-o", "null:", cwd=tmp_path, VCAM_HTTP_PORT="0")
    assert done.returncode == 4, done.stderr
    problem, hint = one_message(done.stderr)
    assert "none.mp4" in problem
    assert hint


@pytest.mark.parametrize(
    ("arguments", "code", "problem", "hint"),
    [
        (["run", "-F", "0"], 2, "--fps: must be greater than or equal to 1, got 0", "change --fps"),
        (["run", "--config", "no.toml"], 2, "there is no settings file no.toml", "copy vcam.toml from the repository"),
        (["run", "-i", "clip.mp4"], 2, "`clip.mp4` is not a source", "file:clip.mp4"),
        (["run", "-b", "grean"], 2, "'grean'", "green"),
        (["run", "-q", "foo"], 2, "--quality: must be 'fast', 'balanced', 'high' or 'ultra', got 'foo'", "--quality"),
        (["demo", "-e", "foo"], 2, "--engine: must be 'auto', 'tensorrt', ", "change --engine"),
        (["run", "--set", "person-brightnes=1"], 2, "there is no setting person-brightnes", "person_brightness?"),
        (["run", "--set", "person_blur=x"], 2, "person_blur: must be", "change person_blur"),
        (["ctl", "set", "zoom=99"], 2, "zoom: must be less than or equal to 4, got '99'", "change zoom"),
        (["model", "prepare", "--from", "none.onnx", "--models-dir", "m"], 5, "none.onnx", ""),
        (["bench", "speed"], 2, "there is no suite speed", "pipeline"),
    ],
)
def test_an_error_is_one_message_with_a_hint(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    problem: str,
    hint: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["vcam", *arguments])
    assert __main__.main() == code
    told, hinted = one_message(capsys.readouterr().err)
    assert problem in told
    assert hint in hinted


def test_a_variable_that_is_no_setting_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VCAM_BACKGROND", "green")
    monkeypatch.setattr(sys, "argv", ["vcam", "run"])
    assert __main__.main() == 2
    told = one_message(capsys.readouterr().err)
    assert told == ("there is no setting VCAM_BACKGROND", "did you mean VCAM_BACKGROUND?")


def test_the_base_install_runs_the_demo_and_lists_devices(tmp_path: Path) -> None:
    blocked = "prometheus_client starlette uvicorn onnx onnxruntime openvino onnxsim onnx_graphsurgeon httpx"
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nfor name in {blocked.split()!r}: sys.modules[name] = None\n"
    )
    for arguments in (["devices", "--json"], ["demo", "--frames", "8"]):
        done = vcam(*arguments, cwd=tmp_path, PYTHONPATH=f"{tmp_path}:{Path(__file__).parents[2]}")
        assert done.returncode == 0, done.stderr
    assert "plate" in done.stdout
    assert (tmp_path / "out" / "demo.mp4").stat().st_size > 0
    with Image.open(tmp_path / "out" / "demo.png") as sheet:
        assert sheet.width > 1000


def test_ctrl_c_ends_a_real_process_at_once(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vcam", "run", "-i", "test:64x48@30", "-o", "null:", "-e", "plate", "-b", "green"]
    environ = {**ENVIRONMENT, "PYTHONPATH": str(Path(__file__).parents[2]), "VCAM_HTTP_PORT": "0"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path, env=environ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "engine.ready" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stderr.read()
        assert process.wait(LIMIT_S) == 0, rest
    assert "frames live" in rest
    assert "Traceback" not in rest


def test_a_reader_that_goes_away_causes_no_noise(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = f"{sys.executable} -m vcam run --help | head -1"
    environ = {**ENVIRONMENT, "PYTHONPATH": str(root)}
    done = subprocess.run(
        command, shell=True, capture_output=True, text=True, timeout=LIMIT_S, cwd=tmp_path, env=environ, check=False
    )
    assert done.stderr == ""


class App:
    """Stands for the command line; raises."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __call__(self, prog_name: str) -> None:
        raise self._error


def run_main(monkeypatch: pytest.MonkeyPatch, error: BaseException, *arguments: str) -> int:
    monkeypatch.setattr("vcam.cli.app.make_app", lambda: App(error))
    monkeypatch.setattr(sys, "argv", ["vcam", *arguments])
    return __main__.main()


@pytest.mark.parametrize("kind", [VcamError, ConfigError, SinkError])
def test_each_error_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: type[VcamError]
) -> None:
    long = "a long text " * 30 + "[red]is not markup"
    assert run_main(monkeypatch, kind(long, hint="do that")) == kind.exit_code
    assert capsys.readouterr().err == f"error: {long}\nhint: do that\n"


def test_an_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_main(monkeypatch, KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == ""


def test_a_bug_is_one_message_and_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run_main(monkeypatch, ZeroDivisionError("oh")) == 1
    text = capsys.readouterr().err
    assert text.startswith("error: vcam has a bug: ZeroDivisionError: oh\n")
    (file,) = tmp_path.iterdir()
    assert str(file) in text
    assert "Traceback" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("error", [ZeroDivisionError("oh"), ConfigError("oh", hint="do that")])
def test_debug_shows_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    run_main(monkeypatch, error, "--debug", "run")
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_openmp_sleeps_between_frames_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    run_main(monkeypatch, KeyboardInterrupt())
    assert os.environ["OMP_WAIT_POLICY"] == "passive"
    monkeypatch.setenv("OMP_WAIT_POLICY", "active")
    run_main(monkeypatch, KeyboardInterrupt())
    assert os.environ["OMP_WAIT_POLICY"] == "active"


def test_ctrl_c_while_vcam_is_still_being_loaded_leaves_no_traceback() -> None:
    interrupted = """
import sys
class Loading:
    def find_spec(self, name, path=None, target=None):
        if name == "vcam.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Loading())
from vcam.__main__ import main
sys.exit(main())
"""
    done = subprocess.run([sys.executable, "-c", interrupted], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (130, "")

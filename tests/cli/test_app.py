"""The tree of commands: what each says of itself, and what a typing error gets."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from vcam import __version__
from vcam.cli.app import make_app

ROOT = Path(__file__).parents[2]
COMMANDS = ["run", "demo", "devices", "bench", "model prepare", "model status", "model verify"]
COMMANDS += [f"ctl {name}" for name in ("status", "background", "color", "profile", "pause", "reload", "snapshot")]


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), arguments)


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",)])
def test_help_lists_the_commands_and_teaches(arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 0
    for command in ("run", "demo", "devices", "model", "bench", "ctl"):
        assert f"│ {command} " in result.output
    assert "vcam run -i /dev/video0 -o /dev/video10 -b blur" in result.output


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_a_help(command: str) -> None:
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"Usage: root {command}" in result.output.replace("vcam", "root")


def test_the_help_of_run_groups_its_options_and_gives_examples() -> None:
    text = invoke("run", "--help").output
    for part in ("From camera to virtual camera", "Engine: what finds the person", "--no-fp16", "file:talk.mp4"):
        assert part in text
    assert "\\" not in text, "markup that was escaped twice"


def test_the_version() -> None:
    result = invoke("--version")
    assert (result.exit_code, result.output) == (0, f"vcam {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["rum"], "Did you mean 'run'?"),
        (["run", "--widht", "3"], "--width"),
        (["run", "-W", "wide"], "--width"),
    ],
)
def test_a_typing_error_exits_with_2_and_says_what_there_is(arguments: list[str], told: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert told in " ".join(result.output.replace("│", " ").split())


def test_help_loads_nothing_heavy() -> None:
    heavy = (
        "numpy",
        "pydantic_settings",
        "av",
        "PIL",
        "scipy",
        "linuxpy",
        "onnx",
        "onnxruntime",
        "openvino",
        "uvicorn",
    )
    code = (
        "import sys\nfrom vcam.cli.app import make_app\n"
        "try: make_app()(['run', '--help'])\nexcept SystemExit: pass\n"
        f"print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stderr.strip() == "[]"


def test_the_application_is_made_anew_each_time() -> None:
    assert make_app() is not make_app()
    assert isinstance(make_app(), typer.Typer)

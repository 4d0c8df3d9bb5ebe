"""A thin hand on the docker command: what the container tests ask of an engine."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 900


def run(
    command: Sequence[str], *, environ: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """The command's result; where ``check`` fails, its output is the error's text."""
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=ROOT, env={**os.environ, **(environ or {})}
    )
    if check and result.returncode:
        raise AssertionError(f"{' '.join(command)}: {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result


def docker(*arguments: str, check: bool = True) -> str:
    return run(("docker", *arguments), check=check).stdout


def inspect(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("inspect", name))[0]
    return found


def eventually(what: Callable[[], bool], timeout_s: float, problem: str) -> None:
    """Wait until ``what()`` holds."""
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, problem
        time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Appliance:
    """One compose project of the repository's own compose file. override: a second file. environ: its variables."""

    project: str
    override: Path
    environ: Mapping[str, str]
    port: int

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        files = ("-f", str(ROOT / "compose.yaml"), "-f", str(self.override))
        command = ("docker", "compose", "-p", self.project, *files, *arguments)
        return run(command, environ=self.environ, check=check)

    def up(self, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.compose("up", "-d", "--no-build", "--wait", "vcam", check=check)

    def down(self) -> None:
        self.compose("down", "--volumes", "--timeout", "5")

    @property
    def container(self) -> str:
        return f"{self.project}-vcam-1"

    def python(self, code: str) -> str:
        """What a Python program prints inside the container, as vcam's own user."""
        return docker("exec", self.container, "python3", "-c", code)

    def logs(self) -> list[dict[str, Any]]:
        """Events of vcam's log, oldest first."""
        lines = run(("docker", "logs", self.container)).stderr.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def kill(self) -> None:
        """What a crash is to the engine: vcam's process ends by a signal it cannot catch."""
        self.python(
            "import os, pathlib\n"
            "for comm in pathlib.Path('/proc').glob('[0-9]*/comm'):\n"
            "    if comm.read_text() == 'vcam\\n': os.kill(int(comm.parent.name), 9)"
        )

    def restarts(self) -> int:
        return int(inspect(self.container)["RestartCount"])

    def health(self) -> str:
        return str(inspect(self.container)["State"]["Health"]["Status"])

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page; status 0 where nobody answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except (URLError, ConnectionError, TimeoutError):
            return 0, ""

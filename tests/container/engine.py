"""A thin hand on the docker command: what the container tests ask of an engine."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300
BUILD_TIMEOUT_S = 1500
CONTROL = 100
"""An appliance's port of live control is so much above that of its metrics."""
WAIT_S = 120
"""Until something that takes seconds on a quiet machine has surely failed."""


def run(
    command: Sequence[str],
    *,
    environ: Mapping[str, str] | None = None,
    check: bool = True,
    timeout_s: float = TIMEOUT_S,
) -> subprocess.CompletedProcess[str]:
    """The command's result; where ``check`` fails, its output is the error's text."""
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=timeout_s, cwd=ROOT, env={**os.environ, **(environ or {})}
    )
    if check and result.returncode:
        raise AssertionError(f"{' '.join(command)}: {result.returncode}\n{result.stdout}\n{result.stderr}")
    return result


def docker(*arguments: str, check: bool = True) -> str:
    return run(("docker", *arguments), check=check).stdout


def inspect(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("inspect", name))[0]
    return found


def eventually(what: Callable[[], bool], problem: str, timeout_s: float = WAIT_S) -> None:
    """Wait until ``what()`` holds."""
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, problem
        time.sleep(0.1)


@dataclass(slots=True)
class Appliance:
    """One compose project of the repository's own compose file. overrides: further files. environ: its variables."""

    project: str
    overrides: tuple[Path, ...]
    environ: Mapping[str, str]
    port: int

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        files = [option for path in (ROOT / "compose.yaml", *self.overrides) for option in ("-f", str(path))]
        command = ("docker", "compose", "-p", self.project, *files, *arguments)
        return run(command, environ=self.environ, check=check)

    def up(self, *services: str, wait: bool = True, check: bool = True) -> subprocess.CompletedProcess[str]:
        waiting = ("--wait", "--wait-timeout", str(WAIT_S)) if wait else ()
        return self.compose("up", "-d", "--no-build", *waiting, *(services or ("vcam",)), check=check)

    def down(self) -> None:
        self.compose("down", "--volumes", "--timeout", "3")

    @property
    def container(self) -> str:
        return f"{self.project}-vcam-1"

    def python(self, code: str) -> str:
        """What a Python program prints inside the container, as vcam's own user."""
        return docker("exec", self.container, "python3", "-c", code)

    def text(self) -> str:
        """All that vcam wrote, of every start of this container."""
        told = run(("docker", "logs", self.container))
        return told.stdout + told.stderr

    def logs(self, *, since: str = "") -> list[dict[str, Any]]:
        """Events of vcam's log, oldest first. since: as docker tells a start."""
        options = ("--since", since) if since else ()
        lines = run(("docker", "logs", *options, self.container)).stderr.splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def events(self, *, since: str = "") -> list[str]:
        """The log's events by name; a change of the state bears it: ``pipeline.state live``."""
        return [f"{each['event']} {each.get('state', '')}".strip() for each in self.logs(since=since)]

    def wait_live(self, *, since: str = "") -> None:
        eventually(lambda: "pipeline.state live" in self.events(since=since), f"never LIVE:\n{self.text()}")

    def send(self, number: int) -> None:
        """Send vcam's process a signal."""
        self.python(
            "import os, pathlib\n"
            "for comm in pathlib.Path('/proc').glob('[0-9]*/comm'):\n"
            f"    if comm.read_text() == 'vcam\\n': os.kill(int(comm.parent.name), {int(number)})"
        )

    def restarts(self) -> int:
        return int(inspect(self.container)["RestartCount"])

    def health(self) -> str:
        return str(inspect(self.container)["State"]["Health"]["Status"])

    def started_at(self) -> str:
        return str(inspect(self.container)["State"]["StartedAt"])

    def seconds_to_live(self) -> float:
        """From the container's last start to the first picture of the person, by docker's clock and the log's."""
        started = self.started_at()
        live = next(each for each in self.logs(since=started) if each.get("state") == "live")
        return (_time(live["time"]) - _time(started)).total_seconds()

    def get(self, path: str, *, control: bool = False) -> tuple[int, str]:
        """Status and text of a page; status 0 where nobody answers. control: of live control."""
        port = self.port + CONTROL if control else self.port
        try:
            with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except (URLError, ConnectionError, TimeoutError):
            return 0, ""


def _time(text: str) -> datetime:
    """docker tells nanoseconds, which Python does not read."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))

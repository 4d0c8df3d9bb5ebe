"""Real appliances, a real Prometheus that scrapes them by the shipped settings, and a real Alertmanager, on free ports.

All durations of the rules are a tenth of the shipped ones, so that an alert takes seconds.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from monitoring.picture.prometheus import Prometheus
from tests.monitoring.tools import tool

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "monitoring"
FASTER = 10
_SCRAPE_MS = 5_000
LIMIT_S = 240.0
NO_NETWORK = "http://127.0.0.1:9"
"""A proxy that is not there: nothing is downloaded, wherever the tests run."""

_UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000}


def faster(text: str, times: int = FASTER) -> str:
    """The same rules or PromQL with a tenth of each range and of each ``for``."""

    def scaled(found: re.Match[str]) -> str:
        return f"{found[1]}{int(found[2]) * _UNITS_MS[found[3]] // times}ms{found[4]}"

    return re.sub(r"(\[|for: )(\d+)([smh])(\]|$)", scaled, text, flags=re.MULTILINE)


def eventually(condition: Callable[[], object], what: Callable[[], str]) -> None:
    """Wait for it. what: is asked in the end what did not come true."""
    deadline = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def page(port: int, path: str) -> str:
    """What a web server says; "" while it says nothing."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return ""


class Process:
    """A program and its log. command: after which it runs until it is stopped."""

    def __init__(self, log: Path, *command: str) -> None:
        self._log = log
        self._command = command
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def start(self) -> None:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("VCAM_")}
        environ |= dict.fromkeys(("https_proxy", "HTTPS_PROXY"), NO_NETWORK)
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(self._command, cwd=ROOT, stdout=log, stderr=log, env=environ)

    def send(self, number: signal.Signals) -> None:
        assert self._running is not None
        self._running.send_signal(number)

    def kill(self) -> None:
        """As a crash would end it."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()
            self._running = None


class Appliance(Process):
    """A vcam with a metrics port. name: the label ``appliance``; site: the label of the same name."""

    def __init__(self, folder: Path, name: str, site: str, *command: str) -> None:
        self.port = free_port()
        self.name, self.site = name, site
        super().__init__(folder / f"{name}.log", sys.executable, "-m", *command, str(self.port))

    @property
    def target(self) -> dict[str, Any]:
        """As a file of a fleet lists it."""
        return {"targets": [f"127.0.0.1:{self.port}"], "labels": {"appliance": self.name, "site": self.site}}

    def wait_state(self, state: str) -> None:
        wanted = f'vcam_state{{state="{state}"}} 1.0'
        eventually(lambda: wanted in page(self.port, "/metrics"), lambda: f"{self.name} is never {state}: {self.log}")


@contextmanager
def stuttering(process: Process) -> Iterator[None]:
    """A computer that cannot keep up: it stands still for 150 ms, again and again."""
    ended = threading.Event()

    def stutter() -> None:
        while not ended.wait(0.05):
            process.send(signal.SIGSTOP)
            ended.wait(0.15)
            process.send(signal.SIGCONT)

    thread = threading.Thread(target=stutter)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


class Watchers:
    """Prometheus and Alertmanager at work.

    appliances: the first takes the place of compose's, the others are a fleet's. times: how much faster than shipped.
    """

    def __init__(self, folder: Path, appliances: list[Appliance], gpu_port: int, *, times: int = FASTER) -> None:
        self._times = times
        self._folder = folder
        self._appliances = appliances
        self._gpu_port = gpu_port
        self.port, self.alertmanager_port = free_port(), free_port()
        self.prometheus = Prometheus(f"http://127.0.0.1:{self.port}")
        self._processes = [self._make_alertmanager(), self._make_prometheus()]

    def start(self) -> None:
        for process, port in zip(self._processes, (self.alertmanager_port, self.port), strict=True):
            process.start()
            eventually(partial(page, port, "/-/ready"), lambda: f"a watcher is not ready: {self.log}")

    def stop(self) -> None:
        for process in self._processes:
            process.kill()

    @property
    def log(self) -> str:
        return "\n".join(process.log for process in self._processes)

    def alerts(self, appliance: str, state: str = "firing") -> dict[str, dict[str, str]]:
        """Annotations by name of the alerts of an appliance that are in a state."""
        return {
            alert["labels"]["alertname"]: alert["annotations"]
            for alert in self.prometheus.get("alerts")["alerts"]
            if alert["labels"].get("appliance") == appliance and alert["state"] == state
        }

    def wait_alert(self, appliance: str, alert: str) -> dict[str, str]:
        """Until it fires; its annotations."""
        eventually(lambda: alert in self.alerts(appliance), lambda: f"{alert} of {appliance} never fires")
        return self.alerts(appliance)[alert]

    def wait_calm(self, appliance: str, *alerts: str) -> None:
        """Until none of them fires."""
        eventually(lambda: not set(alerts) & set(self.alerts(appliance)), lambda: f"{alerts} of {appliance} never end")

    def told(self, appliance: str) -> dict[str, str]:
        """What Alertmanager knows: state of an alert ("active": somebody is told, "suppressed") by its name."""
        found = yaml.safe_load(page(self.alertmanager_port, "/api/v2/alerts") or "[]")
        mine = [alert for alert in found if alert["labels"].get("appliance") == appliance]
        return {alert["labels"]["alertname"]: alert["status"]["state"] for alert in mine}

    def _make_prometheus(self) -> Process:
        folder = Path(shutil.copytree(SETTINGS / "prometheus", self._folder / "prometheus"))
        for path in (folder / "rules").iterdir():
            path.write_text(faster(path.read_text(encoding="utf-8"), self._times), encoding="utf-8")
        settings = yaml.safe_load((folder / "prometheus.yml").read_text(encoding="utf-8"))
        pace = f"{_SCRAPE_MS // self._times}ms"
        assert settings["global"] == dict.fromkeys(("scrape_interval", "evaluation_interval"), "5s")
        settings["global"] = {"scrape_interval": pace, "evaluation_interval": pace}
        vcam, gpu = settings["scrape_configs"]
        first, *others = self._appliances
        vcam["static_configs"][0]["targets"] = first.target["targets"]
        assert vcam["static_configs"][0]["labels"] == first.target["labels"]
        (folder / "fleet" / "others.yml").write_text(yaml.safe_dump([other.target for other in others]))
        del gpu["dns_sd_configs"]
        gpu["static_configs"] = [{"targets": [f"127.0.0.1:{self._gpu_port}"]}]
        tell = {"static_configs": [{"targets": [f"127.0.0.1:{self.alertmanager_port}"]}]}
        settings["alerting"]["alertmanagers"] = [tell]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
        return Process(
            self._folder / "prometheus.log",
            tool("prometheus"),
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={self._folder}/series",
            f"--web.listen-address=127.0.0.1:{self.port}",
        )

    def _make_alertmanager(self) -> Process:
        return Process(
            self._folder / "alertmanager.log",
            tool("prometheus-alertmanager"),
            f"--config.file={SETTINGS}/alertmanager/alertmanager.yml",
            f"--storage.path={self._folder}/told",
            f"--web.listen-address=127.0.0.1:{self.alertmanager_port}",
            "--cluster.listen-address=",
        )

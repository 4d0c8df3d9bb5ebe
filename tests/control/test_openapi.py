"""The description and the API are one: whatever it allows is taken, whatever it forbids is refused, nothing breaks."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.control.rig import API, Control, running
from tests.pipeline.test_tap import LearningRig
from vcam.control.rates import Rate
from vcam.service.http import Address, HttpServer

ENDLESS = ("/events", "/preview.mjpg")
UNLIMITED = Rate(burst=1e9, per_s=1e9)

PATHS = {
    "/state": {"get"},
    "/events": {"get"},
    "/devices": {"get"},
    "/pause": {"post"},
    "/resume": {"post"},
    "/reload": {"post"},
    "/learn-plate": {"post"},
    "/scene": {"get", "patch"},
    "/profiles": {"get"},
    "/profiles/{name}": {"get", "put", "delete"},
    "/profiles/{name}/apply": {"post"},
    "/backgrounds": {"get", "post"},
    "/backgrounds/{name}": {"get", "delete"},
    "/snapshot.jpg": {"get"},
    "/preview.mjpg": {"get"},
    "/source.jpg": {"get"},
    "/setup": {"get", "patch"},
    "/camera": {"get", "patch"},
}
"""A contract: pages and scripts stand on it."""


def test_the_description_has_every_path_and_method(tmp_path: Path) -> None:
    status, document = Control(tmp_path).ask("GET", "/openapi.json")
    assert (status, document["openapi"]) == (200, "3.1.0")
    paths = document["paths"]
    assert isinstance(paths, dict)
    assert {path.removeprefix(API): set(methods) for path, methods in paths.items()} == PATHS
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    components = document["components"]
    assert isinstance(components, dict)
    assert references <= set(components["schemas"])


@pytest.mark.timeout(600)
def test_schemathesis_finds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcam.control.guard._REQUESTS", UNLIMITED)
    monkeypatch.setattr("vcam.control.guard._WRONG_TOKENS", UNLIMITED)
    monkeypatch.setattr("vcam.control.media_api._UPLOADS", UNLIMITED)
    rig = LearningRig()
    monkeypatch.setattr("vcam.pipeline.supervisor.Pipeline.reload", lambda *_, **__: None)  # else a camera is opened
    with running(tmp_path, rig) as control, HttpServer(control.app.asgi, Address("127.0.0.1", 0)) as server:
        rig.wait_live(1)
        control.ask("PUT", "/profiles/work", {})
        command = [sys.executable, "-m", "schemathesis.cli", "run"]
        command += [f"http://127.0.0.1:{server.port}{API}/openapi.json"]
        command += [part for path in ENDLESS for part in ("--exclude-path", API + path)]
        command += ["--checks", "all", "--max-examples", "5", "--generation-deterministic"]
        command += ["--request-timeout", "60", "--max-response-time", "60", "--no-color", "--suppress-health-check=all"]
        hooks = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.control.texts", "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=hooks, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]

"""compose.gpu.yaml: the reservation, as far as it can be shown without a GPU."""

import json
import os
from pathlib import Path

import pytest

from tests.container.conftest import Factory
from tests.container.engine import ROOT, docker, eventually, inspect, run

HOOK = os.environ.get("VCAM_TEST_NVIDIA_HOOK")
"""The folder of a copy of tests/container/nvidia, which the engine was started with on its PATH."""


@pytest.mark.skipif(not HOOK, reason="the engine was not started with tests/container/nvidia on its PATH")
def test_the_reservation_asks_nvidias_hook_for_one_gpu(gpu_appliance: Factory) -> None:
    vcam = gpu_appliance("run", "-i", "test:320x180@10", "-o", "null:", VCAM_MODEL_DOWNLOAD="false")
    vcam.overrides = (ROOT / "compose.gpu.yaml", *vcam.overrides)
    vcam.up()
    (request,) = inspect(vcam.container)["HostConfig"]["DeviceRequests"]
    assert (request["Driver"], request["Count"]) == ("nvidia", 1)
    assert {"gpu", "compute", "utility"} == set(request["Capabilities"][0])
    told = Path(str(HOOK)) / "told"
    container = inspect(vcam.container)["Id"]
    assert (told / f"{container}.arguments").read_text().split()[-1] == "prestart"
    environ = json.loads((told / f"{container}.json").read_text())["process"]["env"]
    assert "NVIDIA_DRIVER_CAPABILITIES=compute,utility" in environ
    # The stand-in brings no GPU: vcam says so, and runs.
    eventually(lambda: "engine.ready" in vcam.events(), "no engine")
    ready = next(event for event in vcam.logs() if event["event"] == "engine.ready")
    assert ready["engine"] == "plate"
    assert vcam.health() == "healthy"


def test_without_nvidias_toolkit_docker_says_so(gpu_appliance: Factory) -> None:
    if HOOK or '"nvidia"' in docker("info", "--format", "{{json .Runtimes}}"):
        pytest.skip("this engine can hand over a GPU")
    vcam = gpu_appliance()
    vcam.overrides = (ROOT / "compose.gpu.yaml", *vcam.overrides)
    assert 'could not select device driver "nvidia"' in vcam.up(check=False).stderr


@pytest.mark.parametrize("files", [("compose.yaml",), ("compose.yaml", "compose.gpu.yaml")])
def test_docker_itself_finds_nothing_wrong_with_the_files(docker_engine: None, files: tuple[str, ...]) -> None:
    options = [option for name in files for option in ("-f", name)]
    done = run(("docker", "compose", *options, "--profile", "*", "config", "--quiet"))
    assert done.stderr == ""
    broken = run(("docker", "compose", *options, "-f", "pyproject.toml", "config", "--quiet"), check=False)
    assert broken.returncode != 0

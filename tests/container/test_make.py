"""The Makefile's targets around the appliance, from `make up` to `make down`, as a user types them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container.conftest import make_dev
from tests.container.engine import BUILD_TIMEOUT_S, ROOT, docker, inspect, run

PROJECT = "vcamtestmake"
CONTAINER = f"{PROJECT}-vcam-1"
PORT = "19480"
SCENE = ("CAMERA=test:320x180@10", "OUTPUT=null:")


@pytest.fixture
def environ(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A project of our own, and no other service: their images are in registries."""
    found = {
        "COMPOSE_PROJECT_NAME": PROJECT, "GPU": "no", "SERVICES": "vcam", "METRICS_PORT": PORT, "CONTROL_PORT": "19481",
        "VCAM_ENGINE": "plate",
        "DEV": str(make_dev(tmp_path / "dev")),
    }  # fmt: skip
    yield found
    run(("docker", "compose", "-p", PROJECT, "down", "--volumes", "--timeout", "3"), environ=found, check=False)


def make(*arguments: str, environ: dict[str, str]) -> str:
    """What it says. What another make, which runs these tests, was given is none of its business."""
    clean = environ | dict.fromkeys(("MAKEFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "ARGS"), "")
    done = run(("make", "--no-print-directory", *arguments), environ=clean, timeout_s=BUILD_TIMEOUT_S)
    return done.stdout + done.stderr


def test_up_status_restart_and_down(cpu_image: str, environ: dict[str, str], tmp_path: Path) -> None:
    environ["IMAGE"] = cpu_image
    picture = tmp_path / "pictures/my beach.jpg"
    picture.parent.mkdir()
    picture.write_bytes((ROOT / "docs/demo.jpg").read_bytes())
    told = make("up", *SCENE, f"BACKGROUND=image:{picture}", environ=environ)
    assert "AI-Camera (null:) shows test:320x180@10" in told
    assert f"http://127.0.0.1:{PORT}/metrics" in told
    config = inspect(CONTAINER)
    assert "VCAM_BACKGROUND=image:/media/my beach.jpg" in config["Config"]["Env"]
    groups = config["HostConfig"]["GroupAdd"]
    assert len(groups) == 2
    assert all(group.isdigit() for group in groups)

    status = make("status", environ=environ)
    assert "(healthy)" in status
    assert '"ok":true' in status.replace(" ", "")
    assert "output.opened" in run(("scripts/compose.sh", "logs", "vcam"), environ=environ).stdout

    before = config["State"]["StartedAt"]
    make("restart", environ=environ)
    assert inspect(CONTAINER)["State"]["StartedAt"] > before

    make("down", environ=environ)
    assert docker("ps", "--all", "--quiet", "--filter", f"name={PROJECT}") == ""
    assert docker("volume", "ls", "--quiet", "--filter", f"name={PROJECT}_state") != ""
    make("down", "ARGS=--volumes", environ=environ)
    assert docker("volume", "ls", "--quiet", "--filter", f"name={PROJECT}") == ""


def test_up_builds_the_image_of_this_revision(release: str, environ: dict[str, str]) -> None:
    """Its layers are those of the release's: a matter of seconds."""
    docker("image", "rm", "--force", "vcam:cpu")
    revision = run(("git", "describe", "--always", "--dirty", "--abbrev=40")).stdout.strip()
    assert "building the image" in make("up", *SCENE, environ=environ)
    label = inspect("vcam:cpu")["Config"]["Labels"]["org.opencontainers.image.revision"]
    assert label == revision
    assert inspect(CONTAINER)["Image"] == inspect("vcam:cpu")["Id"]
    if not label.endswith("-dirty"):
        assert "building the image" not in make("up", *SCENE, environ=environ)

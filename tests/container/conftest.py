"""One image per target for the whole run, and a /dev of our own in which video nodes come and go."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.container.engine import Appliance, docker, run

FIRST_PORT = 19435


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/container/" in str(item.path):
            item.add_marker(pytest.mark.container)
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine that answers."""
    if run(("docker", "info"), check=False).returncode:
        pytest.fail("no Docker engine answers; start one, or set DOCKER_HOST")


@pytest.fixture(scope="session")
def cpu_image(engine: None) -> str:
    return _build("cpu")


def _build(target: str) -> str:
    tag = f"vcam-test:{target}"
    base = os.environ.get("BASE_IMAGE")
    arguments = ("--build-arg", f"BASE_IMAGE={base}") if base else ()
    docker("build", "--quiet", *arguments, "--target", target, "--tag", tag, ".")
    return tag


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    """What a container needs of /dev, with one camera in it; nodes are real, their drivers are not here."""
    if os.geteuid():
        pytest.skip("making device nodes needs root")
    root = tmp_path / "dev"
    (root / "v4l/by-id").mkdir(parents=True)
    for name in ("shm", "pts"):
        (root / name).mkdir()
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        os.mknod(root / name, stat.S_IFCHR, os.makedev(1, minor))
        (root / name).chmod(0o666)
    (root / "fd").symlink_to("/proc/self/fd")
    add_camera(root, 0)
    return root


def add_camera(dev: Path, number: int) -> Path:
    """A video node whose group is that of Debian's video."""
    node = dev / f"video{number}"
    os.mknod(node, stat.S_IFCHR, os.makedev(81, number))
    os.chown(node, 0, 44)
    node.chmod(0o660)
    return node


@pytest.fixture
def appliance(cpu_image: str, dev: Path, tmp_path: Path) -> Iterator[Callable[..., Appliance]]:
    """Makes compose projects whose vcam runs with the given arguments; all are taken down afterwards."""
    made: list[Appliance] = []

    def make(*arguments: str, **environ: str) -> Appliance:
        number = len(made)
        override = tmp_path / f"override{number}.yaml"
        override.write_text(f"services: {{vcam: {{command: {list(arguments)!r}}}}}\n")
        port = FIRST_PORT + number
        fixed = {"VCAM_IMAGE": cpu_image, "DEV": str(dev), "MEDIA": str(tmp_path), "METRICS_PORT": str(port)}
        made.append(Appliance(f"vcamtest{number}", override, {**fixed, **environ}, port))
        return made[-1]

    yield make
    for one in made:
        one.down()

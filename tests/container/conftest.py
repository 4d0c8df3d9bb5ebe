"""One image per target for the whole run, a /dev of our own in which video nodes come and go, and a small network."""

import hashlib
import json
import os
import stat
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import yaml

from tests.container.engine import BUILD_TIMEOUT_S, CONTROL, ROOT, Appliance, docker
from tests.support.real_model import real_model
from tests.support.rvm_like import make_rvm_like
from vcam.model.manifest import Refiner

Keys: TypeAlias = dict[str, Any]
"""Part of a compose file."""

SCENE = ("run", "-i", "test:320x180@10", "-o", "null:", "-e", "plate")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/container/" in str(item.path):
            item.add_marker(pytest.mark.container)
            item.add_marker(pytest.mark.timeout(2 * BUILD_TIMEOUT_S))


def make_dev(root: Path) -> Path:
    """What a container needs of /dev, with one camera in it; nodes are real, their drivers are not here."""
    if os.geteuid():
        pytest.skip("making device nodes needs root")
    (root / "v4l/by-id").mkdir(parents=True)
    for name in ("shm", "pts"):
        (root / name).mkdir()
    (root / "shm").chmod(0o1777)
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


class Factory:
    """Makes compose projects; ``close`` takes them down, with their volumes."""

    def __init__(self, image: str, folder: Path, first_port: int) -> None:
        self.dev = make_dev(folder / "dev")
        self._image = image
        self._folder = folder
        self._first_port = first_port
        self._made: list[Appliance] = []

    def __call__(
        self, *arguments: str, more: Keys | None = None, others: Keys | None = None, **environ: str
    ) -> Appliance:
        """vcam runs with these arguments. more: further keys of the service; others: further services."""
        number = self._first_port + len(self._made)
        override = self._folder / f"override{number}.yaml"
        service: Keys = {"command": list(arguments)} if arguments else {}
        override.write_text(yaml.safe_dump({"services": {"vcam": service | (more or {})} | (others or {})}))
        fixed = {"IMAGE": self._image, "DEV": str(self.dev), "MEDIA": str(self._folder), "METRICS_PORT": str(number)}
        fixed["CONTROL_PORT"] = str(number + CONTROL)
        self._made.append(Appliance(f"vcamtest{number}", (override,), fixed | environ, number))
        return self._made[-1]

    def close(self) -> None:
        for one in self._made:
            one.down()


@pytest.fixture
def appliance(cpu_image: str, tmp_path: Path) -> Iterator[Factory]:
    factory = Factory(cpu_image, tmp_path, 19440)
    yield factory
    factory.close()


@pytest.fixture
def gpu_appliance(gpu_image: str, tmp_path: Path) -> Iterator[Factory]:
    factory = Factory(gpu_image, tmp_path, 19460)
    yield factory
    factory.close()


@pytest.fixture
def dev(appliance: Factory) -> Path:
    return appliance.dev


@pytest.fixture(scope="package")
def running_in(cpu_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factory]:
    factory = Factory(cpu_image, tmp_path_factory.mktemp("shared"), 19435)
    yield factory
    factory.close()


@pytest.fixture(scope="package")
def running(running_in: Factory) -> Appliance:
    """One that is up and LIVE, for all tests that only look."""
    (running_in.dev / "shm/secret").write_text("of another program")
    vcam = running_in(*SCENE)
    vcam.up()
    vcam.wait_live()
    return vcam


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real network where it is here, else a small one of its shape."""
    try:
        return real_model()
    except pytest.skip.Exception:
        path = tmp_path_factory.mktemp("network") / "network.onnx"
        path.write_bytes(make_rvm_like("fast").SerializeToString())
        return path


@pytest.fixture(scope="session")
def packaged_manifest(cpu_image: str) -> str:
    """Where the image has the list of published networks."""
    code = "import vcam.model.manifest as m; print(m._PACKAGED)"
    return docker("run", "--rm", "--entrypoint", "python3", cpu_image, "-c", code).strip()


def manifest_for(network: Path, url: str) -> str:
    """A manifest that publishes ``network`` under the name that vcam fetches by itself."""
    text = (ROOT / "models/manifest.toml").read_text()
    content = network.read_bytes()
    entry = tomllib.loads(text)["model"][0] | {
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "refiner": str(Refiner.FAST),
        "urls": [url],
    }
    return "[[model]]\n" + "\n".join(f"{key} = {json.dumps(value)}" for key, value in entry.items()) + "\n"

"""What plugging in a camera starts where Docker is used: the unit's command, as systemd would run it."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.container.conftest import make_dev
from tests.container.engine import ROOT, WAIT_S, docker, eventually, inspect, run

DESK, SIDE = "Webcam_SN1_at_1.3", "Webcam_SN2_at_1.4"
PORT = 19490
UNIT = ROOT / "systemd/docker/vcam@.service"


@dataclass
class Host:
    """A computer with two virtual cameras. folder: its root; environ: what an operator would have in .env."""

    folder: Path
    environ: dict[str, str]
    started: list["Instance"] = field(default_factory=list)

    def set(self, name: str, *lines: str) -> None:
        """Settings of one camera, or of all: vcam."""
        path = self.folder / f"etc/vcam/{name}.env"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n")

    def start(self, camera: str) -> "Instance":
        log = self.folder / f"{camera}.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                command("ExecStart", camera, self.folder), env=self._environ, cwd=ROOT, stdout=file, stderr=file
            )
        self.started.append(Instance(camera, process, log))
        return self.started[-1]

    def stop(self, instance: "Instance") -> int:
        """As systemd does; the exit code of the main process, which is sent no signal."""
        run(command("ExecStop", instance.camera, self.folder), environ=self._environ)
        return instance.process.wait(WAIT_S)

    @property
    def _environ(self) -> dict[str, str]:
        known = {name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("DOCKER_")}
        return known | {"HOME": str(self.folder), "STATE_DIRECTORY": str(self.folder / "state")} | self.environ


def command(kind: str, camera: str, root: Path) -> list[str]:
    """What the unit runs for a camera, with another root folder."""
    (line,) = [line for line in UNIT.read_text().splitlines() if line.startswith(f"{kind}=")]
    program, *arguments = line.removeprefix(f"{kind}=").replace("%i", camera).split()
    assert program == "/usr/local/lib/vcam/claim"
    return [str(ROOT / "systemd/claim"), "--root", str(root), *arguments]


@dataclass
class Instance:
    """One that was started; process: what systemd calls the main process."""

    camera: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def project(self) -> str:
        return f"vcam-{self.camera.lower().replace('.', '-')}"

    @property
    def container(self) -> str:
        return f"{self.project}-vcam-1"

    def wait_healthy(self) -> None:
        def healthy() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            found = docker("ps", "--quiet", "--filter", f"name=^{self.container}$", "--filter", "health=healthy")
            return found != ""

        eventually(healthy, f"never healthy: {self.log.read_text()}")

    def remove(self) -> None:
        self.process.kill()
        self.process.wait()
        run(("docker", "compose", "-p", self.project, "down", "--volumes", "--timeout", "3"), check=False)


@pytest.fixture
def host(cpu_image: str, tmp_path: Path) -> Iterator[Host]:
    for number, label in ((10, "AI-Camera"), (11, "AI-Camera 2")):
        folder = tmp_path / f"sys/class/video4linux/video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(label + "\n")
    made = Host(tmp_path, {"IMAGE": cpu_image, "DEV": str(make_dev(tmp_path / "dev")), "GPU": "no"})
    made.set("vcam", "VCAM_INPUT=test:320x180@10", "VCAM_OUTPUT=null:", "VCAM_ENGINE=plate")
    for number, camera in enumerate((DESK, SIDE)):
        made.set(camera, f"VCAM_HTTP_PORT={PORT + 2 * number}", f"VCAM_CONTROL_PORT={PORT + 2 * number + 1}")
    yield made
    for instance in made.started:
        instance.remove()


def test_each_camera_has_a_container_a_port_and_a_state_of_its_own_and_ends_alone(host: Host) -> None:
    host.set("Webcam_SN2", "VCAM_BACKGROUND=green")
    desk, side = host.start(DESK), host.start(SIDE)
    desk.wait_healthy()
    side.wait_healthy()
    published = [inspect(each.container)["NetworkSettings"]["Ports"] for each in host.started]
    ports = [[each[f"{inside}/tcp"][0]["HostPort"] for inside in (9435, 9436)] for each in published]
    assert ports == [[str(PORT), str(PORT + 1)], [str(PORT + 2), str(PORT + 3)]]
    volumes = [docker("volume", "ls", "--quiet", "--filter", f"name={each.project}_state") for each in host.started]
    assert volumes == [f"{each.project}_state\n" for each in host.started]
    background = ["VCAM_BACKGROUND=green" in inspect(each.container)["Config"]["Env"] for each in host.started]
    assert background == [False, True]

    assert host.stop(desk) == 0
    state = inspect(desk.container)["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 0)
    side.wait_healthy()


def test_when_vcam_ends_the_unit_ends_so_that_systemd_starts_it_again(host: Host) -> None:
    desk = host.start(DESK)
    desk.wait_healthy()
    docker("kill", "--signal", "KILL", desk.container)
    assert desk.process.wait(WAIT_S) == 137
    assert inspect(desk.container)["RestartCount"] == 0
    again = host.start(DESK)
    again.wait_healthy()


def test_a_misspelt_setting_of_a_camera_is_refused_by_name(host: Host) -> None:
    host.set(DESK, "VCAM_FSP=25", f"VCAM_HTTP_PORT={PORT}", f"VCAM_CONTROL_PORT={PORT + 1}")
    desk = host.start(DESK)
    assert desk.process.wait(WAIT_S) == 2, "and systemd does not try again"
    assert "there is no setting VCAM_FSP" in desk.log.read_text()
    assert "RestartPreventExitStatus=2" in UNIT.read_text()


def test_an_output_that_is_missing_ends_it_with_vcams_own_code(host: Host) -> None:
    host.set("vcam", "VCAM_INPUT=test:320x180@10", "VCAM_ENGINE=plate")
    desk = host.start(DESK)
    assert desk.process.wait(WAIT_S) == 7
    assert "there is no /dev/video10" in desk.log.read_text()

"""The image of compose.yaml with real cameras: run as compose would run it, by podman, which takes Docker's options."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.container.engine import run
from tests.vm.bed.devices import Webcam, first, frames, live
from tests.vm.bed.figures import Figures
from tests.vm.bed.guest import Guest, Job

pytestmark = pytest.mark.container
Webcams = Callable[..., Webcam]
Appliance = Callable[..., Job]

NAME, ROOT_FILES = "vcam", "/run/image"
PODMAN = "exec podman --cgroup-manager=cgroupfs run --rm --network none"
SETTINGS = {
    "VCAM_ENGINE": "plate",
    "VCAM_WIDTH": "320",
    "VCAM_HEIGHT": "180",
    "VCAM_FPS": "5",
    "VCAM_BACKGROUND": "none",
}
ONLY_VIDEO = "Operation not permitted"


@pytest.fixture(scope="module")
def image_disk(booted: Guest, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CPU image's files as a disk, in the share; and how it is started, beside it."""
    if run(("docker", "info"), check=False).returncode:
        pytest.skip("no Docker engine answers that would build the image")
    image = request.getfixturevalue("cpu_image")
    files = tmp_path_factory.mktemp("image")
    disk = booted.file("image.ext4")
    container = run(("docker", "create", image)).stdout.strip()
    run(("bash", "-c", f"docker export {container} | tar x -C {files} && docker rm {container}"))
    run(("mkfs.ext4", "-q", "-O", "^has_journal", "-m", "0", "-d", str(files), str(disk), "1500M"))
    run(("rm", "-rf", str(files)))
    config = run(("docker", "image", "inspect", image, "--format", "{{json .Config}}")).stdout
    booted.file("image.json").write_text(config)
    return disk


@pytest.fixture
def appliance(guest: Guest, image_disk: Path) -> Iterator[Appliance]:
    """Starts the service `vcam` of compose.yaml for a camera and a virtual camera."""
    image = json.loads((guest.share / "image.json").read_text())
    guest.run(f"mkdir -p {ROOT_FILES} && mount -o loop,ro /host/{image_disk.name} {ROOT_FILES}")

    def start(camera: str, output: str) -> Job:
        told = run(
            ("docker", "compose", "config", "vcam", "--format", "json"),
            environ={"CAMERA": camera, "OUTPUT": output, "MEDIA": "/media"},
        ).stdout
        return guest.start(" ".join(podman(json.loads(told)["services"]["vcam"], image)))

    yield start
    guest.run(f"podman rm -f -t 0 {NAME}; umount {ROOT_FILES}", check=False)


def podman(service: dict[str, Any], image: dict[str, Any]) -> list[str]:
    """The command line for a service of compose, as compose tells it, and an image, as Docker does."""
    flags = [f"--name {NAME}", f"--user {image['User']}", f"-w {image['WorkingDir']}", "--ulimit core=0:0"]
    flags += ["--read-only"] * service["read_only"]
    flags += [f"--cap-drop {each}" for each in service["cap_drop"]]
    flags += [f"--security-opt {each}" for each in service["security_opt"]]
    flags += [f"--device-cgroup-rule '{each}'" for each in service["device_cgroup_rules"]]
    flags += [f"--group-add {each}" for each in service["group_add"]]
    flags += [f"--tmpfs {each}" for each in service["tmpfs"]]
    flags += [f"--pids-limit {service['pids_limit']}", f"--memory {service['mem_limit']}"]
    for volume in service["volumes"]:
        flags.append(f"-v {volume['source']}:{volume['target']}" + ":ro" * volume.get("read_only", False))
    told = {key: value for key, value in service["environment"].items() if value is not None} | SETTINGS
    flags += [f"-e {each}" for each in (*image["Env"], *(f"{key}={value}" for key, value in told.items()))]
    return [PODMAN, *flags, f"--rootfs {ROOT_FILES}:O", *image["Entrypoint"], *image["Cmd"]]


def test_a_camera_comes_back_to_the_container_under_another_number(
    guest: Guest, webcam: Webcams, appliance: Appliance, loopback: str, figures: Figures
) -> None:
    camera = webcam()
    camera.plug()
    number = guest.run(f"readlink -f {camera.node}")
    job = appliance(camera.node, loopback)
    live(job)
    reader = guest.python("reader.py", loopback)
    first(reader, 0.0, coded=True)
    guest.run(f"podman exec {NAME} python3 -m vcam.service.probe")
    assert ONLY_VIDEO in guest.run(f"podman exec --user 0 {NAME} python3 -c \"open('/dev/vda')\" 2>&1", check=False)

    gone = camera.unplug()
    figures.note("container: unplug to card at a reader (s)", first(reader, gone, coded=False) - gone)
    webcam(serial="B2", port=1).plug()
    back = camera.plug()
    assert guest.run(f"readlink -f {camera.node}") != number
    figures.note("container: node's return to picture at a reader (s)", first(reader, back, coded=True) - back)
    assert not [line for line in reader.lines if "error" in line]

    before = guest.clock()
    guest.run(f"podman stop {NAME}")
    assert job.wait() == 0
    figures.note("container: podman stop (s)", guest.clock() - before)
    black = first(reader, guest.clock(), coded=False)
    assert not frames(reader, black, coded=True), "a face without vcam"

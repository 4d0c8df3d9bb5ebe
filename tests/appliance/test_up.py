"""`make up`: what it finds, what it asks Docker for, and what it says when something is missing."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.appliance.checkout import Checkout

BY_ID = "/dev/v4l/by-id/usb-HD_Webcam-video-index0"


def test_it_finds_camera_and_output_and_tells_where_to_look(pc: Checkout) -> None:
    told = pc.run("up.sh")
    assert told.code == 0, told.err
    assert (told.environ["VCAM_INPUT"], told.environ["VCAM_OUTPUT"]) == (BY_ID, "/dev/video10")
    assert "VCAM_BACKGROUND" not in told.environ
    assert told.asked_for("compose up --detach --no-build --wait")
    assert f"AI-Camera (/dev/video10) shows {BY_ID}" in told.err
    for page in ("127.0.0.1:3000", "127.0.0.1:9090", "127.0.0.1:9435/metrics", "127.0.0.1:9436"):
        assert page in told.out
    assert "card" not in told.err


def test_until_the_engine_is_there_it_says_why_there_is_a_card(pc: Checkout) -> None:
    assert "for now it shows a card" in pc.run("up.sh", STATE="safe").err


def test_what_is_named_is_not_looked_for(pc: Checkout) -> None:
    told = pc.run("up.sh", CAMERA="/dev/video5", OUTPUT="/dev/video11", BACKGROUND="green")
    chosen = [told.environ[name] for name in ("VCAM_INPUT", "VCAM_OUTPUT", "VCAM_BACKGROUND")]
    assert chosen == ["/dev/video5", "/dev/video11", "green"]


def test_what_is_typed_goes_before_what_the_file_says(pc: Checkout) -> None:
    pc.dotenv("VCAM_INPUT=/dev/video6\nOUTPUT='/dev/video12'\nGRAFANA_PORT=3001\n")
    told = pc.run("up.sh", OUTPUT="/dev/video13")
    assert "VCAM_INPUT" not in told.environ
    assert told.environ["VCAM_OUTPUT"] == "/dev/video13"
    assert "AI-Camera (/dev/video13) shows /dev/video6" in told.err
    assert "127.0.0.1:3001" in told.out


def test_of_several_cameras_it_takes_the_first_and_says_so(pc: Checkout) -> None:
    pc.add_camera(0, "usb-Another-video-index0")
    told = pc.run("up.sh")
    assert told.environ["CAMERA"] == "/dev/v4l/by-id/usb-Another-video-index0"
    assert "there are 2 cameras" in told.err
    assert BY_ID in told.err


def test_a_camera_without_a_lasting_name_is_taken_by_its_number(bare: Checkout) -> None:
    bare.add_virtual(0, "OBS Virtual Camera")
    bare.add_virtual(10, "AI-Camera")
    bare.add_camera(1, index=1)
    bare.add_camera(4)
    assert bare.run("up.sh").environ["CAMERA"] == "/dev/video4"


def test_no_camera_is_no_error(bare: Checkout) -> None:
    bare.add_virtual(10, "AI-Camera")
    told = bare.run("up.sh")
    assert told.code == 0
    assert "no camera is plugged in yet" in told.err


def test_akvcams_other_node_is_the_one_to_write_to(bare: Checkout) -> None:
    bare.add_virtual(10, "AI-Camera")
    bare.add_virtual(11, "To AI-Camera")
    assert bare.run("up.sh").environ["OUTPUT"] == "/dev/video11"


@pytest.mark.parametrize("loaded", [False, True])
def test_no_virtual_camera_is_an_error_with_a_remedy(bare: Checkout, loaded: bool) -> None:
    bare.add_camera(0)
    if loaded:
        (bare.files / "sys/module/v4l2loopback").mkdir(parents=True)
    told = bare.run("up.sh")
    assert told.code == 1
    assert ("v4l2loopback is not loaded" in told.err) != loaded
    assert "remedy: sudo make install" in told.err
    assert not told.asked_for("compose up")


def test_without_docker_it_says_how_to_get_it(pc: Checkout) -> None:
    pc.docker().unlink()
    tools = pc.docker().parent
    for name in ("bash", "dirname", "env"):
        (tools / name).symlink_to(shutil.which(name) or name)
    told = pc.run("up.sh", PATH=str(tools))
    assert told.code == 1
    assert "Docker is not installed\nremedy: https://docs.docker.com" in told.err


@pytest.mark.parametrize(
    ("environ", "problem", "remedy"),
    [
        ({"REFUSES": "Permission denied while trying to connect"}, "may not use Docker", "usermod -aG docker"),
        ({"REFUSES": "Cannot connect to the Docker daemon"}, "does not answer", "systemctl enable --now docker"),
        ({"COMPOSE_VERSION": ""}, "2.24 or newer is needed, here is none", "docker-compose"),
        ({"COMPOSE_VERSION": "2.9.0"}, "2.24 or newer is needed, here is 2.9.0", "docker-compose"),
        ({"BUILD_FAILS": "1"}, "could not be built", "BUILD=no"),
        ({"UP_FAILS": "1"}, "did not come up", "make doctor"),
        ({"GPU": "perhaps"}, "GPU is yes, no or auto, not perhaps", ""),
        ({"BACKGROUND": "image:/nowhere/beach.jpg"}, "there is no file /nowhere/beach.jpg", "BACKGROUND=image:PATH"),
    ],
)
def test_what_goes_wrong_is_told_with_a_remedy(
    pc: Checkout, environ: dict[str, str], problem: str, remedy: str
) -> None:
    told = pc.run("up.sh", **environ)
    assert told.code != 0
    assert problem in told.err
    assert remedy in told.err


@pytest.mark.parametrize("version", ["2.24.0", "v2.26.1", "5.0.0"])
def test_compose_that_is_new_enough_is_taken(pc: Checkout, version: str) -> None:
    assert pc.run("up.sh", COMPOSE_VERSION=version).code == 0


def test_a_picture_of_this_computer_is_one_of_the_container(pc: Checkout, tmp_path: Path) -> None:
    picture = tmp_path / "my pictures/beach.jpg"
    picture.parent.mkdir()
    picture.write_text("")
    told = pc.run("up.sh", BACKGROUND=f"image:{picture},fit=contain")
    assert told.environ["VCAM_BACKGROUND"] == "image:/media/beach.jpg,fit=contain"
    assert told.environ["MEDIA"] == str(picture.parent)
    assert pc.run("up.sh", BACKGROUND="image:/media/x.jpg").environ["VCAM_BACKGROUND"] == "image:/media/x.jpg"


@pytest.mark.parametrize(
    ("folder", "file", "told"), [(0o755, 0o600, True), (0o700, 0o644, True), (0o711, 0o644, False)]
)
def test_a_picture_that_the_container_may_not_read_is_told_with_a_way_out(
    pc: Checkout, tmp_path: Path, folder: int, file: int, told: bool
) -> None:
    picture = tmp_path / "own/my beach.jpg"
    picture.parent.mkdir()
    picture.write_text("")
    picture.chmod(file)
    picture.parent.chmod(folder)
    done = pc.run("up.sh", BACKGROUND=f"image:{picture},fit=contain")
    assert (f"may not read {picture}" in done.err) is told
    assert ("make up BACKGROUND='image:media/my beach.jpg,fit=contain'" in done.err) is told
    assert (done.code != 0) is told


def test_only_the_services_that_are_named_are_started(pc: Checkout) -> None:
    assert pc.run("up.sh", SERVICES="vcam prometheus").asked_for(
        "compose up --detach --no-build --wait --wait-timeout 180 vcam prometheus"
    )


def test_the_image_is_built_anew_when_the_sources_are_others(pc: Checkout) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "commit.gpgsign=false", *arguments]
        return subprocess.run(command, cwd=pc.folder, capture_output=True, text=True, check=True).stdout.strip()

    assert pc.run("up.sh", BUILT="unknown").asked_for("compose build")  # no commit: who knows
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "x")
    revision = git("rev-parse", "HEAD")
    trust = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    pc.environ |= trust
    assert not pc.run("up.sh", BUILT=revision).asked_for("compose build")
    old = pc.run("up.sh", BUILT="0" * 40)
    assert old.asked_for("compose build vcam")
    assert old.environ["REVISION"] == revision
    assert not pc.run("up.sh", BUILT="0" * 40, BUILD="no").asked_for("compose build")
    assert pc.run("up.sh", BUILT=revision, BUILD="yes").asked_for("compose build")
    assert not pc.run("up.sh", IMAGE="elsewhere/vcam:1").asked_for("compose build")
    (pc.folder / "compose.yaml").write_text("services: {}\n")
    assert pc.run("up.sh", BUILT=f"{revision}-dirty").asked_for("compose build")


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file another group needs root")
def test_groups_are_those_that_own_the_nodes(pc: Checkout) -> None:
    told = pc.run("compose.sh", "ps")
    assert (told.environ["VIDEO_GID"], told.environ["RENDER_GID"]) == ("4444", "993")


def test_without_nodes_groups_are_those_of_that_name(bare: Checkout) -> None:
    told = bare.run("compose.sh", "ps")
    assert (told.environ["VIDEO_GID"], told.environ["RENDER_GID"]) == ("39", "993")
    assert bare.run("compose.sh", "ps", VIDEO_GID="7").environ["VIDEO_GID"] == "7"
    bare.dotenv("VIDEO_GID=8\nRENDER_GID=9\n")
    told = bare.run("compose.sh", "ps")
    assert (told.environ["VIDEO_GID"], told.environ["RENDER_GID"]) == ("8", "9")


def test_no_group_is_given_twice_because_compose_takes_none_twice(bare: Checkout) -> None:
    bare.dotenv("VIDEO_GID=993\n")
    assert bare.run("compose.sh", "ps").environ["RENDER_GID"] == "10001"
    bare.dotenv("")
    (bare.files / "etc/group").write_text("video:x:39:\n")
    told = bare.run("compose.sh", "ps")
    assert (told.environ["VIDEO_GID"], told.environ["RENDER_GID"]) == ("39", "10001")


@pytest.mark.parametrize(
    ("driver", "runtimes", "environ", "files"),
    [
        (False, '{"nvidia":{}}', {}, "compose.yaml"),
        (True, '{"nvidia":{}}', {}, "compose.yaml:compose.gpu.yaml"),
        (True, '{"runc":{}}', {}, "compose.yaml"),
        (True, '{"nvidia":{}}', {"GPU": "no"}, "compose.yaml"),
        (False, "", {"GPU": "yes"}, "compose.yaml:compose.gpu.yaml"),
        (True, '{"nvidia":{}}', {"COMPOSE_FILE": "mine.yaml"}, "mine.yaml"),
    ],
)
def test_the_gpu_is_used_where_docker_can_hand_it_over(
    bare: Checkout, driver: bool, runtimes: str, environ: dict[str, str], files: str
) -> None:
    if driver:
        (bare.files / "proc/driver/nvidia").mkdir(parents=True)
        (bare.files / "proc/driver/nvidia/version").write_text("x")
    told = bare.run("compose.sh", "ps", RUNTIMES=runtimes, **environ)
    assert told.environ["COMPOSE_FILE"] == files
    assert ("remedy: NVIDIA's container toolkit" in told.err) == (driver and "nvidia" not in runtimes)


def test_a_gpu_described_by_cdi_is_one_that_docker_can_hand_over(bare: Checkout) -> None:
    for name in ("proc/driver/nvidia/version", "etc/cdi/nvidia.yaml"):
        (bare.files / name).parent.mkdir(parents=True, exist_ok=True)
        (bare.files / name).write_text("x")
    assert bare.run("compose.sh", "ps").environ["COMPOSE_FILE"] == "compose.yaml:compose.gpu.yaml"


def test_a_persons_own_override_is_kept(bare: Checkout) -> None:
    (bare.folder / "compose.override.yaml").write_text("services: {}\n")
    assert bare.run("compose.sh", "ps").environ["COMPOSE_FILE"] == "compose.yaml:compose.override.yaml"
    bare.dotenv("COMPOSE_FILE=mine.yaml\n")
    assert "COMPOSE_FILE" not in bare.run("compose.sh", "ps").environ

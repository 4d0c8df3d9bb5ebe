"""How several cameras share one computer: settings, virtual cameras, ports."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CLAIM = Path(__file__).parents[2] / "systemd/claim"
DESK, SIDE = "Webcam_SN1_at_1.3", "Webcam_SN2_at_1.4"
VALUES = ("VCAM_INPUT", "VCAM_OUTPUT", "VCAM_HTTP_PORT")


class Host:
    """A root folder with virtual cameras in its /sys. environment: what systemd would give a unit."""

    def __init__(self, root: Path, *labels: tuple[int, str]) -> None:
        self.root = root
        self.environment = {"PATH": "/usr/bin:/bin", "STATE_DIRECTORY": str(root / "state")}
        self.settings = root / "etc/vcam"
        self.settings.mkdir(parents=True)
        for number, label in labels:
            self.add(number, label)

    def add(self, number: int, label: str) -> None:
        folder = self.root / f"sys/class/video4linux/video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(label + "\n")

    def command(self, name: str, *command: str) -> list[str]:
        return [str(CLAIM), "--root", str(self.root), name, *command]

    def claim(self, name: str) -> dict[str, str]:
        """The environment that the command is started with."""
        done = subprocess.run(self.command(name, "env"), env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def refused(self, name: str) -> tuple[int, str]:
        done = subprocess.run(self.command(name, "env"), env=self.environment, capture_output=True, text=True)
        assert done.stdout == ""
        return done.returncode, done.stderr

    @contextmanager
    def running(self, name: str) -> Iterator[str]:
        """The output of an instance that runs on within the block, and is killed at its end."""
        script = 'echo "$VCAM_OUTPUT"; read'
        with subprocess.Popen(
            self.command(name, "bash", "-c", script),
            env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            yield process.stdout.readline().strip()
            process.kill()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path, (0, "HD Webcam"), (10, "AI-Camera"), (9, "AI-Camera 2"), (4, "OBS Virtual Camera"))


def test_the_first_camera_gets_the_first_virtual_camera_and_port(host: Host) -> None:
    given = host.claim(DESK)
    assert [given[key] for key in VALUES] == [f"/dev/vcam/{DESK}", "/dev/video9", "9435"]


def test_two_cameras_get_one_each(host: Host) -> None:
    with host.running(DESK) as first:
        second = host.claim(SIDE)
        assert (first, second["VCAM_OUTPUT"], second["VCAM_HTTP_PORT"]) == ("/dev/video9", "/dev/video10", "9437")


def test_live_control_of_a_second_camera_is_beside_that_of_the_first(host: Host) -> None:
    assert "VCAM_CONTROL_PORT" not in host.claim(DESK), "vcam's own default"
    with host.running(DESK):
        second = host.claim(SIDE)
        assert second["VCAM_CONTROL_PORT"] == "9438"
        assert second["VCAM_CONTROL_SOCKET"] == f"{host.root}/state/control-1.sock"
        host.environment["XDG_RUNTIME_DIR"] = "/run/user/1000"
        assert host.claim(SIDE)["VCAM_CONTROL_SOCKET"] == "/run/user/1000/vcam/control-1.sock"
        (host.settings / f"{SIDE}.env").write_text("VCAM_CONTROL_PORT=7\nVCAM_CONTROL_SOCKET=none\n")
        chosen = host.claim(SIDE)
    assert (chosen["VCAM_CONTROL_PORT"], chosen["VCAM_CONTROL_SOCKET"]) == ("7", "none")


def test_a_killed_instance_holds_nothing(host: Host) -> None:
    with host.running(DESK):
        pass
    assert host.claim(DESK)["VCAM_OUTPUT"] == "/dev/video9"


def test_a_camera_comes_back_as_what_it_was(host: Host) -> None:
    with host.running(DESK):
        assert host.claim(SIDE)["VCAM_OUTPUT"] == "/dev/video10"
    assert host.claim(SIDE)["VCAM_OUTPUT"] == "/dev/video10", "though video9 is free now"
    assert host.claim(DESK)["VCAM_OUTPUT"] == "/dev/video9"


def test_a_third_camera_takes_what_an_absent_one_had(host: Host) -> None:
    with host.running(DESK):
        host.claim(SIDE)
        assert host.claim("Other_at_2.1")["VCAM_OUTPUT"] == "/dev/video10"


def test_an_output_that_is_gone_is_forgotten(host: Host) -> None:
    (host.root / "state/outputs").mkdir(parents=True)
    (host.root / "state/outputs" / DESK).write_text("33\n")
    assert host.claim(DESK)["VCAM_OUTPUT"] == "/dev/video9"


def test_without_a_state_folder_it_works_all_the_same(host: Host) -> None:
    del host.environment["STATE_DIRECTORY"]
    assert host.claim(DESK)["VCAM_OUTPUT"] == "/dev/video9"


def test_when_all_are_taken_it_says_how_to_make_more(host: Host) -> None:
    with host.running(DESK), host.running(SIDE):
        code, text = host.refused("Other_at_2.1")
    assert code == 7
    assert "--outputs 3" in text


def test_without_any_virtual_camera_it_says_how_to_make_one(tmp_path: Path) -> None:
    code, text = Host(tmp_path, (0, "HD Webcam")).refused(DESK)
    assert code == 7
    assert "modprobe v4l2loopback" in text


def test_settings_of_a_camera_beat_those_of_all_and_those_of_a_port_beat_both(host: Host) -> None:
    (host.settings / "vcam.env").write_text("# all\nVCAM_BACKGROUND=green\nVCAM_FPS=15\nVCAM_QUALITY=fast\n\n")
    (host.settings / "Webcam_SN1.env").write_text('VCAM_BACKGROUND="image:/etc/vcam/my beach.jpg"\nVCAM_FPS=20')
    (host.settings / f"{DESK}.env").write_text("VCAM_FPS='25'\n")
    given = host.claim(DESK)
    assert [given[key] for key in ("VCAM_BACKGROUND", "VCAM_FPS", "VCAM_QUALITY")] == [
        "image:/etc/vcam/my beach.jpg",
        "25",
        "fast",
    ]
    assert host.claim(SIDE)["VCAM_FPS"] == "15"


def test_settings_are_values_and_never_code(host: Host) -> None:
    (host.settings / "vcam.env").write_text("VCAM_BACKGROUND=$(touch /tmp/x);`id`\n")
    assert host.claim(DESK)["VCAM_BACKGROUND"] == "$(touch /tmp/x);`id`"


@pytest.mark.parametrize("line", ["export VCAM_FPS=30", "vcam_fps=30", "VCAM_FPS 30"])
def test_a_line_that_is_no_setting_is_named(host: Host, line: str) -> None:
    (host.settings / "vcam.env").write_text(line + "\n")
    code, text = host.refused(DESK)
    assert code == 2
    assert line in text
    assert "vcam.env" in text


@pytest.mark.parametrize("output", ["/dev/video10", "/dev/video10,size=640x360,format=NV12"])
def test_a_chosen_output_is_held_too(host: Host, output: str) -> None:
    (host.settings / f"{DESK}.env").write_text(f"VCAM_OUTPUT={output}\n")
    assert host.claim(DESK)["VCAM_HTTP_PORT"] == "9437", "the port goes with the virtual camera"
    with host.running(DESK):
        (host.settings / f"{SIDE}.env").write_text(f"VCAM_OUTPUT={output}\n")
        code, text = host.refused(SIDE)
    assert code == 7
    assert "serves another camera" in text


def test_other_outputs_and_a_chosen_port_are_left_as_they_are(host: Host) -> None:
    (host.settings / "vcam.env").write_text("VCAM_OUTPUT=file:/var/lib/vcam/all.mp4\nVCAM_HTTP_PORT=0\n")
    given = host.claim(DESK)
    assert (given["VCAM_OUTPUT"], given["VCAM_HTTP_PORT"]) == ("file:/var/lib/vcam/all.mp4", "0")


def test_of_akvcams_pairs_it_takes_the_node_to_write_to(tmp_path: Path) -> None:
    pairs = (10, "To AI-Camera"), (0, "AI-Camera"), (11, "To AI-Camera 2"), (1, "AI-Camera 2")
    assert Host(tmp_path, *pairs).claim(DESK)["VCAM_OUTPUT"] == "/dev/video10"


def test_compose_gets_it_by_its_own_names(host: Host) -> None:
    (host.settings / "vcam.env").write_text("VCAM_BACKGROUND=green\n")
    given = host.claim(DESK)
    assert (given["CAMERA"], given["OUTPUT"], given["METRICS_PORT"], given["BACKGROUND"]) == (
        given["VCAM_INPUT"],
        "/dev/video9",
        "9435",
        "green",
    )
    assert given["COMPOSE_PROJECT_NAME"] == "vcam-webcam_sn1_at_1-3"
    assert given["RESTART"] == "no", "systemd starts it again"


def test_compose_gets_the_names_of_all_settings_so_that_vcam_can_refuse_what_it_does_not_know(host: Host) -> None:
    (host.settings / "vcam.env").write_text("VCAM_FPS=15\nMEDIA=/srv/pictures\n")
    (host.settings / "Webcam_SN1.env").write_text("VCAM_BACKGORUND=green\n")
    given = host.claim(DESK)
    assert Path(given["SETTINGS"]).read_text().split() == ["VCAM_FPS", "VCAM_BACKGORUND"]
    assert given["MEDIA"] == "/srv/pictures"
    del host.environment["STATE_DIRECTORY"]
    assert "SETTINGS" not in host.claim(DESK)


def test_the_command_keeps_the_process_id(host: Host) -> None:
    process = subprocess.Popen(
        host.command(DESK, "bash", "-c", "echo $$"), env=host.environment,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert int(process.communicate()[0]) == process.pid, "systemd watches this process"


def test_to_end_it_nothing_is_claimed(host: Host) -> None:
    with host.running(DESK), host.running(SIDE):
        done = subprocess.run(
            [str(CLAIM), "--root", str(host.root), "--end", "Other_at_2.1", "env"],
            env=host.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
    assert "COMPOSE_PROJECT_NAME=vcam-other_at_2-1\n" in done.stdout
    assert "VCAM_OUTPUT" not in done.stdout


def test_a_wrong_call_says_how(host: Host) -> None:
    done = subprocess.run([CLAIM], capture_output=True, text=True, env=host.environment)
    assert (done.returncode, done.stderr) == (2, "usage: claim [--end] NAME COMMAND...\n")

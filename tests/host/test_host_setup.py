"""Setting a computer up and back, in a root folder of its own, with a distribution made of stubs."""

import os
import subprocess
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
SETUP = REPOSITORY / "scripts/host-setup.sh"
MANIFEST = "usr/local/lib/vcam/installed"
MODPROBE = "etc/modprobe.d/vcam.conf"
UNIT = "etc/systemd/system/vcam@.service"
USER_UNIT = "etc/systemd/user/vcam@.service"
UNPLUG = "etc/systemd/system/vcam@.service.d/unplug-stops.conf"
PROGRAM = "usr/local/bin/vcam"
RULES = "etc/udev/rules.d/90-vcam.rules"

LOOKING = ("uname", "modinfo", "docker", "apt-cache", "dpkg-query", "rpm")

Tree = dict[str, bytes]


@dataclass
class Computer:
    """A root folder; ``stubs`` are programs before all others in PATH, which write down how they were called."""

    root: Path
    stubs: Path
    extra: list[str] = field(default_factory=list)

    def stub(self, name: str, script: str = "") -> None:
        path = self.stubs / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >>"{self.stubs}/calls"\n{script}\n')
        path.chmod(0o755)

    def calls(
        self, but: tuple[str, ...] = ("uname", "modinfo", "docker", "apt-cache", "dpkg-query", "rpm")
    ) -> list[str]:
        """Programs that were run, without those that only look."""
        log = self.stubs / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if line.split()[0] not in LOOKING]

    def write(self, path: str, text: str = "") -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def run(self, *options: str, code: int = 0) -> str:
        """All that the script said."""
        done = subprocess.run(
            ["bash", SETUP, "--root", self.root, *self.extra, *options],
            env={"PATH": f"{self.stubs}:{os.environ['PATH']}", "HOME": str(self.root)},
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def tree(self) -> Tree:
        files = (path for path in self.root.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(path.relative_to(self.root)): path.read_bytes() for path in files}


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    """Debian, without Docker, whose kernel has no v4l2loopback."""
    root, stubs = tmp_path / "root", tmp_path / "bin"
    root.mkdir()
    stubs.mkdir()
    made = Computer(root, stubs)
    made.write("etc/os-release", 'ID=debian\nVERSION_ID="12"\n')
    made.stub("uname", "echo 6.1.0-47-amd64")
    made.stub("modinfo", "exit 1")
    made.stub("docker", "exit 1")
    made.stub("dpkg-query", "exit 1")
    for name in ("apt-get", "apt-cache", "dnf", "pacman", "akmods", "modprobe", "udevadm", "systemctl"):
        made.stub(name)
    return made


def test_a_dry_run_says_all_and_does_nothing(computer: Computer) -> None:
    before = computer.tree()
    told = computer.run("--dry-run", "--activate")
    assert computer.tree() == before
    assert computer.calls() == []
    for what in (MODPROBE, UNIT, RULES, "modprobe v4l2loopback", "apt-get install"):
        assert what in told


def test_everything_lands_in_its_place_unchanged(computer: Computer) -> None:
    computer.run("--runtime", "native")
    tree = computer.tree()
    for installed, source in {
        RULES: "udev/90-vcam.rules",
        UNIT: "systemd/native/vcam@.service",
        UNPLUG: "systemd/unplug-stops.conf",
        "usr/local/lib/vcam/claim": "systemd/claim",
        "etc/vcam/vcam.env": "systemd/vcam.env",
    }.items():
        assert tree[installed] == (REPOSITORY / source).read_bytes()
    assert (computer.root / "usr/local/lib/vcam/claim").stat().st_mode & 0o777 == 0o755
    assert tree["etc/modules-load.d/vcam.conf"].splitlines()[-1] == b"v4l2loopback"
    assert computer.calls() == [], "in another root nothing is loaded or started"


def test_modules_options_are_one_for_each_output(computer: Computer) -> None:
    computer.run("--outputs", "3", "--first", "20")
    assert (computer.root / MODPROBE).read_text().splitlines()[-1] == (
        'options v4l2loopback devices=3 video_nr=20,21,22 card_label="AI-Camera,AI-Camera 2,AI-Camera 3" '
        "exclusive_caps=1,1,1"
    )


def test_a_second_run_does_nothing(computer: Computer) -> None:
    computer.run()
    before = computer.tree()
    assert "Nothing to do" in computer.run()
    assert computer.tree() == before


def test_uninstalling_leaves_the_computer_as_it_was(computer: Computer) -> None:
    computer.write("etc/modprobe.d/other.conf", "options snd index=1\n")
    before, folders = computer.tree(), {path for path in computer.root.rglob("*") if path.is_dir()}
    computer.run()
    assert computer.tree() != before
    computer.run("--uninstall")
    assert computer.tree() == before
    assert {path for path in computer.root.rglob("*") if path.is_dir()} == folders
    assert "nothing of ours" in computer.run("--uninstall")


@pytest.mark.parametrize("path", [MODPROBE, UNIT, RULES, "usr/local/lib/vcam/claim"])
def test_a_file_of_somebody_else_stops_everything_before_it_begins(computer: Computer, path: str) -> None:
    computer.write(path, "mine\n")
    before = computer.tree()
    told = computer.run(code=1)
    assert f"/{path} is there and is not ours" in told
    assert computer.tree() == before


@pytest.mark.parametrize("path", [MODPROBE, UNIT])
def test_changes_by_hand_survive_updates_and_uninstalling(computer: Computer, path: str) -> None:
    computer.run()
    computer.write(path, "mine\n")
    assert "changed by hand" in computer.run("--outputs", "3", "--runtime", "docker")
    assert (computer.root / path).read_text() == "mine\n"
    assert "changed by hand" in computer.run("--uninstall")
    assert (computer.root / path).read_text() == "mine\n"


def test_settings_are_the_users_from_the_first_moment(computer: Computer) -> None:
    computer.write("etc/vcam/vcam.env", "VCAM_FPS=15\n")
    computer.run()
    computer.run("--uninstall")
    computer.run()
    assert (computer.root / "etc/vcam/vcam.env").read_text() == "VCAM_FPS=15\n"


def test_an_update_replaces_what_was_not_touched(computer: Computer) -> None:
    computer.run()
    assert f"update /{MODPROBE}" in computer.run("--outputs", "4")
    assert "devices=4" in (computer.root / MODPROBE).read_text()


def test_runtimes_replace_each_other(computer: Computer) -> None:
    computer.run("--runtime", "docker")
    assert b"compose.sh up" in computer.tree()[UNIT]
    assert (computer.root / "opt/vcam/compose").readlink() == REPOSITORY
    computer.run("--runtime", "user")
    assert UNIT not in computer.tree()
    assert USER_UNIT in computer.tree()
    computer.run("--runtime", "none")
    assert not {UNIT, USER_UNIT, RULES} & set(computer.tree())
    computer.run("--uninstall")
    assert set(computer.tree()) == {"etc/os-release"}


def test_docker_is_chosen_where_it_is(computer: Computer) -> None:
    computer.stub("docker")
    assert "plug-in start: docker" in computer.run("--dry-run")


def test_unplugging_can_leave_the_card(computer: Computer) -> None:
    computer.run()
    assert b"BindsTo=dev-vcam-%i.device" in computer.tree()[UNPLUG]
    computer.run("--on-unplug", "card")
    assert UNPLUG not in computer.tree()


def test_another_vcam_can_be_used(computer: Computer) -> None:
    computer.run("--runtime", "native", "--vcam", "/bin/true")
    assert (computer.root / "opt/vcam/bin/vcam").readlink() == Path("/bin/true")
    computer.run("--runtime", "native", "--vcam", "/bin/false")
    assert (computer.root / "opt/vcam/bin/vcam").readlink() == Path("/bin/false")
    computer.run("--uninstall")
    assert not (computer.root / "opt").exists()


@pytest.mark.parametrize("runtime", ["native", "user"])
def test_vcam_can_be_typed(computer: Computer, runtime: str) -> None:
    told = computer.run("--dry-run", "--activate", "--runtime", runtime)
    assert "link /usr/local/bin/vcam to /opt/vcam/bin/vcam" in told
    computer.run("--runtime", runtime, "--vcam", "/bin/true")
    assert (computer.root / PROGRAM).readlink() == Path("/opt/vcam/bin/vcam")
    assert "Nothing to do" in computer.run("--runtime", runtime, "--vcam", "/bin/true")
    computer.run("--uninstall")
    assert not (computer.root / PROGRAM).is_symlink()


def test_without_a_vcam_of_its_own_there_is_nothing_to_link(computer: Computer) -> None:
    for options in (("--runtime", "docker"), ("--runtime", "none"), ("--runtime", "native")):
        computer.run(*options)
        assert not (computer.root / PROGRAM).is_symlink(), options


def test_another_program_of_that_name_stays_and_all_else_is_set_up(computer: Computer) -> None:
    computer.write(PROGRAM, "theirs")
    assert "/usr/local/bin/vcam is not ours" in computer.run("--runtime", "native", "--vcam", "/bin/true")
    assert (computer.root / UNIT).is_file()
    computer.run("--uninstall")
    assert (computer.root / PROGRAM).read_text() == "theirs"


def test_somebody_elses_vcam_is_not_replaced(computer: Computer) -> None:
    computer.write("opt/vcam/bin/vcam", "theirs")
    assert "not ours" in computer.run("--runtime", "native", "--vcam", "/bin/true", code=1)


def test_akvcam_gets_pairs_of_nodes(computer: Computer) -> None:
    told = computer.run("--driver", "akvcam")
    text = (computer.root / "etc/akvcam/config.ini").read_text()
    assert "build it as" in told
    assert not (computer.root / MODPROBE).exists()
    for line in (
        "cameras/size = 4",
        "cameras/1/description = To AI-Camera",
        "cameras/1/videonr = 10",
        "cameras/4/description = AI-Camera 2",
        "connections/2/connection = 3:4",
    ):
        assert line in text.splitlines()
    computer.run("--driver", "v4l2loopback")
    assert not (computer.root / "etc/akvcam/config.ini").exists()


def test_commands_run_in_their_order(computer: Computer) -> None:
    (computer.root / "run/systemd/system").mkdir(parents=True)
    computer.run("--activate", "--no-packages", "--vcam", "/bin/true")
    assert computer.calls() == [
        "systemctl daemon-reload",
        "udevadm control --reload",
        "modprobe v4l2loopback",
        "udevadm trigger --action=add --subsystem-match=video4linux",
    ]


def test_a_second_run_reloads_nothing(computer: Computer) -> None:
    computer.run("--activate", "--no-packages", "--vcam", "/bin/true")
    (computer.root / "sys/module/v4l2loopback").mkdir(parents=True)
    before = computer.calls()
    assert "Nothing to do" in computer.run("--activate", "--no-packages", "--vcam", "/bin/true")
    assert computer.calls() == before


@pytest.mark.parametrize(
    ("label", "expected"), [("AI-Camera", ["modprobe -r v4l2loopback", "modprobe v4l2loopback"]), ("OBS", [])]
)
def test_a_loaded_module_is_loaded_anew_unless_others_use_it(
    computer: Computer, label: str, expected: list[str]
) -> None:
    (computer.root / "sys/module/v4l2loopback").mkdir(parents=True)
    computer.write("sys/devices/virtual/video4linux/video10/name", label + "\n")
    told = computer.run("--activate", "--no-packages", "--vcam", "/bin/true")
    assert [call for call in computer.calls() if call.startswith("modprobe")] == expected
    assert ("cameras of other programs" in told) is (label == "OBS")


def test_a_command_that_fails_is_told_and_ends_nothing(computer: Computer) -> None:
    computer.stub("modprobe", "exit 1")
    told = computer.run("--activate", "--no-packages", "--vcam", "/bin/true")
    assert "failed (1): modprobe v4l2loopback" in told
    assert "Done." in told


@pytest.mark.parametrize(
    ("release", "command"),
    [
        ("ID=debian", "apt-get install -y v4l2loopback-dkms linux-headers-6.1.0-47-amd64 linux-headers-amd64"),
        ("ID=ubuntu\nID_LIKE=debian", "apt-get install -y v4l2loopback-dkms linux-headers-6.1.0-47-amd64"),
        ('ID="linuxmint"\nID_LIKE="ubuntu debian"', "apt-get install -y v4l2loopback-dkms"),
        ("ID=fedora", "dnf install -y akmod-v4l2loopback kernel-devel-6.1.0-47-amd64"),
        ("ID=arch", "pacman -S --needed --noconfirm v4l2loopback-dkms linux-zen-headers"),
    ],
)
def test_each_distribution_has_its_packages(computer: Computer, release: str, command: str) -> None:
    computer.write("etc/os-release", release + "\n")
    computer.write("usr/lib/modules/6.1.0-47-amd64/pkgbase", "linux-zen\n")
    computer.stub("rpm", "exit 1")
    computer.stub("pacman", "[[ $1 != -Qq ]]")
    computer.run("--activate", "--vcam", "/bin/true")
    assert any(call.startswith(command) for call in computer.calls()), computer.calls()
    assert "package - " in computer.tree()[MANIFEST].decode()


def test_packages_stay_and_their_removal_is_told(computer: Computer) -> None:
    computer.run("--activate", "--vcam", "/bin/true")
    told = computer.run("--activate", "--uninstall")
    assert "apt-get remove v4l2loopback-dkms" in told
    assert not any("remove" in call for call in computer.calls())


def test_an_unknown_distribution_is_told_what_it_needs(computer: Computer) -> None:
    computer.write("etc/os-release", "ID=plan9\n")
    assert "unknown distribution" in computer.run("--activate", "--vcam", "/bin/true", "--runtime", "native")


def test_a_module_that_is_there_needs_no_package(computer: Computer) -> None:
    computer.stub("modinfo")
    computer.run("--activate", "--vcam", "/bin/true")
    assert not any(call.startswith("apt-get") for call in computer.calls())


def test_options_by_others_are_a_conflict(computer: Computer) -> None:
    computer.write("etc/modprobe.d/obs.conf", "options v4l2loopback video_nr=10 card_label=OBS\n")
    assert "/etc/modprobe.d/obs.conf sets options of v4l2loopback" in computer.run(code=1)


def test_a_number_that_a_real_camera_has_is_a_conflict(computer: Computer) -> None:
    computer.write("sys/class/video4linux/video11/name", "HD Webcam\n")
    assert '/dev/video11 is "HD Webcam"' in computer.run(code=1)
    computer.run("--first", "20")


def secure_boot(computer: Computer, *, on: bool) -> None:
    variable = computer.root / "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
    variable.parent.mkdir(parents=True)
    variable.write_bytes(bytes([6, 0, 0, 0, int(on)]))


@pytest.mark.parametrize("on", [True, False])
def test_secure_boot_is_explained_where_it_is_on(computer: Computer, *, on: bool) -> None:
    secure_boot(computer, on=on)
    told = computer.run("--dry-run")
    assert ("sudo mokutil --import /var/lib/dkms/mok.pub" in told) is on


def test_secure_boot_is_no_matter_once_the_module_is_in(computer: Computer) -> None:
    secure_boot(computer, on=True)
    (computer.root / "sys/module/v4l2loopback").mkdir(parents=True)
    assert "mokutil" not in computer.run("--dry-run")


@pytest.mark.parametrize(("version", "word"), [("0.12.7", "on_demand"), ("0.15.0", "one application"), ("0.13.2", "")])
def test_faults_of_the_modules_version_are_told(computer: Computer, version: str, word: str) -> None:
    computer.write("sys/module/v4l2loopback/version", version + "\n")
    told = computer.run("--dry-run")
    assert (f"v4l2loopback {version}" in told) is bool(word)
    assert word in told


def test_a_gpu_that_docker_cannot_see_is_told(computer: Computer) -> None:
    computer.write("proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05\n")
    computer.stub("docker", "echo '{\"runc\":{}}'")
    assert "nvidia-ctk runtime configure" in computer.run("--dry-run", "--runtime", "docker")
    computer.stub("docker", 'echo \'{"nvidia":{},"runc":{}}\'')
    assert "nvidia-ctk" not in computer.run("--dry-run", "--runtime", "docker")


@pytest.mark.parametrize(
    "options",
    [
        ("--outputs", "0"),
        ("--outputs", "9"),
        ("--outputs", "two"),
        ("--outputs",),
        ("--driver", "obs"),
        ("--runtime", "podman"),
        ("--on-unplug", "explode"),
        ("--vcam", "/nowhere/vcam"),
        ("--extras", "cpu;reboot"),
        ("--extras", "cpu,-rf"),
        ("--frobnicate",),
    ],
)
def test_wrong_options_are_refused_before_anything(computer: Computer, options: tuple[str, ...]) -> None:
    before = computer.tree()
    told = computer.run(*options, code=1)
    assert options[0] in told
    assert computer.tree() == before


def test_every_extra_can_be_named(computer: Computer) -> None:
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "tensorrt-rtx" in extras
    computer.run("--dry-run", "--runtime", "none", "--extras", ",".join(extras))


def test_help_lists_every_option(computer: Computer) -> None:
    told = computer.run("--help")
    parsed = {word for line in SETUP.read_text().splitlines() for word in line.split() if word.startswith("--")}
    options = {word.rstrip(")") for word in parsed if word.rstrip(")").replace("-", "").isalpha()}
    assert len(options) > 10
    assert all(option in told for option in options)

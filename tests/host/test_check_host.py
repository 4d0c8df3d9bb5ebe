"""The checks of what is not Python: they pass, and each of them can fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
BESIDE_US = Path(sys.executable).with_name("shellcheck")
SHELLCHECK = os.environ.get("SHELLCHECK") or (str(BESIDE_US) if BESIDE_US.exists() else shutil.which("shellcheck"))
UDEVADM = os.environ.get("UDEVADM") or shutil.which("udevadm")


def version(program: str | None) -> int:
    """The first number that it says of itself; 0 without it."""
    if program is None:
        return 0
    words = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.split()
    return next((int(word) for word in words if word.isdigit()), 0)


HAVE = {
    "shell scripts": SHELLCHECK is not None,
    "unit, native": version(shutil.which("systemd-analyze")) >= 250,
    "udev rules": version(UDEVADM) >= 254,
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What the checks look at, to be broken."""
    for folder in ("scripts", "systemd", "udev"):
        shutil.copytree(REPOSITORY / folder, tmp_path / folder)
    return tmp_path


def check(folder: Path, *options: str, **environ: str) -> tuple[int, str]:
    found = {"SHELLCHECK": SHELLCHECK or "", "UDEVADM": UDEVADM or "udevadm"}
    done = subprocess.run(
        [REPOSITORY / "scripts/check_host.sh", *options, folder],
        capture_output=True, text=True, env=os.environ | found | environ,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def break_file(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_all_is_well(copy: Path) -> None:
    code, told = check(copy)
    assert code == 0, told
    assert "FAILED" not in told
    for name, here in HAVE.items():
        assert any(line.startswith("ok") and name in line for line in told.splitlines()) is here, told


def test_each_check_can_fail(copy: Path) -> None:
    """All faults in one run: each must be told."""
    faults = [
        (
            "systemd/claim",
            "readonly root ending name=$1",
            "readonly root ending name=$1\nunused=1",
            "unused appears unused",
            "shell scripts",
        ),
        ("systemd/native/vcam@.service", "Restart=on-failure", "Restart=perhaps", "perhaps", "unit, native"),
        ("systemd/native/vcam@.service", "LimitCORE=", "LimitsCORE=", "LimitsCORE", "unit, native"),
        ("systemd/native/vcam@.service", "/vcam/claim", "/vcam/climb", "vcam/climb is not executable", "unit, native"),
        ("systemd/native/vcam@.service", "CapabilityBoundingSet=\n", "", "exposure level", "sandbox, native"),
        ("systemd/docker/vcam@.service", "RestartSec=2", "RestartSec=two", "two", "unit, docker"),
        ("systemd/docker/vcam@.service", "ProtectSystem=strict", "", "exposure level", "sandbox, docker"),
        ("systemd/user/vcam@.service", "WatchdogSec=20", "WatchdogSeconds=20", "WatchdogSeconds", "unit, user"),
        ("udev/90-vcam.rules", 'SUBSYSTEM!="video4linux"', 'SUBSYSTEM="video4linux"', "Invalid operator", "udev rules"),
    ]
    for name, old, new, _, _ in faults:
        break_file(copy, name, old, new)
    code, told = check(copy)
    assert code == 1
    failed = {line.removeprefix("FAILED").strip() for line in told.splitlines() if line.startswith("FAILED")}
    for _, _, _, message, checker in faults:
        family = checker.replace("sandbox", "unit").replace("docker", "native").replace("user", "native")
        if HAVE[family]:
            assert any(checker in name for name in failed), f"{checker} found nothing: {told}"
            assert message in told


def test_a_set_up_that_fails_is_told(copy: Path) -> None:
    break_file(copy, "scripts/host/steps.sh", "name_outputs() {", "name_outputs() { return 1")
    code, told = check(copy, "--only", "units")
    assert code == (1 if HAVE["unit, native"] else 0)
    assert ("FAILED    set-up, native" in told) is HAVE["unit, native"]


def test_what_is_not_here_is_skipped_aloud_and_fails_when_strict(copy: Path) -> None:
    nothing = {"SHELLCHECK": "/none", "SYSTEMD_ANALYZE": "/none", "UDEVADM": "/none", "PATH": "/usr/bin:/bin"}
    code, told = check(copy, **nothing)
    assert code == 0
    for remedy in ("systemd-analyze 250", "udevadm 254"):
        assert remedy in told
    assert check(copy, "--strict", **nothing)[0] == 1


def test_old_programs_count_as_not_here(copy: Path, tmp_path: Path) -> None:
    old = tmp_path / "udevadm"
    old.write_text("#!/bin/sh\necho 252\n")
    old.chmod(0o755)
    assert "skipped   udev rules" in check(copy, "--only", "rules", UDEVADM=str(old))[1]


def test_udev_rules_are_checked_where_udevadm_can(copy: Path, tmp_path: Path) -> None:
    """The real one is in Debian 13; here a stand-in shows that its verdict counts."""
    new = tmp_path / "udevadm"
    new.write_text('#!/bin/sh\n[ "$1" = --version ] && { echo 257; exit; }\n! grep -q broken "$2"\n')
    new.chmod(0o755)
    assert "ok        udev rules" in check(copy, "--only", "rules", UDEVADM=str(new))[1]
    new.write_text('#!/bin/sh\n[ "$1" = --version ] && { echo 257; exit; }\necho "$2 is broken"; exit 1\n')
    code, told = check(copy, "--only", "rules", UDEVADM=str(new))
    assert code == 1
    assert "FAILED    udev rules" in told

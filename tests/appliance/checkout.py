"""A copy of what `make up` uses, a docker that only writes down what it is asked, and a computer to find things on."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = ("scripts/up.sh", "scripts/compose.sh", "scripts/dotenv.sh", "compose.yaml", "compose.gpu.yaml")

_DOCKER = r"""#!/usr/bin/env bash
printf '%s\n' "$*" >>"$ASKED"
env >"$ASKED.env"
case "$*" in
  version*) [[ -z ${REFUSES-} ]] || { echo "$REFUSES" >&2; exit 1; }; echo 28.0 ;;
  'compose version'*) [[ -n ${COMPOSE_VERSION-} ]] || exit 1; echo "$COMPOSE_VERSION" ;;
  'compose config --images vcam') echo prom/prometheus; echo vcam:cpu ;;
  'compose build'*) [[ -z ${BUILD_FAILS-} ]] || exit 1 ;;
  'compose up'*) [[ -z ${UP_FAILS-} ]] || exit 1 ;;
  'compose exec'*) echo "{\"ok\": true, \"state\": \"${STATE:-live}\", \"safe_reason\": null}" ;;
  'image inspect'*) [[ -n ${BUILT-} ]] || exit 1; echo "$BUILT" ;;
  info*) echo "${RUNTIMES-}" ;;
esac
"""


@dataclass
class Told:
    """What a script said, and what it asked docker for. environ: that of its last question."""

    code: int
    out: str
    err: str
    asked: list[str]
    environ: dict[str, str]

    def asked_for(self, beginning: str) -> bool:
        return any(line.startswith(beginning) for line in self.asked)


@dataclass
class Checkout:
    """folder: the checkout; files: of the computer. environ: of each call, beside PATH."""

    folder: Path
    files: Path
    environ: dict[str, str] = field(default_factory=lambda: {"COMPOSE_VERSION": "2.26.1"})

    def run(self, script: str, *arguments: str, **environ: str) -> Told:
        log = self.folder.parent / "asked"
        log.write_text("")
        known = {"PATH": f"{self.folder.parent / 'bin'}:/usr/bin:/bin", "HOME": "/home/x", "ASKED": str(log)}
        done = subprocess.run(
            [self.folder / "scripts" / script, *arguments],
            env=known | {"ROOT": str(self.files)} | self.environ | environ, capture_output=True, text=True, cwd="/",
        )  # fmt: skip
        last = log.with_name("asked.env")
        lines = last.read_text().splitlines() if last.exists() else []
        values = dict(line.split("=", 1) for line in lines if "=" in line)
        return Told(done.returncode, done.stdout, done.stderr, log.read_text().splitlines(), values)

    def docker(self) -> Path:
        return self.folder.parent / "bin/docker"

    def dotenv(self, text: str) -> None:
        (self.folder / ".env").write_text(text)

    def add_camera(self, number: int, by_id: str | None = None, *, index: int = 0) -> None:
        """A real one: its folder in /sys is not under virtual/."""
        self._add(number, "devices/pci0/usb1", "HD Webcam", index)
        if by_id is not None:
            link = self.files / "dev/v4l/by-id" / by_id
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(f"../../video{number}")

    def add_virtual(self, number: int, label: str) -> None:
        self._add(number, "devices/virtual", label, 0)

    def _add(self, number: int, where: str, label: str, index: int) -> None:
        folder = self.files / "sys" / where / f"video4linux/video{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(label + "\n")
        (folder / "index").write_text(f"{index}\n")
        known = self.files / "sys/class/video4linux"
        known.mkdir(parents=True, exist_ok=True)
        (known / f"video{number}").symlink_to(folder)
        node = self.files / f"dev/video{number}"
        node.parent.mkdir(exist_ok=True)
        node.write_text("")
        if os.geteuid() == 0:
            os.chown(node, 0, 4444)


def make_checkout(folder: Path) -> Checkout:
    checkout = folder / "checkout"
    for name in FILES:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, checkout / name)
    docker = folder / "bin/docker"
    docker.parent.mkdir()
    docker.write_text(_DOCKER)
    docker.chmod(0o755)
    files = folder / "computer"
    (files / "etc").mkdir(parents=True)
    (files / "etc/group").write_text("root:x:0:\nvideo:x:39:\nrender:x:993:\n")
    return Checkout(checkout, files)

"""The guest: a Debian in qemu, booted once, in which tests start programs and read what they say."""

import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

ROOT = Path(__file__).parents[3]
RECIPE = Path(__file__).with_name("image.sh")
PARTS_OF_VCAM = ("vcam", "scripts", "systemd", "udev")
BOOT_S = 240.0
TAINTED_BY_OOPS = 1 << 7
MEMORY_MB = 3072

_QEMU = (
    *("qemu-system-x86_64", "-accel", "tcg,thread=multi,tb-size=512", "-cpu", "Nehalem", "-M", "q35", "-smp", "2"),
    *("-nodefaults", "-display", "none", "-no-reboot", "-device", "virtio-rng-pci", "-device", "virtio-serial-pci"),
    *("-device", "virtserialport,chardev=agent,name=vcam.agent"),
)
"""Not KVM: many machines that run tests are guests themselves and have none, and what is measured shall compare."""

_KERNEL = "console=ttyS0 quiet panic=-1 edd=off mitigations=off nokaslr audit=0 random.trust_cpu=on"


class GuestError(AssertionError):
    """The guest, or a program in it, did not do what the test needs."""


def image() -> Path:
    """The folder with the guest's disk, built where this recipe has not been built yet."""
    key = hashlib.sha256(RECIPE.read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "vcam-vm"
    folder = cache / key
    if not (folder / "vmlinuz").exists():
        shutil.rmtree(cache, ignore_errors=True)  # of other recipes: gigabytes that nobody asks for again
        log = ROOT / "out/vm/image.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            built = subprocess.run((RECIPE, folder), stdout=output, stderr=subprocess.STDOUT)
        if built.returncode:
            raise GuestError(f"the guest's image cannot be built, see {log}:\n{log.read_text()[-2000:]}")
    return folder


class Job:
    """A program that runs in the guest. Its output (stdout and stderr) is seen as it grows."""

    def __init__(self, command: str, output: Path, send_signal: Callable[[int], None]) -> None:
        self.command = command
        self._output = output
        self._signal = send_signal
        self._ended = threading.Event()
        self._code = 0

    @property
    def output(self) -> str:
        return self._output.read_text(errors="replace") if self._output.exists() else ""

    @property
    def file(self) -> str:
        """Where its output is, in the guest."""
        return f"/host/jobs/{self._output.name}"

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The output's complete lines that are JSON objects."""
        complete = self.output.rpartition("\n")[0].splitlines()
        return [json.loads(line) for line in complete if line.startswith("{")]

    @property
    def running(self) -> bool:
        return not self._ended.is_set()

    def send(self, number: int) -> None:
        """Send a signal."""
        self._signal(number)

    def wait(self, timeout_s: float = 60.0) -> int:
        """The exit status; negative: the signal that ended it."""
        if not self._ended.wait(timeout_s):
            raise GuestError(f"still running after {timeout_s:g} s: {self.command}\n{self.output[-3000:]}")
        return self._code

    def stop(self, number: int = signal.SIGKILL, timeout_s: float = 60.0) -> int:
        """Send a signal, wait for the end."""
        if self.running:
            self.send(number)
        return self.wait(timeout_s)

    def until(self, seen: Callable[[], Any], timeout_s: float, what: str) -> Any:
        """What ``seen`` gives once it gives something, while the program runs."""

        def look() -> Any:
            found = seen()
            if not found and not self.running:
                raise GuestError(f"{self.command} ended ({self._code}) before {what}:\n{self.output[-3000:]}")
            return found

        return eventually(look, timeout_s, lambda: f"{what}\n{self.command} said:\n{self.output[-3000:]}")

    def ended(self, code: int) -> None:
        self._code = code
        self._ended.set()


def eventually(look: Callable[[], Any], timeout_s: float, problem: Callable[[], str]) -> Any:
    """What ``look`` gives once it gives something."""
    deadline = time.monotonic() + timeout_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise GuestError(f"not within {timeout_s:g} s: {problem()}")
        time.sleep(0.05)
    return found


class Guest:
    """share: the folder that is /host in the guest, for both to write into. Its programs end with ``clean``."""

    def __init__(self, folder: Path, share: Path) -> None:
        self._folder = folder
        self.share = share
        self._stack = ExitStack()
        self._jobs: dict[int, Job] = {}
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        for name in ("jobs", "inside"):
            shutil.rmtree(self.share / name, ignore_errors=True)
        shutil.copytree(ROOT / "tests/vm/inside", self.share / "inside", ignore=shutil.ignore_patterns("__pycache__"))
        (self.share / "jobs").mkdir()
        self._lend_vcam()
        address = self.share / "agent"
        address.unlink(missing_ok=True)
        with ExitStack() as stack:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(address))
                listener.listen()
                listener.settimeout(BOOT_S)
                self._qemu = stack.enter_context(subprocess.Popen(self._command(address)))
                stack.callback(self._qemu.kill)
                self._agent = stack.enter_context(listener.accept()[0])
            threading.Thread(target=self._listen, name="agent", daemon=True).start()
            if not self._ready.wait(BOOT_S):
                raise GuestError(f"the guest does not come up, see {self.share / 'console.log'}")
            self._stack = stack.pop_all()
        self.run(
            "mkdir -p /opt/bed && cp -r /host/app /opt/bed/ && install -D -t /opt/bed/bin /host/inside/{vcam,python}",
            timeout_s=120,
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._stack.close()

    def start(self, command: str, **environ: str) -> Job:
        """Start a bash command."""
        number = len(self._jobs) + 1
        prefix = "".join(f"export {key}='{value}'; " for key, value in environ.items())
        job = Job(command, self.share / f"jobs/{number}.out", lambda n: self._ask({"signal": number, "number": int(n)}))
        self._jobs[number] = job
        self._ask({"start": number, "command": prefix + command})
        return job

    def run(self, command: str, *, timeout_s: float = 60.0, check: bool = True, **environ: str) -> str:
        """Run a bash command; its output. check: fail unless it succeeds."""
        job = self.start(command, **environ)
        code = job.wait(timeout_s)
        if code and check:
            raise GuestError(f"{command}: {code}\n{job.output[-3000:]}")
        return job.output

    def clock(self) -> float:
        """CLOCK_MONOTONIC of the guest, seconds."""
        return float(self.run("cut -d' ' -f1 /proc/uptime"))

    @property
    def oopsed(self) -> bool:
        """Whether the kernel has ended a program by a fault of its own since the guest was booted."""
        return bool(int(self.run("cat /proc/sys/kernel/tainted")) & TAINTED_BY_OOPS)

    def python(self, script: str, *arguments: str) -> Job:
        """Start one of tests/vm/inside/, on the guest's own Python."""
        return self.start(" ".join(("exec /usr/bin/python3", f"/host/inside/{script}", *arguments)))

    def file(self, name: str) -> Path:
        """A file of the share, /host/NAME in the guest, not there yet."""
        path = self.share / name
        path.unlink(missing_ok=True)
        return path

    def clean(self) -> None:
        """End every program that tests started."""
        for job in self._jobs.values():
            if job.running:
                with contextlib.suppress(GuestError):
                    job.stop(timeout_s=10)

    def _lend_vcam(self) -> None:
        """The checkout's vcam as an installed package: its Python and the modules that were compiled for it."""
        app = self.share / "app"
        shutil.rmtree(app, ignore_errors=True)
        for part in PARTS_OF_VCAM:
            shutil.copytree(ROOT / part, app / part, ignore=shutil.ignore_patterns("__pycache__"))
        compiled = _packages() / "vcam"
        for module in compiled.rglob("*.so"):
            shutil.copy2(module, app / "vcam" / module.relative_to(compiled))
        subprocess.run((sys.executable, "-m", "compileall", "-q", app / "vcam"), check=True)

    def _command(self, address: Path) -> list[str]:
        shares: Mapping[str, Path] = {"host": self.share, "python": Path(sys.base_prefix), "packages": _packages()}
        command = [*_QEMU, "-m", str(MEMORY_MB), "-kernel", f"{self._folder}/vmlinuz", "-append", _KERNEL]
        command += ["-initrd", f"{self._folder}/initrd.img", "-serial", f"file:{self.share}/console.log"]
        command += ["-drive", f"file={self._folder}/disk.img,if=virtio,format=raw,snapshot=on,cache=unsafe"]
        command += ["-chardev", f"socket,id=agent,path={address}"]
        for tag, path in shares.items():
            writable = "" if tag == "host" else ",readonly=on"
            option = f"local,path={path},mount_tag={tag},security_model=none,multidevs=remap{writable}"
            command += ["-virtfs", option]
        return command

    def _ask(self, question: dict[str, Any]) -> None:
        self._agent.sendall(json.dumps(question).encode() + b"\n")

    def _listen(self) -> None:
        with contextlib.suppress(OSError), self._agent.makefile("rb") as lines:
            for line in lines:
                told = json.loads(line)
                if "ready" in told:
                    self._ready.set()
                else:
                    self._jobs[told["ended"]].ended(told["code"])


def _packages() -> Path:
    """The site-packages of the .venv that runs the tests."""
    return Path(sys.prefix) / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"


if __name__ == "__main__":
    try:
        image()
    except GuestError as error:
        sys.exit(str(error))

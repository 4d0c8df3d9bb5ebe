"""The computer as the checks see it. Tests give another root folder, other programs, another kernel."""

import errno
import os
import platform
import pwd
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from vcam.cuda.probe import GpuAnswer, find_gpu
from vcam.v4l2.kernel import Kernel, LinuxKernel

_PROGRAM_LIMIT_S = 10.0
_PAGE_LIMIT_S = 2.0
_PAGE_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Answer:
    """Of a program. text: both of its outputs."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who runs this process."""

    user: str
    uid: int
    groups: frozenset[int]


@dataclass(frozen=True, slots=True)
class View:
    """Where everything comes from.

    run: a program's answer, None where there is no such program. free_bytes: on the disk of a folder that is there.
    listen: None when the port is free, else why not. page: status and text of a URL, None when nothing answers.
    """

    root: Path = Path("/")
    kernel: Kernel = field(default_factory=LinuxKernel)
    run: Callable[[Sequence[str]], Answer | None] = field(default_factory=lambda: run_program)
    identity: Identity = field(default_factory=lambda: whoami())
    release: str = field(default_factory=platform.release)
    free_bytes: Callable[[Path], int] = field(default_factory=lambda: free_bytes)
    listen: Callable[[str, int], str | None] = field(default_factory=lambda: listen)
    page: Callable[[str], tuple[int, str] | None] = field(default_factory=lambda: page)
    gpu: Callable[[], GpuAnswer] = field(default_factory=lambda: find_gpu)

    def path(self, name: str | Path) -> Path:
        """Of the computer's file /``name``."""
        return self.root / str(name).lstrip("/")

    def name(self, path: Path) -> str:
        """The reverse: as the computer's user would write it."""
        return f"/{path.relative_to(self.root)}" if path.is_relative_to(self.root) else str(path)

    def text(self, name: str | Path) -> str | None:
        """A small file, stripped; None where it cannot be read."""
        with suppress(OSError, UnicodeDecodeError):
            return self.path(name).read_text(encoding="utf-8").strip()
        return None

    def has(self, name: str | Path) -> bool:
        with suppress(OSError):
            return self.path(name).exists()
        return False

    @property
    def in_container(self) -> bool:
        """Docker and Podman leave these."""
        return self.has("/.dockerenv") or self.has("/run/.containerenv")


def run_program(command: Sequence[str]) -> Answer | None:
    """One that only tells; what takes too long has no answer."""
    program = shutil.which(command[0], path=f"{os.defpath}:/usr/local/bin:/usr/sbin:/sbin")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, *command[1:]], capture_output=True, text=True, errors="replace", timeout=_PROGRAM_LIMIT_S,
            stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(-1, f"no answer within {_PROGRAM_LIMIT_S:.0f} s")
    except OSError as error:
        return Answer(-1, error.strerror or str(error))
    return Answer(done.returncode, (done.stdout + done.stderr).strip())


def whoami() -> Identity:
    """A user who has no name (a container's) is called by number."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Identity(name, uid, frozenset({*os.getgroups(), os.getegid()}))


def free_bytes(folder: Path) -> int:
    """Raises OSError."""
    return shutil.disk_usage(folder).free


def listen(host: str, port: int) -> str | None:
    """Try, and let go."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        return "it is taken" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
    return None


def page(url: str) -> tuple[int, str] | None:
    """What vcam itself might answer."""
    try:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(url, timeout=_PAGE_LIMIT_S) as answer:
            return answer.status, answer.read(_PAGE_BYTES).decode(errors="replace")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(_PAGE_BYTES).decode(errors="replace")
    except OSError:
        return None

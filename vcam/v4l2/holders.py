"""Who has a device open, as far as /proc lets us see."""

from contextlib import suppress
from dataclasses import dataclass
from os import getpid
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Holder:
    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"


def holders(device: Path, proc: Path = Path("/proc")) -> tuple[Holder, ...]:
    """Other processes with ``device`` open. Those of other users stay hidden without root."""
    node = str(device.resolve())
    found = []
    for process in sorted((entry for entry in proc.glob("[0-9]*") if entry.name.isdigit()), key=lambda p: int(p.name)):
        if int(process.name) != getpid() and _has_open(process, node):
            found.append(Holder(int(process.name), _command(process)))
    return tuple(found)


class Users:
    """Who keeps a device busy: looked for once as long as it stays so, whoever comes and goes. Where much runs, a look
    at each process takes a tenth of a second."""

    def __init__(self, device: Path) -> None:
        self._device = device
        self._named: str | None = None

    def names(self) -> str:
        """In words, to be asked when it was busy."""
        if self._named is None:
            self._named = ", ".join(map(str, holders(self._device))) or "another program"
        return self._named

    def forget(self) -> None:
        """It was not busy this time."""
        self._named = None


def _has_open(process: Path, node: str) -> bool:
    with suppress(OSError):
        for link in (process / "fd").iterdir():
            with suppress(OSError):
                if str(link.readlink()) == node:
                    return True
    return False


def _command(process: Path) -> str:
    with suppress(OSError):
        return (process / "comm").read_text().strip()
    return "a process"

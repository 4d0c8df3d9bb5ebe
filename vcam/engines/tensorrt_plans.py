"""The folder of built plans. A plan runs on the GPU, library and driver that it was built with and on no other.

So each is kept under the full list of what it depends on: one file for each list, written whole, checked each time it
is read (see vcam.engines.sealed_file). A plan of the same network, size, precision and engine, but of other
circumstances, is stale: it is told why, and a few are kept, since they serve again when the old GPU or driver returns.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vcam.engines.sealed_file import DamagedError, UnsafeError, make_folder, read_facts, read_sealed
from vcam.engines.tensorrt_key import SUFFIX, PlanKey
from vcam.errors import EngineError, EngineUnavailableError

FOLDER = "plans"
_STALE_KEPT = 2
_LOCK_RETRY_S = 0.1

logger = logging.getLogger(__name__)


class PlanStatus(StrEnum):
    """READY: can be loaded. STALE: there is one, of other circumstances. UNSAFE: somebody else may have written it."""

    READY = "ready"
    ABSENT = "absent"
    STALE = "stale"
    DAMAGED = "damaged"
    UNSAFE = "unsafe"


@dataclass(frozen=True, slots=True)
class PlanState:
    """path: where the plan is, or would be. why: a sentence without full stop; empty when it is ready."""

    status: PlanStatus
    path: Path
    why: str = ""


@dataclass(frozen=True, slots=True)
class PlanEntry:
    """A plan file. facts: its header's, empty where ``problem`` says why they cannot be trusted."""

    path: Path
    facts: Mapping[str, str]
    size_bytes: int = 0
    built_ns: int = 0
    problem: str = ""


def plan_folder(plan_dir: Path | None, models_dir: Path) -> Path:
    """Where plans are kept: as configured, or beside the prepared models."""
    return plan_dir or models_dir / FOLDER


class PlanFolder:
    """Plans on the disk. The folder is made by ``prepare``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Raises EngineUnavailableError unless the folder is there, ours, and closed to others."""
        try:
            make_folder(self.folder)
        except UnsafeError as error:
            raise EngineUnavailableError(
                f"plans are code, and cannot be kept in {self.folder}: {error}",
                hint=f"{error.remedy}, or set plan_dir to a folder of this user's own",
            ) from error
        except OSError as error:
            raise EngineUnavailableError(
                f"plans cannot be kept in {self.folder}: {error.strerror or error}",
                hint="set plan_dir to a folder that vcam may write to",
            ) from error

    def state(self, key: PlanKey) -> PlanState:
        """Whether the plan for ``key`` is here and whole. Reads all of it."""
        path = self.folder / key.file_name
        try:
            self._checked(path, key)
        except FileNotFoundError:
            return self._stale(path, key) or PlanState(PlanStatus.ABSENT, path, "none was built yet")
        except UnsafeError as error:
            return PlanState(PlanStatus.UNSAFE, path, str(error))
        except (DamagedError, OSError) as error:
            return PlanState(PlanStatus.DAMAGED, path, str(error))
        return PlanState(PlanStatus.READY, path)

    def read(self, key: PlanKey) -> memoryview:
        """The plan's bytes, checked. Raises EngineError when they are not there or not whole."""
        path = self.folder / key.file_name
        try:
            return self._checked(path, key)
        except (DamagedError, UnsafeError, OSError) as error:
            raise EngineError(
                f"the plan {path} cannot be loaded: {error}", hint=f"vcam model prepare -e {key.engine} builds it"
            ) from error

    def discard(self, key: PlanKey) -> None:
        """Remove a plan that its library refuses. Raises nothing: what cannot be removed is told by who reads it."""
        path = self.folder / key.file_name
        with suppress(OSError):
            path.unlink(missing_ok=True)
        logger.warning("plan.discarded", extra={"plan": path.name, "why": "its library refuses it"})

    def entries(self) -> list[PlanEntry]:
        """All plan files, by name; what they hold besides the header is not looked at."""
        if not self.folder.is_dir():
            return []
        return [_entry(path) for path in sorted(self.folder.glob(f"*{SUFFIX}"))]

    def tidy(self, key: PlanKey) -> None:
        """Remove all but the newest of the plans that ``key``'s has replaced. The lock is held."""
        others = [entry for entry in self._slot(key) if entry.path.name != key.file_name]
        others.sort(key=lambda entry: entry.built_ns, reverse=True)
        for entry in others[_STALE_KEPT:]:
            entry.path.unlink(missing_ok=True)
            logger.info("plan.removed", extra={"plan": entry.path.name, "why": f"stale; {_STALE_KEPT} newer are kept"})

    def sweep(self) -> None:
        """Remove what builds left that were killed. The lock is held."""
        for path in self.folder.glob(".*.tmp"):
            path.unlink(missing_ok=True)

    @contextmanager
    def lock(self, stop: Callable[[], bool]) -> Iterator[bool]:
        """One build at a time in a folder, over all processes. False: ``stop`` became true while another had it."""
        descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            yield _locked(descriptor, stop)
        finally:
            os.close(descriptor)  # unlocks

    def _checked(self, path: Path, key: PlanKey) -> memoryview:
        sealed = read_sealed(path)
        differences = key.differences(sealed.facts)
        if differences:
            raise DamagedError(f"it is another plan under this one's name: {differences}")
        return sealed.payload

    def _stale(self, path: Path, key: PlanKey) -> PlanState | None:
        known = [entry for entry in self._slot(key) if not entry.problem]
        if not known:
            return None
        newest = max(known, key=lambda entry: entry.built_ns)
        why = f"{newest.path.name} was built for others: {key.differences(newest.facts)}"
        return PlanState(PlanStatus.STALE, path, why)

    def _slot(self, key: PlanKey) -> list[PlanEntry]:
        return [entry for entry in self.entries() if entry.path.name.rpartition("-")[0] == key.slot]


def _entry(path: Path) -> PlanEntry:
    try:
        found = path.stat(follow_symlinks=False)
        return PlanEntry(path, read_facts(path), found.st_size, found.st_mtime_ns)
    except UnsafeError as error:
        return PlanEntry(path, {}, problem=f"not to be trusted: {error}")
    except (DamagedError, OSError) as error:
        return PlanEntry(path, {}, problem=f"damaged: {error}")


def _locked(descriptor: int, stop: Callable[[], bool]) -> bool:
    wait = threading.Event()
    while not stop():
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            wait.wait(_LOCK_RETRY_S)
        else:
            return True
    return False

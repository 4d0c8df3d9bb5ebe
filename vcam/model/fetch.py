"""Downloads a published network: resumed, from mirrors in order, checked before it counts; or takes a local copy.

Bytes go to ``<file>.part`` and become ``<file>`` by renaming, once size and SHA-256 are those of the manifest.
"""

import errno
import fcntl
import importlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from vcam.errors import MissingDependencyError, ModelError, ModelFetchError
from vcam.installing import how_to_add
from vcam.model.manifest import Manifest, ModelEntry
from vcam.model.onnx_file import check_file, sha256_of
from vcam.model.progress import Progress, ProgressCallback, Step, ignore

if TYPE_CHECKING:
    import httpx

ATTEMPTS = 3
"""Tries for each mirror; each goes on where the one before was cut off."""

TIMEOUT_S = 20.0
"""Without a byte for so long, a connection counts as cut."""

_PARTIAL, _RANGE_NOT_SATISFIABLE = 206, 416
_HINT = "fetch the file on another machine and import it: vcam model prepare --from FILE"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Imported:
    """A local file taken over. entry: the published network it is, None for the user's own."""

    path: Path
    entry: ModelEntry | None


class _MirrorError(Exception):
    """This mirror will not do; ``again``: the same one may, when asked once more."""

    def __init__(self, problem: str, *, again: bool) -> None:
        super().__init__(problem)
        self.again = again


def present(entry: ModelEntry, directory: Path) -> Path | None:
    """The network's file, if it is there and has the manifest's size and hash."""
    path = directory / entry.file
    return path if path.is_file() and _is_wanted(path, entry) else None


def fetch(entry: ModelEntry, directory: Path, progress: ProgressCallback = ignore) -> Path:
    """The network's file in ``directory``, downloaded unless it is there. Proxy variables are honoured.

    Raises ModelFetchError when no mirror delivers it or it cannot be written, MissingDependencyError.
    """
    found = present(entry, directory)
    if found:
        return found
    _require_httpx()
    import httpx

    target = directory / entry.file
    problems = []
    with (
        _disk_errors(directory),
        _part_file(directory, entry) as part,
        httpx.Client(follow_redirects=True, timeout=TIMEOUT_S, headers={"Accept-Encoding": "identity"}) as client,
    ):
        if present(entry, directory):  # another process was faster
            return target
        for url in entry.urls:
            try:
                _from_mirror(client, url, entry, part, progress)
            except _MirrorError as error:
                problems.append(f"{url}: {error}")
            else:
                Path(part.name).replace(target)
                for problem in problems:  # where none delivers, the error has them
                    logger.warning("model.mirror_failed", extra={"problem": problem})
                return target
    raise ModelFetchError(f"{entry.file} could not be downloaded. {'; '.join(problems)}", hint=_HINT)


def import_file(path: Path, directory: Path, manifest: Manifest) -> Imported:
    """Copy a local file into ``directory``: under its published name where its hash is known, else under its own.

    Raises ModelError when it is no file, cannot be copied, or another file of that name is there already.
    """
    check_file(path)
    entry = manifest.by_sha256(sha256_of(path))
    target = directory / (entry.file if entry else path.name)
    if not entry and any(path.name == published.file for published in manifest.entries):
        raise ModelError(
            f"{path} is not the published {path.name}: its SHA-256 differs; it may be truncated",
            hint="fetch it again, or rename it if it is a network of your own",
        )
    if target.exists() and path.samefile(target):
        return Imported(target, entry)
    if target.exists() and not entry and sha256_of(target) != sha256_of(path):
        raise ModelError(f"{target} is there already, and is another file", hint=f"rename {path}, or remove {target}")
    with _disk_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            shutil.copyfile(path, temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    return Imported(target, entry)


def _from_mirror(
    client: "httpx.Client", url: str, entry: ModelEntry, part: BinaryIO, progress: ProgressCallback
) -> None:
    """Fill ``part`` and check it. Raises _MirrorError once a further attempt would not help."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _download(client, url, entry, part, progress)
            _check_download(part, entry)
        except _MirrorError as error:
            if attempt == ATTEMPTS or not error.again:
                raise
        else:
            return


def _download(client: "httpx.Client", url: str, entry: ModelEntry, part: BinaryIO, progress: ProgressCallback) -> None:
    """Append to ``part`` what it lacks."""
    import httpx

    done = part.seek(0, os.SEEK_END)
    if done > entry.size_bytes:
        done = part.truncate(0)
    if done == entry.size_bytes:
        return
    headers = {"Range": f"bytes={done}-"} if done else {}
    try:
        with client.stream("GET", url, headers=headers) as response:
            done = _accept(response, done, entry, part)
            # As they arrive: chunks of a fixed size would lose the last bytes before a cut.
            for chunk in response.iter_bytes():
                done += len(chunk)
                if done > entry.size_bytes:
                    part.truncate(0)
                    raise _MirrorError(f"it sends more than the sought {entry.size_bytes} bytes", again=False)
                part.write(chunk)
                progress(Progress(Step.FETCH, done, entry.size_bytes))
    except httpx.HTTPStatusError as error:
        raise _MirrorError(f"HTTP status {error.response.status_code}", again=False) from error
    except httpx.TransportError as error:
        raise _MirrorError(f"{type(error).__name__}: {error}", again=True) from error
    except httpx.HTTPError as error:
        raise _MirrorError(f"{type(error).__name__}: {error}", again=False) from error
    finally:
        part.flush()


def _accept(response: "httpx.Response", done: int, entry: ModelEntry, part: BinaryIO) -> int:
    """Where the response's bytes go in the file; refuse what cannot be it (a login page, another release)."""
    if response.status_code == _RANGE_NOT_SATISFIABLE:
        part.truncate(0)
        raise _MirrorError("it refuses to go on where the download was cut off", again=True)
    response.raise_for_status()
    if response.status_code != _PARTIAL and done:
        done = 0  # a server without ranges starts again
        part.truncate(0)
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and done + int(length) != entry.size_bytes:
        raise _MirrorError(f"it offers {done + int(length)} bytes, sought are {entry.size_bytes}", again=False)
    return done


def _check_download(part: BinaryIO, entry: ModelEntry) -> None:
    done = part.tell()
    if done < entry.size_bytes:
        raise _MirrorError(f"the connection ended after {done} of {entry.size_bytes} bytes", again=True)
    if not _is_wanted(Path(part.name), entry):
        part.truncate(0)  # nothing tells which bytes are wrong
        raise _MirrorError("the file's SHA-256 is not the one in the manifest", again=True)


def _is_wanted(path: Path, entry: ModelEntry) -> bool:
    return path.stat().st_size == entry.size_bytes and sha256_of(path) == entry.sha256


@contextmanager
def _part_file(directory: Path, entry: ModelEntry) -> Iterator[BinaryIO]:
    """The unfinished download, for this process alone. It stays where it is when the download is cut off."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{entry.file}.part"
    with path.open("ab") as part:
        try:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ModelFetchError(
                f"{path} is being downloaded by another process", hint="wait for it to finish, or stop it"
            ) from error
        yield part
        if part.tell() == 0:
            path.unlink(missing_ok=True)


@contextmanager
def _disk_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise ModelFetchError(
            f"the model cannot be written to {directory}: {error.strerror or error}",
            hint=f"{'free some space there' if full else 'make that folder writable'}, or {_HINT}",
        ) from error


def _require_httpx() -> None:
    try:
        importlib.import_module("httpx")
    except ImportError as error:
        raise MissingDependencyError(
            "downloading a model needs the package httpx", hint=f"{how_to_add('model')}; or {_HINT}"
        ) from error

"""Files of which every byte is known to be ours: whole, owned by us, and in a place where nobody else can put another.

A plan is code: TensorRT runs what is in it. So a sealed file has a header with the facts that it was made from and the
SHA-256 of what follows, is written under another name and renamed when it is whole on the disk, and is read only from
a folder and a file that belong to this user (or root) and that no other user may write. The folder is opened once and
the file in it relative to that, so that neither can be exchanged between the check and the use.
"""

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAGIC = b"vcam sealed 1\n"
_HEADER_LIMIT = 1 << 16
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OWN_FOLDER = 0o700
_OWN_FILE = 0o600
_ROOT = 0


class DamagedError(Exception):
    """The file is not what was written: truncated, changed, or no sealed file at all."""


class UnsafeError(Exception):
    """Somebody else may have written it, or could. ``remedy`` is what the owner of the machine can do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Sealed:
    """facts: as they were given. payload: the bytes, checked."""

    facts: Mapping[str, str]
    payload: memoryview


def make_folder(folder: Path) -> None:
    """Make it, for this user alone, where it is not there, and check it. Raises OSError, UnsafeError."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):  # another process was quicker
            folder.mkdir(mode=_OWN_FOLDER)
    descriptor = _open_folder(folder)
    os.close(descriptor)


def write_sealed(path: Path, facts: Mapping[str, str], payload: bytes | memoryview) -> None:
    """Write a new file, to the disk. It is not there when this raises OSError. Rename it with ``publish``."""
    header = json.dumps({"facts": dict(facts), "nbytes": len(payload), "sha256": hashlib.sha256(payload).hexdigest()})
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _OWN_FILE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC + header.encode() + b"\n")
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def publish(temporary: Path, path: Path) -> None:
    """Give a written file its name, in the same folder, for good. Raises OSError."""
    temporary.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_sealed(path: Path) -> Sealed:
    """The whole file, checked. Raises FileNotFoundError, OSError, DamagedError, UnsafeError."""
    with _open(path) as file:
        facts, nbytes, digest = _read_header(file)
        payload = memoryview(file.read())
    if len(payload) != nbytes:
        raise DamagedError(f"it holds {len(payload)} bytes instead of {nbytes}")
    if hashlib.sha256(payload).hexdigest() != digest:
        raise DamagedError("its bytes are not those that were written")
    return Sealed(facts, payload)


def read_facts(path: Path) -> Mapping[str, str]:
    """The header's facts alone; what follows is not looked at. Raises as read_sealed does."""
    with _open(path) as file:
        return _read_header(file)[0]


def _read_header(file: BinaryIO) -> tuple[Mapping[str, str], int, str]:
    if file.read(len(_MAGIC)) != _MAGIC:
        raise DamagedError("it has no header of vcam's")
    try:
        header = json.loads(file.readline(_HEADER_LIMIT))
        return {str(key): str(value) for key, value in header["facts"].items()}, header["nbytes"], header["sha256"]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError("its header cannot be read") from error


def _open(path: Path) -> BinaryIO:
    folder = _open_folder(path.parent)
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        file = os.fdopen(os.open(path.name, flags, dir_fd=folder), "rb")
    finally:
        os.close(folder)
    try:
        _check(os.fstat(file.fileno()), path, "600")
    except UnsafeError:
        file.close()
        raise
    return file


def _open_folder(folder: Path) -> int:
    for above in folder.resolve().parents:
        mode = above.stat().st_mode
        if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise UnsafeError(f"anyone may write to {above}", f"chmod o-w {above}")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor), folder, "700")
    except UnsafeError:
        os.close(descriptor)
        raise
    return descriptor


def _check(found: os.stat_result, path: Path, mode: str) -> None:
    # Group members may write to a folder above, as distributions set up home folders: they cannot give a file to us.
    if found.st_uid not in (os.geteuid(), _ROOT):
        raise UnsafeError(
            f"{path} belongs to user {found.st_uid}, not to {os.geteuid()}", f"chown it, or remove {path}"
        )
    if found.st_mode & _OTHERS_WRITE:
        raise UnsafeError(f"other users may write to {path}", f"chmod {mode} {path}")

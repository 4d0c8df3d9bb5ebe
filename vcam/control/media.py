"""Media that were uploaded: files that were decoded and written anew, under names that are no paths."""

import hashlib
import logging
import re
import secrets
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel

from vcam.control.naming import files_in
from vcam.control.picture import make_safe
from vcam.control.refusal import RefusedError, conflict, not_found
from vcam.scene_settings import Values

_log = logging.getLogger(__name__)

MOST_FILES = 200
MOST_BYTES = 1 << 30
"""Of the whole folder."""

_UPLOAD = ".upload-"
_THUMBNAILS = "thumbnails"
MEDIA = r"[a-z0-9][a-z0-9-]{0,59}\.(jpg|png|webp|mp4)"
"""A file's name in the folder: chosen by us, so that it is no path."""
_NAME = re.compile(MEDIA)
_ABANDONED_S = 600.0
_STEM_LETTERS = 40
_HASH_LETTERS = 8
_CHUNK_BYTES = 1 << 20


class MediaKind(StrEnum):
    """What an upload has become."""

    PICTURE = "picture"
    VIDEO = "video"


_KINDS = {".jpg": MediaKind.PICTURE, ".png": MediaKind.PICTURE, ".webp": MediaKind.VIDEO, ".mp4": MediaKind.VIDEO}
_SCHEMES = {MediaKind.PICTURE: "image", MediaKind.VIDEO: "video"}
_TRANSPARENT = frozenset({".png", ".webp"})


class BackgroundView(BaseModel):
    """An upload. background: what shows it. transparent: parts of it are, so that it can be a layer."""

    name: str
    kind: MediaKind
    background: str
    transparent: bool
    size_bytes: int
    added: datetime
    in_use: bool


class MediaFolder:
    """Any thread. Nothing outside of it is ever read, written or told. ``path in media``: it is one of its files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._lock = threading.Lock()

    def views(self, scene: Values) -> list[BackgroundView]:
        """The files, by name. scene: the one in effect, as Config has it."""
        found = []
        for path in self._files():
            with suppress(FileNotFoundError):  # just deleted
                found.append(self.view(path, scene))
        return found

    def view(self, path: Path, scene: Values) -> BackgroundView:
        """One of them. Raises OSError."""
        status, kind = path.stat(), _KINDS[path.suffix]
        return BackgroundView(
            name=path.name,
            kind=kind,
            background=f"{_SCHEMES[kind]}:{path.name}",
            transparent=path.suffix in _TRANSPARENT,
            size_bytes=status.st_size,
            added=datetime.fromtimestamp(status.st_mtime, UTC),
            in_use=_is_in(path, scene),
        )

    def __contains__(self, path: object) -> bool:
        return isinstance(path, Path) and path.parent == self.folder and _is_ours(path)

    def find(self, name: str) -> Path:
        """Raises RefusedError (404)."""
        path = self.folder / name
        if not _NAME.fullmatch(name) or not _is_ours(path):
            raise not_found("background", name, where="/api/v1/backgrounds")
        return path

    def thumbnail(self, name: str) -> Path:
        """A small JPEG of it. Raises RefusedError (404)."""
        small = self._thumbnail(self.find(name))
        if not _is_ours(small):
            raise not_found("thumbnail of", name, where="/api/v1/backgrounds")
        return small

    def upload(self) -> tuple[Path, BinaryIO]:
        """A new file to write what arrives into; give it to ``add`` or ``discard``. Raises RefusedError."""
        self._check_room()
        try:
            (self.folder / _THUMBNAILS).mkdir(mode=0o750, parents=True, exist_ok=True)
            path = self.folder / f"{_UPLOAD}{secrets.token_hex(8)}"
            return path, path.open("xb")
        except OSError as error:
            raise unwritable(self.folder, error, setting="media_dir") from error

    def discard(self, upload: Path) -> None:
        for path in (upload, *_results(upload)):
            path.unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove what uploads left that a process did not survive."""
        with suppress(OSError):
            for path in self.folder.glob(f"{_UPLOAD}*"):
                if time.time() - path.stat().st_mtime > _ABANDONED_S:
                    path.unlink(missing_ok=True)

    def add(self, upload: Path, wanted: str) -> tuple[Path, bool]:
        """Take an uploaded file in, whose contents may be anything; where it is, and whether it is new.

        wanted: the name of the user's file. The same file gets the same name. Raises RefusedError, MediaError.
        """
        stem = f"{_stem(wanted)}-{_hash(upload)}"
        known = [path for path in self._files() if path.stem == stem]
        if known:
            return known[0], False
        result, small = _results(upload)
        facts = make_safe(upload, result, small, called=wanted or "the file")
        path = self.folder / (stem + facts.suffix)
        with self._lock:
            self._check_room(result.stat().st_size)
            small.replace(self._thumbnail(path))
            result.replace(path)
        size = f"{facts.width}x{facts.height}"
        _log.info("background.added", extra={"name_of_file": path.name, "kind": facts.kind, "size": size})
        return path, True

    def delete(self, name: str, scene: Values) -> None:
        """Raises RefusedError: there is none (404), or the scene in effect shows it (409)."""
        path = self.find(name)
        if _is_in(path, scene):
            raise conflict(f"{name} is shown now", hint="show another one, then delete it")
        with self._lock:
            path.unlink(missing_ok=True)
            self._thumbnail(path).unlink(missing_ok=True)
        _log.info("background.deleted", extra={"name_of_file": name})

    def _files(self) -> list[Path]:
        return sorted(filter(_is_ours, self.folder.iterdir())) if self.folder.is_dir() else []

    def _thumbnail(self, path: Path) -> Path:
        return self.folder / _THUMBNAILS / f"{path.stem}.jpg"

    def _check_room(self, more_bytes: int = 0) -> None:
        sizes = [path.stat().st_size for path in self._files()]
        if len(sizes) >= MOST_FILES or sum(sizes) + more_bytes > MOST_BYTES:
            limits = f"{MOST_FILES} files or {MOST_BYTES >> 20} MiB"
            raise conflict(f"the backgrounds have come to {limits}", hint="delete some of them")


def unwritable(folder: Path, error: OSError, *, setting: str) -> RefusedError:
    """The disk is full, or the folder is not ours."""
    return conflict(
        f"nothing can be written into the folder of {setting}: {error.strerror}",
        hint=f"set {setting} in vcam.toml to a folder that vcam may write (it is {folder.name} now)",
    )


def _is_ours(path: Path) -> bool:
    return _NAME.fullmatch(path.name) is not None and path.is_file() and not path.is_symlink()


def _is_in(path: Path, scene: Values) -> bool:
    return str(path) in {each for _, _, each in files_in(scene)}


def _results(upload: Path) -> tuple[Path, Path]:
    return upload.with_name(f"{upload.name}.result"), upload.with_name(f"{upload.name}.small")


def _stem(wanted: str) -> str:
    """Of the user's name, what is harmless."""
    letters = re.sub(r"[^a-z0-9]+", "-", Path(wanted).stem.lower()).strip("-")
    return letters[:_STEM_LETTERS].strip("-") or "file"


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()[:_HASH_LETTERS]

"""What a models folder holds, and whether it still holds good."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vcam.errors import ModelError
from vcam.model.fetch import present
from vcam.model.manifest import Manifest, ModelEntry, load_manifest
from vcam.model.onnx_file import sha256_of
from vcam.model.prepare import reverify
from vcam.model.store import Prepared, Store
from vcam.model.verify import Difference


class Presence(StrEnum):
    """Of a published network's file."""

    PRESENT = "present"
    PARTIAL = "partial"
    DAMAGED = "damaged"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Published:
    """A network of the manifest. size_bytes: of what is on disk, the unfinished download included."""

    entry: ModelEntry
    path: Path
    presence: Presence
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Status:
    """published: all of the manifest. prepared: all of the store, damaged ones too (``intact`` is False)."""

    published: tuple[Published, ...]
    prepared: tuple[Prepared, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """problem: None when the entry is good. difference: None when its original is not at hand to compare with."""

    entry: Prepared
    problem: str | None
    difference: Difference | None


def status(models_dir: Path, manifest: Manifest | None = None) -> Status:
    """Reads and hashes what is there; changes nothing. Raises ConfigError for a broken manifest."""
    known = manifest or load_manifest()
    published = tuple(_published(entry, models_dir) for entry in known.entries)
    return Status(published, tuple(Store(models_dir).entries()))


def verify(models_dir: Path, originals: Sequence[Path] = ()) -> Iterator[Verified]:
    """Check every prepared network: its hash, and numerically against its original, looked for by hash among
    ``originals`` and the files of the folder. Raises MissingDependencyError.
    """
    files = [*originals, *sorted(models_dir.glob("*.onnx"))]
    by_hash = {sha256_of(path): path for path in files if path.is_file()}
    for entry in Store(models_dir).entries():
        yield _verify(entry, by_hash.get(entry.recipe.source_sha256))


def _verify(entry: Prepared, original: Path | None) -> Verified:
    if not entry.intact:
        return Verified(entry, "damaged: it is made again when it is next needed", None)
    if original is None:
        return Verified(entry, None, None)
    try:
        return Verified(entry, None, reverify(entry, original))
    except ModelError as error:
        return Verified(entry, error.problem, None)


def _published(entry: ModelEntry, models_dir: Path) -> Published:
    path = models_dir / entry.file
    part = models_dir / f"{entry.file}.part"
    if present(entry, models_dir):
        return Published(entry, path, Presence.PRESENT, entry.size_bytes)
    if path.is_file():
        return Published(entry, path, Presence.DAMAGED, path.stat().st_size)
    if part.is_file():
        return Published(entry, path, Presence.PARTIAL, part.stat().st_size)
    return Published(entry, path, Presence.ABSENT, 0)

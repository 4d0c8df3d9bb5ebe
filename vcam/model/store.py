"""The folder of prepared networks: one ONNX file and one JSON sidecar for each, written atomically.

The sidecar is written last and holds the ONNX file's hash, so an entry is either whole or does not count.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from vcam.errors import ModelError
from vcam.frame import Size
from vcam.model.onnx_file import sha256_of
from vcam.stages import CoreModel
from vcam.whole_file import write_whole

PIPELINE_VERSION = 2
"""Counts changes of what preparation computes; it is part of every key."""

FOLDER = "prepared"
_KEY_DIGITS = 12
_READABLE = 0o644


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a prepared network is made from and how; equal recipes give equal networks.

    name: what users call the network; source_sha256: of the file it is cut from; precision: fp32 or fp16.
    """

    name: str
    source_sha256: str
    size: Size
    precision: str

    @property
    def key(self) -> str:
        """Stands for content and options in file names."""
        facts = f"{self.source_sha256} {self.size} {self.precision} {PIPELINE_VERSION}"
        return hashlib.sha256(facts.encode()).hexdigest()[:_KEY_DIGITS]

    @property
    def stem(self) -> str:
        """File name without suffix; whatever a path should not hold is replaced."""
        return f"{re.sub(r'[^A-Za-z0-9._-]+', '_', self.name)}-{self.size}-{self.precision}-{self.key}"


@dataclass(frozen=True, slots=True)
class Report:
    """What preparation found out. Differences in [0, 1] over the check's recurrent steps; largest, unless mean."""

    source: str
    refiner: str
    alpha_difference: float
    foreground_difference: float
    mean_alpha_difference: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """One entry of the folder. ``intact``: the ONNX file is the one that was written."""

    recipe: Recipe
    report: Report
    path: Path
    size_bytes: int
    sha256: str
    intact: bool

    @property
    def core(self) -> CoreModel:
        """The entry as engines take it."""
        return CoreModel(self.path, self.recipe.name, self.recipe.size, self.recipe.precision)


class Store:
    """``directory``/prepared. Made on the first write. Raises ModelError when it cannot be written."""

    def __init__(self, directory: Path) -> None:
        self.folder = directory / FOLDER

    def find(self, recipe: Recipe) -> Prepared | None:
        """The whole entry for a recipe; None where there is none, or a damaged one."""
        entry = _read_sidecar(self.folder / f"{recipe.stem}.json")
        return entry if entry is not None and entry.intact and entry.recipe == recipe else None

    def put(self, recipe: Recipe, network: bytes, report: Report) -> Prepared:
        """Write an entry, replacing any other for the recipe."""
        path = self.folder / f"{recipe.stem}.onnx"
        digest = hashlib.sha256(network).hexdigest()
        facts = {
            "name": recipe.name,
            "source_sha256": recipe.source_sha256,
            "width": recipe.size.width,
            "height": recipe.size.height,
            "precision": recipe.precision,
            "pipeline_version": PIPELINE_VERSION,
            "size_bytes": len(network),
            "sha256": digest,
            "report": asdict(report),
        }
        with _write_errors(self.folder):
            write_whole(path, network, _READABLE)
            write_whole(path.with_suffix(".json"), json.dumps(facts, indent=2).encode() + b"\n", _READABLE)
        return Prepared(recipe, report, path, len(network), digest, intact=True)

    def entries(self) -> list[Prepared]:
        """All entries, damaged ones too, by file name; files of other making are passed over."""
        sidecars = sorted(self.folder.glob("*.json")) if self.folder.is_dir() else []
        return [entry for entry in map(_read_sidecar, sidecars) if entry is not None]


@contextmanager
def _write_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ModelError(
            f"the prepared network cannot be written to {folder}: {error.strerror or error}",
            hint="free some space, or name another folder for models",
        ) from error


def _read_sidecar(path: Path) -> Prepared | None:
    """None where the sidecar is missing, damaged, or of another version."""
    try:
        facts = json.loads(path.read_bytes())
        if facts["pipeline_version"] != PIPELINE_VERSION:
            return None
        size = Size(facts["width"], facts["height"])
        recipe = Recipe(facts["name"], facts["source_sha256"], size, facts["precision"])
        report = Report(**facts["report"])
        wanted = (facts["size_bytes"], facts["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    network = path.with_suffix(".onnx")
    try:
        intact = (network.stat().st_size, sha256_of(network)) == wanted
    except OSError:
        intact = False
    return Prepared(recipe, report, network, *wanted, intact=intact)

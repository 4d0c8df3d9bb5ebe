"""From a published network to a core that an engine can run, step by step, each result kept.

fetch -> read -> cut -> specialise -> simplify -> (half) -> verify -> store. Only fetching needs a network.
"""

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from vcam.errors import ConfigError
from vcam.frame import Size
from vcam.model.cut import cut, refiner_kind
from vcam.model.fetch import fetch, present
from vcam.model.half import to_half
from vcam.model.manifest import DEFAULT_MODEL, Manifest, load_manifest
from vcam.model.onnx_file import check_file, read_model, require_libraries, sha256_of
from vcam.model.progress import Progress, ProgressCallback, Step, ignore
from vcam.model.specialise import simplify, specialise
from vcam.model.store import Prepared, Recipe, Report, Store
from vcam.model.verify import LIMITS, Difference, check, compare
from vcam.stages import CoreModel

HALF = "fp16"
PRECISIONS = tuple(LIMITS)
MIN_SIDE_PX = 32
"""The network halves its picture four times; below this nothing is left to see."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PrepareOptions:
    """models_dir: where networks are kept. model: a name from the manifest, or the path of an ONNX file.

    size: internal size in pixels. precision: one of PRECISIONS.
    """

    models_dir: Path
    size: Size
    model: str | Path = DEFAULT_MODEL
    precision: str = "fp32"


@dataclass(frozen=True, slots=True)
class Source:
    """A network's file, what users call it, and the SHA-256 of its bytes."""

    path: Path
    name: str
    sha256: str


def prepare(
    options: PrepareOptions, progress: ProgressCallback = ignore, *, manifest: Manifest | None = None
) -> CoreModel:
    """The core for ``options``, from the store where it is there already.

    Raises ConfigError (size, precision), ModelError, ModelFetchError, MissingDependencyError.
    """
    _check_options(options)
    source = locate(options.model, options.models_dir, progress, manifest=manifest)
    recipe = Recipe(source.name, source.sha256, options.size, options.precision)
    store = Store(options.models_dir)
    entry = store.find(recipe)
    if entry is None:
        require_libraries()
        entry = _make(store, recipe, source.path, progress)
        logger.info("model.prepared", extra={"model_path": str(entry.path), "seconds": entry.report.seconds})
    return entry.core


def find(options: PrepareOptions, *, manifest: Manifest | None = None) -> CoreModel | None:
    """The core for ``options``, if it is in the store; fetches and makes nothing.

    Raises ModelError when a network that is named by its path is not there.
    """
    known = manifest or load_manifest()
    published = next((entry for entry in known.entries if entry.name == options.model), None)
    if published is not None and present(published, options.models_dir) is None:
        return None
    source = locate(options.model, options.models_dir, manifest=known)
    entry = Store(options.models_dir).find(Recipe(source.name, source.sha256, options.size, options.precision))
    return None if entry is None else entry.core


def locate(
    model: str | Path, models_dir: Path, progress: ProgressCallback = ignore, *, manifest: Manifest | None = None
) -> Source:
    """Where a network is, fetched first if it is named in the manifest and not here. Raises ModelError."""
    known = manifest or load_manifest()
    if isinstance(model, str) and any(entry.name == model for entry in known.entries):
        entry = known.get(model)
        return Source(present(entry, models_dir) or fetch(entry, models_dir, progress), entry.name, entry.sha256)
    path = Path(model)
    if isinstance(model, str) and not path.suffix and not path.exists():
        known.get(model)  # raises, saying which names there are
    check_file(path)
    digest = sha256_of(path)
    published = known.by_sha256(digest)
    return Source(path, published.name if published else path.stem, digest)


def reverify(entry: Prepared, source: Path) -> Difference:
    """Run the numerical check of a prepared network again. Raises ModelError, ModelMismatchError."""
    require_libraries()
    difference = compare(read_model(source), read_model(entry.path), entry.recipe.size)
    check(difference, LIMITS[entry.recipe.precision])
    return difference


def _make(store: Store, recipe: Recipe, source: Path, progress: ProgressCallback) -> Prepared:
    began = time.perf_counter()
    progress(Progress(Step.READ))
    uncut = read_model(source)
    progress(Progress(Step.CUT))
    core = cut(uncut)
    refiner = refiner_kind(core)
    progress(Progress(Step.SPECIALISE))
    core = specialise(core, recipe.size)
    progress(Progress(Step.SIMPLIFY))
    core = simplify(core)
    if recipe.precision == HALF:
        progress(Progress(Step.HALF))
        core = to_half(core)
    progress(Progress(Step.VERIFY))
    difference = compare(uncut, core, recipe.size)
    check(difference, LIMITS[recipe.precision])
    progress(Progress(Step.STORE))
    seconds = round(time.perf_counter() - began, 3)
    report = Report(source.name, refiner, difference.alpha, difference.foreground, difference.mean_alpha, seconds)
    return store.put(recipe, core.SerializeToString(), report)


def _check_options(options: PrepareOptions) -> None:
    if options.precision not in PRECISIONS:
        raise ConfigError(
            f"no precision is named {options.precision!r}; known: {', '.join(PRECISIONS)}",
            hint="choose one of these",
        )
    if min(options.size.width, options.size.height) < MIN_SIDE_PX:
        raise ConfigError(
            f"internal size {options.size} is too small: each side needs {MIN_SIDE_PX} pixels",
            hint="raise --downsample, or choose a --quality",
        )

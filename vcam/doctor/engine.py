"""What finds the person: the engine, its network, its plan, and the disk they are kept on."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vcam.doctor.case import Case
from vcam.doctor.finding import Finding, fail, ok, skip, warn
from vcam.engine_names import EngineName
from vcam.engines.select import ENGINES, choose, look
from vcam.engines.tensorrt_plans import PlanFolder, plan_folder
from vcam.errors import EngineUnavailableError, VcamError
from vcam.model.manifest import DEFAULT_MODEL
from vcam.model.status import Presence, Published, status

CHECK, MODEL, PLAN, DISK = "engine", "network", "plan", "disk"

_PREPARE = "vcam model prepare"
_MB = 1e6
_PLENTY_BYTES, _LEAST_BYTES = 500e6, 50e6
_WITHOUT_NETWORK = frozenset({EngineName.AUTO, EngineName.PLATE})


def check_engine(case: Case) -> Sequence[Finding]:
    """Which one would run, and why."""
    try:
        choice = choose(replace(look(model=True), gpu=case.view.gpu()), case.config.engine)
    except EngineUnavailableError as error:
        return [fail(CHECK, error.problem, error.hint)]
    findings = [ok(CHECK, f"{choice.engine}: {choice.reason}")]
    if ENGINES[choice.engine].flavour is not None:
        findings.append(_plans(case, choice.engine))
    return findings


def check_model(case: Case) -> Sequence[Finding]:
    """Whether the network is here, whole."""
    if case.config.engine is EngineName.PLATE:
        return [skip(MODEL, "engine plate needs none")]
    named = case.config.model or DEFAULT_MODEL
    try:
        found = status(case.config.models_dir)
    except VcamError as error:
        return [fail(MODEL, error.problem, error.hint)]
    published = next((each for each in found.published if each.entry.name == named), None)
    if published is None:
        there = Path(named).is_file()
        return [ok(MODEL, named) if there else fail(MODEL, f"there is no network {named}", "vcam model status")]
    damaged = [each.path.name for each in found.prepared if each.recipe.name == named and not each.intact]
    ready = [str(each.recipe.size) for each in found.prepared if each.recipe.name == named and each.intact]
    if damaged:
        return [warn(MODEL, f"damaged: {', '.join(damaged)}; it is made again when it is needed", _PREPARE)]
    if ready:
        return [ok(MODEL, f"{named} is prepared at {', '.join(ready)}")]
    return [_unprepared(case, published)]


def check_disk(case: Case) -> Sequence[Finding]:
    """Room for networks and plans, in the folder they are kept in or would be made in."""
    folder = next(path for path in (case.config.models_dir, *case.config.models_dir.parents) if path.exists())
    try:
        free = case.view.free_bytes(folder)
    except OSError as error:
        return [warn(DISK, f"{folder}: {error.strerror or error}", "set models_dir to another folder")]
    facts, remedy = f"{free / _MB:,.0f} MB are free for {case.config.models_dir}", f"df -h {folder}"
    if free < _LEAST_BYTES:
        return [fail(DISK, facts, f"{remedy}  # free some space, or set models_dir to another disk")]
    if free < _PLENTY_BYTES:
        return [warn(DISK, facts, f"{remedy}  # a network with its plans may need 500 MB")]
    return [ok(DISK, facts)]


def _unprepared(case: Case, network: Published) -> Finding:
    name, size = network.entry.name, f"{network.entry.size_bytes / _MB:.0f} MB"
    if network.presence is Presence.PRESENT:
        return ok(MODEL, f"{name} is here; it is prepared at the first start", _PREPARE)
    broken = "" if network.presence is Presence.ABSENT else f", only a {network.presence} file"
    if case.config.model_download:
        return warn(MODEL, f"{name} is not here{broken}; {size} are fetched at the first start", _PREPARE)
    remedy = f"{_PREPARE} --from {network.entry.file}  # from {network.entry.urls[0]}"
    if case.config.engine in _WITHOUT_NETWORK:
        return warn(MODEL, f"{name} is not here{broken}, and may not be fetched: engine plate would run", remedy)
    return fail(MODEL, f"{name} is not here{broken}, and may not be fetched", remedy)


def _plans(case: Case, engine: EngineName) -> Finding:
    folder = plan_folder(case.config.plan_dir, case.config.models_dir)
    entries = [entry for entry in PlanFolder(folder).entries() if f"-{engine}-" in entry.path.name]
    bad = [entry for entry in entries if entry.problem]
    remedy = f"{_PREPARE} -e {engine}"
    if bad:
        return warn(PLAN, f"{bad[0].path}: {bad[0].problem}; it is built again", remedy)
    if not entries:
        return ok(PLAN, f"none in {folder} yet: the first start builds one, another engine runs meanwhile", remedy)
    return ok(PLAN, f"{len(entries)} in {folder}")

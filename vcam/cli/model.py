"""``vcam model``: fetch and prepare networks, tell what is there, check it again."""

import os
from pathlib import Path

from rich.console import Console
from rich.table import Table

from vcam.cli.display import Display
from vcam.cli.options import ModelFolderOptions, PrepareCommandOptions, typed
from vcam.config import Config, find_config_file, load_config
from vcam.cuda.probe import find_gpu
from vcam.engine_names import EngineName
from vcam.engines.sealed_file import read_facts
from vcam.engines.select import ENGINES, choose, look
from vcam.engines.tensorrt_builder import ensure_plan
from vcam.engines.tensorrt_flavour import Flavour
from vcam.engines.tensorrt_key import PlanRequest
from vcam.engines.tensorrt_plans import PlanFolder, plan_folder
from vcam.engines.tensorrt_survey import Judged, Survey
from vcam.errors import ConfigError, ModelError
from vcam.frame import Size
from vcam.model.fetch import import_file
from vcam.model.manifest import DEFAULT_MODEL, load_manifest
from vcam.model.prepare import HALF, PrepareOptions
from vcam.model.prepare import prepare as prepare_model
from vcam.model.status import Presence, Published, Verified, status, verify
from vcam.model.store import Prepared
from vcam.service import logs
from vcam.stages import CoreModel

_FULL = "fp32"
_BYTES_PER_MB = 1e6


def prepare(options: PrepareCommandOptions) -> None:
    """Fetch or import a network and make it ready for one internal size and engine, plan included.

    Raises ModelError, EngineError, EngineUnavailableError.
    """
    config = _load(options.config, typed(options, but=frozenset({"config", "from_file"})))
    console = Console()
    model: str | Path = options.from_file or config.model or DEFAULT_MODEL
    flavour = _flavour(config.engine)
    # On processors float32 is as fast, and exact.
    half = config.fp16 and flavour is not None
    size = config.internal_size(Size(config.width, config.height))
    wanted = PrepareOptions(config.models_dir, size, model, HALF if half else _FULL)
    with Display(Console(stderr=True)) as display:
        core = prepare_model(wanted, display.model)
    if options.from_file is not None:  # only now: a file that is no network must not come among the models
        imported = import_file(options.from_file, config.models_dir, load_manifest())
        console.print(f"imported {options.from_file} as {imported.path}", highlight=False, soft_wrap=True)
    console.print(f"ready: {core.name} at {core.size} in {core.precision}", highlight=False)
    console.print(str(core.path), highlight=False, soft_wrap=True)
    if flavour is not None:
        _build_plan(config, core, flavour, console)


def show_status(options: ModelFolderOptions) -> None:
    """What the folder of models holds."""
    config = _load(options.config, typed(options))
    found = status(config.models_dir)
    console = Console()
    console.print(f"models are kept in {config.models_dir}", highlight=False, soft_wrap=True)
    console.print(_published(found.published))
    if found.prepared:
        console.print(_prepared(found.prepared))
    else:
        console.print("Nothing is prepared yet: vcam model prepare")
    folder = PlanFolder(plan_folder(config.plan_dir, config.models_dir))
    cores = [each.core for each in found.prepared if each.intact]
    for number, judged in enumerate(Survey(cores, find_gpu().facts).judge(folder)):
        if not number:
            console.print(f"plans are kept in {folder.folder}", highlight=False, soft_wrap=True)
        console.print(_plan_line(judged), highlight=False, soft_wrap=True)


def check(options: ModelFolderOptions) -> None:
    """Check what is prepared. Raises ModelError when something is wrong with it."""
    config = _load(options.config, typed(options))
    console = Console()
    wrong = []
    for result in verify(config.models_dir):
        console.print(f"{result.entry.path.name}: {_verdict(result)}", highlight=False, soft_wrap=True)
        if result.problem is not None:
            wrong.append(result.entry.path.name)
    if wrong:
        raise ModelError(f"not usable: {', '.join(wrong)}", hint="vcam model prepare makes them again")


def _load(file: Path | None, overrides: dict[str, object]) -> Config:
    config = load_config(find_config_file(file), os.environ, overrides)
    logs.configure(config.log_level, config.log_format)
    if config.models_dir.exists() and not config.models_dir.is_dir():
        raise ConfigError(f"{config.models_dir} is no folder", hint="give models_dir the folder of networks")
    return config


def _flavour(engine: EngineName) -> Flavour | None:
    """The library that builds a plan for the engine, or for what ``auto`` means here; None where there is no plan."""
    return ENGINES[choose(look(model=True)).engine if engine is EngineName.AUTO else engine].flavour


def _build_plan(config: Config, core: CoreModel, flavour: Flavour, console: Console) -> None:
    request = PlanRequest(core, flavour, plan_folder(config.plan_dir, config.models_dir), find_gpu().facts)
    with Display(Console(stderr=True)) as display:
        path = ensure_plan(request, lambda progress: display.plan(progress.share))
    facts = read_facts(path)
    console.print(f"plan of {flavour} {facts['library']} for {facts['gpu']}:", highlight=False, soft_wrap=True)
    console.print(str(path), highlight=False, soft_wrap=True)


def _plan_line(judged: Judged) -> str:
    entry = judged.entry
    about = f" ({entry.facts['gpu']}; {entry.size_bytes / _BYTES_PER_MB:.1f} MB)" if "gpu" in entry.facts else ""
    return f"{entry.path.name}: {judged.told}{about}"


def _verdict(result: Verified) -> str:
    if result.problem is not None:
        return result.problem
    if result.difference is None:
        return "whole; its original is not here to compare with"
    return f"good: alpha differs from the original by at most {result.difference.alpha:.1e}"


def _published(networks: tuple[Published, ...]) -> Table:
    table = Table(title="Published networks (vcam run -m NAME)", title_justify="left")
    for column in ("name", "file", "size", "licence"):
        table.add_column(column)
    for network in networks:
        size = f"{network.size_bytes / _BYTES_PER_MB:.1f} of {network.entry.size_bytes / _BYTES_PER_MB:.1f} MB"
        told = "absent" if network.presence is Presence.ABSENT else f"{network.presence}, {size}"
        table.add_row(network.entry.name, network.entry.file, told, network.entry.licence)
    return table


def _prepared(networks: tuple[Prepared, ...]) -> Table:
    table = Table(title="Prepared", title_justify="left")
    for column in ("network", "internal size", "precision", "alpha differs by", "state"):
        table.add_column(column)
    for each in networks:
        state = "whole" if each.intact else "damaged"
        difference = f"{each.report.alpha_difference:.1e}"
        table.add_row(each.recipe.name, str(each.recipe.size), each.recipe.precision, difference, state)
    return table

"""What the user may choose while vcam runs, and what hinders the rest: looked at beforehand, because an engine that
cannot run at all ends the process."""

from dataclasses import dataclass, replace
from pathlib import Path

from vcam.config import Config
from vcam.engine_names import EngineName
from vcam.engines.select import ENGINES, choose, look
from vcam.errors import EngineUnavailableError, VcamError
from vcam.sources.spec import SourceKind, parse_source


@dataclass(frozen=True, slots=True)
class EngineOffer:
    """problem: why it cannot run here, and hint: what to do; None where it can."""

    engine: EngineName
    problem: str | None = None
    hint: str | None = None


def engine_offers(config: Config) -> list[EngineOffer]:
    """All engines. Looks at files and at the GPU, which takes a moment; loads nothing."""
    available = replace(look(model=True), model=_has_network(config))
    offers = [EngineOffer(EngineName.AUTO)]
    for name in ENGINES:
        try:
            choose(available, name)
            offers.append(EngineOffer(name))
        except EngineUnavailableError as error:
            offers.append(EngineOffer(name, error.problem, error.hint))
    return offers


def camera_path(config: Config) -> Path | None:
    """The camera's node; None where pictures come from a file or a drawn scene."""
    spec = parse_source(config.input)
    return spec.path if spec.kind is SourceKind.CAMERA else None


def _has_network(config: Config) -> bool:
    """Here, not only to be had: an engine whose network cannot be fetched would end the process, too."""
    from vcam.model.manifest import DEFAULT_MODEL
    from vcam.model.status import Presence, status

    named = config.model or DEFAULT_MODEL
    if Path(named).is_file():
        return True
    try:
        found = status(config.models_dir)
    except VcamError:
        return False
    published = any(each.entry.name == named and each.presence is Presence.PRESENT for each in found.published)
    return published or any(each.recipe.name == named and each.intact for each in found.prepared)

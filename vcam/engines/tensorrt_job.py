"""What the process that builds a plan is told, and what it tells: one line of JSON each."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeAlias

from vcam.engines.tensorrt_flavour import BuildOptions, Flavour
from vcam.engines.tensorrt_progress import BuildProgress
from vcam.errors import (
    EngineError,
    EngineUnavailableError,
    ModelError,
    ModelMismatchError,
    VcamError,
)
from vcam.frame import Size
from vcam.stages import CoreModel

_ERRORS = {each.__name__: each for each in (EngineError, EngineUnavailableError, ModelError, ModelMismatchError)}


@dataclass(frozen=True, slots=True)
class Job:
    """Build the plan of ``core`` into the new file ``output``, sealed with ``facts``.

    version: of the library; another one must not build. timing_cache: a file to learn from and to renew, sealed with
    ``timing_facts``; None where there is nothing to learn.
    """

    core: CoreModel
    flavour: Flavour
    version: str
    options: BuildOptions
    output: Path
    facts: Mapping[str, str]
    timing_cache: Path | None
    timing_facts: Mapping[str, str]

    def to_line(self) -> bytes:
        return json.dumps(asdict(self), default=str).encode() + b"\n"

    @staticmethod
    def from_line(line: bytes) -> "Job":
        told = json.loads(line)
        core = told["core"]
        timing_cache = told["timing_cache"]
        return Job(
            CoreModel(Path(core["path"]), core["name"], Size(**core["size"]), core["precision"]),
            Flavour(told["flavour"]),
            told["version"],
            BuildOptions(**told["options"]),
            Path(told["output"]),
            told["facts"],
            Path(timing_cache) if timing_cache is not None else None,
            told["timing_facts"],
        )


@dataclass(frozen=True, slots=True)
class Done:
    """The plan is written. layers: of the parsed network."""

    layers: int
    nbytes: int


Message: TypeAlias = BuildProgress | Done | VcamError


def encode(message: Message) -> bytes:
    """One line."""
    if isinstance(message, VcamError):
        known = type(message).__name__ if type(message).__name__ in _ERRORS else EngineError.__name__
        told: dict[str, object] = {"error": known, "problem": message.problem, "hint": message.hint}
    elif isinstance(message, Done):
        told = {"done": asdict(message)}
    else:
        told = {"progress": asdict(message)}
    return json.dumps(told).encode() + b"\n"


def decode(line: bytes) -> Message | None:
    """None for what is no message: libraries print, too."""
    try:
        told = json.loads(line)
        if "error" in told:
            return _ERRORS[told["error"]](str(told["problem"]), hint=str(told["hint"]))
        if "done" in told:
            return Done(**told["done"])
        return BuildProgress(**told["progress"])
    except (ValueError, KeyError, TypeError):
        return None

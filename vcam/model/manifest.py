"""The networks that vcam knows by name: models/manifest.toml, read into types."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from vcam.errors import ConfigError, ModelError

DEFAULT_MODEL = "rvm_mobilenetv3_fp32"
"""The network that is used when none is named."""

_PACKAGED = Path(__file__).with_name("manifest.toml")
"""Where a wheel has it: the build installs the file beside this module."""
_CHECKOUT = Path(__file__).parents[2] / "models" / "manifest.toml"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

V = TypeVar("V", str, int)


class Refiner(StrEnum):
    """How a Robust Video Matting export makes its coefficients."""

    DEEP = "deep"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One published network. size_bytes and sha256 are those of ``file``; urls are mirrors, in order."""

    name: str
    file: str
    title: str
    origin: str
    licence: str
    urls: tuple[str, ...]
    sha256: str
    size_bytes: int
    refiner: Refiner
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """All entries, in the file's order."""

    entries: tuple[ModelEntry, ...]

    def get(self, name: str) -> ModelEntry:
        """Raises ModelError, naming what there is."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        known = ", ".join(entry.name for entry in self.entries)
        raise ModelError(f"no model is named {name!r}; known: {known}", hint="name one of these or an ONNX file")

    def by_sha256(self, digest: str) -> ModelEntry | None:
        """The entry whose file has that hash, whatever the file is called."""
        return next((entry for entry in self.entries if entry.sha256 == digest), None)


def load_manifest(path: Path | None = None) -> Manifest:
    """The manifest of this installation, or the one in ``path``. Raises ConfigError."""
    chosen = path or (_PACKAGED if _PACKAGED.is_file() else _CHECKOUT)
    try:
        table = tomllib.loads(chosen.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"model manifest {chosen} cannot be read: {error}", hint=f"restore {chosen}") from error
    raw = table.get("model")
    if not isinstance(raw, list) or not all(isinstance(each, dict) for each in raw):
        raise _invalid(chosen, "it has no [[model]] tables")
    try:
        return Manifest(tuple(_entry(each) for each in raw))
    except ValueError as error:
        raise _invalid(chosen, str(error)) from error


def _entry(raw: Mapping[str, object]) -> ModelEntry:
    entry = ModelEntry(
        name=_value(raw, "name", str),
        file=_value(raw, "file", str),
        title=_value(raw, "title", str),
        origin=_value(raw, "origin", str),
        licence=_value(raw, "licence", str),
        urls=_strings(raw, "urls"),
        sha256=_value(raw, "sha256", str),
        size_bytes=_value(raw, "size_bytes", int),
        refiner=Refiner(_value(raw, "refiner", str)),
        inputs=_strings(raw, "inputs"),
        outputs=_strings(raw, "outputs"),
    )
    unknown = set(raw) - set(ModelEntry.__dataclass_fields__)
    if unknown:
        raise ValueError(f"{entry.name}: unknown keys {', '.join(sorted(unknown))}")
    if not _SHA256.fullmatch(entry.sha256) or entry.size_bytes <= 0 or not entry.urls:
        raise ValueError(f"{entry.name}: sha256, size_bytes or urls is not usable")
    # The file's name becomes part of a path; a manifest must not be able to write elsewhere.
    if not _PLAIN_NAME.fullmatch(entry.file) or not _PLAIN_NAME.fullmatch(entry.name):
        raise ValueError(f"{entry.name}: name and file must be plain names")
    return entry


def _value(raw: Mapping[str, object], key: str, kind: type[V]) -> V:
    value = raw.get(key)
    if not isinstance(value, kind):
        raise ValueError(f"{key} must be {kind.__name__}, got {value!r}")
    return value


def _strings(raw: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = raw.get(key)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError(f"{key} must be a list of strings, got {value!r}")
    if not all(isinstance(each, str) for each in value):
        raise ValueError(f"{key} must be a list of strings, got {value!r}")
    return tuple(str(each) for each in value)


def _invalid(path: Path, problem: str) -> ConfigError:
    return ConfigError(f"model manifest {path} is not valid: {problem}", hint=f"restore {path}")

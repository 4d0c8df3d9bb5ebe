"""Where settings come from: options, what --set assigns, variables, a file; and how each place spells a key."""

import difflib
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from vcam.errors import ConfigError

FILE_NAME = "vcam.toml"
_PREFIX = "VCAM_"
_OF_TESTS = "VCAM_TEST_"
"""Variables that speak to the test suite; they may stand in the environment of every vcam that it starts."""

_ALIKE, _ALIKE_IF_SHORT, _SHORT = 0.6, 0.65, 4
"""How alike a key must be to be meant. Any two of four letters stand in some other key."""


@dataclass(frozen=True, slots=True)
class Layer:
    """Values by key from one place. names: how the user called each, with the place. spell: how one calls any key."""

    values: Mapping[str, object]
    names: Mapping[str, str]
    spell: Callable[[str], str] = str


def of_options(values: Mapping[str, object]) -> Layer:
    """By key, as the command line's options were typed."""
    return Layer(values, {key: _flag(key) for key in values}, _flag)


def of_assignments(values: Mapping[str, object]) -> Layer:
    """By key as it was typed, with dashes or without."""
    return Layer({key_of(typed): value for typed, value in values.items()}, {key_of(typed): typed for typed in values})


def of_variables(environ: Mapping[str, str], not_empty: Collection[str]) -> Layer:
    """VCAM_* variables. An empty one of the keys ``not_empty`` is as if it were not there."""
    names = {
        name.removeprefix(_PREFIX).lower(): name
        for name in sorted(environ)
        if name.startswith(_PREFIX) and not name.startswith(_OF_TESTS)
    }
    values = {key: environ[name] for key, name in names.items() if environ[name] or key not in not_empty}
    return Layer(values, names, _variable)


def of_file(file: Path | None) -> Layer:
    """None: no file. Raises ConfigError."""
    if file is None:
        return Layer({}, {})
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"settings file {file} cannot be read: {error}", hint=f"check {file}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"settings file {file} is not valid TOML: {error}",
            hint=f'mend that line of {file}; text stands in quotes: key = "value"',
        ) from error
    return Layer(values, {key: f"{key} in {file}" for key in values})


def refuse_unknown(layer: Layer, known: Collection[str]) -> None:
    """Raises ConfigError for a key that is none, with the nearest one."""
    for key in layer.values:
        if key in known:
            continue
        alike = _ALIKE_IF_SHORT if len(key) <= _SHORT else _ALIKE
        near = difflib.get_close_matches(key, known, n=1, cutoff=alike)
        hint = f"did you mean {layer.spell(near[0])}?" if near else f"{FILE_NAME} of the repository lists all settings"
        raise ConfigError(f"there is no setting {layer.names[key]}", hint=hint, key=key)


def key_of(typed: str) -> str:
    """What a setting is called here."""
    return typed.replace("-", "_")


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _variable(key: str) -> str:
    return _PREFIX + key.upper()

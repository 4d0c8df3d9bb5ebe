"""Backgrounds and layers have two texts: ours for vcam.toml, with paths, and the API's, with names of files."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

from vcam.errors import ConfigError
from vcam.scene.named import FileRole, Named, divided_background, divided_layer
from vcam.scene_settings import Values

Change: TypeAlias = Callable[[FileRole, str], str | Path]

_DIVIDED: Mapping[str, Callable[[str], Named]] = MappingProxyType(
    {"background": divided_background, "layers": divided_layer}
)
"""The settings that can name files."""


def with_files(key: str, text: str, change: Change) -> str:
    """The text of this setting with other paths or names; as it is where it has none.

    Raises ConfigError: it is no layer, or a path cannot stand in it, so that it would be read as another one.
    """
    divided = _DIVIDED[key]
    old = divided(text)
    if not old.files:
        return text
    new = old.renamed(lambda role, path: str(change(role, path)))
    if not _stands(new, divided):
        raise ConfigError(
            f"the path of {', '.join(map(name_of, old.files.values()))} cannot stand in {key}",
            hint="give that file a name, and media_dir a path, without commas, equals signs and spaces at the ends",
        )
    return str(new)


def all_with_files(values: Mapping[str, object], change: Change) -> Values:
    """The same for values of the scene's keys. Raises ConfigError."""
    return {key: _changed(key, value, change) for key, value in values.items()}


def files_in(values: Mapping[str, object]) -> Iterator[tuple[str, FileRole, str]]:
    """All paths or names in values of the scene's keys, each with its key and what it is for. Raises ConfigError."""
    for key in _DIVIDED.keys() & values.keys():
        for text in texts_of(values[key]):
            for role, path in _DIVIDED[key](text).files.items():
                yield key, role, path


def texts_of(value: object) -> list[str]:
    """A setting is one text or several."""
    return [each for each in (value if isinstance(value, list | tuple) else (value,)) if isinstance(each, str)]


def name_of(path: str) -> str:
    """What the API tells of a file."""
    return Path(path).name or path


def shown(values: Mapping[str, object]) -> Values:
    """Values of the scene's keys as the API tells them: of each file only its name. Raises ConfigError."""
    return all_with_files(values, lambda _, path: name_of(path))


def _stands(new: Named, divided: Callable[[str], Named]) -> bool:
    """Whether who reads the text sees the same parts."""
    try:
        return divided(str(new)) == new
    except ConfigError:
        return False


def _changed(key: str, value: object, change: Change) -> object:
    if key not in _DIVIDED or value is None:
        return value
    if isinstance(value, list | tuple):
        return type(value)(with_files(key, text, change) for text in value)
    return with_files(key, str(value), change)

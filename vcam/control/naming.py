"""Backgrounds and layers have two texts: ours for vcam.toml, with paths, and the API's, with names of uploads."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

from vcam.scene_settings import Values

Change: TypeAlias = Callable[[str], str | Path]

_MEDIA = re.compile(r"(?s)(\s*(?:image|video|slides):)(.*?)((?:,\s*[a-z_]+=[^,]*)*)")
"""The kind; the path, which may hold commas; the options."""
_FILE_OPTION = re.compile(r"((?:,\s*)(?:mask|font)=)([^,]*)")
_PLATE = "text:"


def with_media(text: str, change: Change) -> str:
    """The text with other paths or names, those of masks and fonts, too; as it is where it has none."""
    if text.lstrip().startswith(_PLATE):
        return _options_changed(text, change)
    parts = _MEDIA.fullmatch(text)
    if parts is None or not parts[2].strip():
        return text
    return f"{parts[1]}{change(parts[2].strip())}{_options_changed(parts[3], change)}"


def media_of(text: str) -> list[str]:
    """The paths or names in one background or layer; first that of the picture, if it has one."""
    found: list[str] = []

    def note(path: str) -> str:
        found.append(path)
        return path

    with_media(text, note)
    return found


def all_with_media(values: Mapping[str, object], change: Change) -> Values:
    """The same for values of the scene's keys."""
    return {key: _changed(value, change) for key, value in values.items()}


def media_in(values: Mapping[str, object]) -> set[str]:
    """All paths or names in values of the scene's keys."""
    texts = [each for value in values.values() for each in (value if isinstance(value, list | tuple) else (value,))]
    return {path for each in texts if isinstance(each, str) for path in media_of(each)}


def shown(text: str) -> str:
    """The text as the API tells it: of each file only its name."""
    return with_media(text, lambda path: Path(path).name)


def _options_changed(options: str, change: Change) -> str:
    return _FILE_OPTION.sub(lambda option: f"{option[1]}{change(option[2].strip())}", options)


def _changed(value: object, change: Change) -> object:
    if isinstance(value, str):
        return with_media(value, change)
    if isinstance(value, list | tuple):
        return type(value)(_changed(each, change) for each in value)
    return value

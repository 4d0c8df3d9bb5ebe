"""How backgrounds and layers are written: a kind, what stands behind its colon, options behind commas.

One grammar for all who read it: the parsers of the scene, and those who put other paths into a text.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from vcam.errors import ConfigError

LAYER_FORMS = "image:PATH, video:PATH, text:NAME or text:NAME,SECOND LINE, each with ,x= ,y= ,width= ,opacity= ,anchor="


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    SLIDES = "slides"


class LayerKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    TEXT = "text"


class FileRole(StrEnum):
    """What a text names a file for."""

    IMAGE = "image"
    VIDEO = "video"
    SLIDES = "slides"
    MASK = "mask"
    FONT = "font"


_FILE_OPTIONS = (FileRole.MASK, FileRole.FONT)
"""Roles of files that options name."""


@dataclass(frozen=True, slots=True)
class Named:
    """A background or layer in its parts. kind: not checked. head: what stands between; None without a colon."""

    kind: str
    head: str | None
    options: Mapping[str, str]

    def __str__(self) -> str:
        head = "" if self.head is None else f":{self.head}"
        return self.kind + head + "".join(f",{name}={value}" for name, value in self.options.items())

    @property
    def files(self) -> dict[FileRole, str]:
        """The paths in it."""
        found = {FileRole(self.kind): self.head} if self.head and self.kind in tuple(MediaKind) else {}
        return found | {FileRole(name): path for name, path in self.options.items() if name in _FILE_OPTIONS}

    def renamed(self, change: Callable[[FileRole, str], str]) -> "Named":
        """The same with other paths."""
        new = {role: change(role, path) for role, path in self.files.items()}
        head = new.get(FileRole(self.kind), self.head) if self.kind in tuple(MediaKind) else self.head
        options = {name: new[FileRole(name)] if name in _FILE_OPTIONS else v for name, v in self.options.items()}
        return Named(self.kind, head, options)


_BACKDROP_OPTION = re.compile(r"(?s)(.*),(fit|anchor|every|fade)=([^,]*)")
COMMA = re.compile(r"(?<!\\),")
"""One that divides; no other stands behind a backslash."""
_LAYER_OPTION = re.compile(r"\s*([a-z_]+)=(.*)", re.DOTALL)
_LAYER_OPTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        LayerKind.IMAGE: ("x", "y", "width", "opacity", "anchor", "mask"),
        LayerKind.VIDEO: ("x", "y", "width", "opacity", "anchor", "mask"),
        LayerKind.TEXT: ("x", "y", "width", "opacity", "anchor", "font"),
    }
)


def divided_background(text: str) -> Named:
    """A path may hold any character; of an option that stands there twice the last one counts."""
    kind, colon, rest = text.strip().partition(":")
    options: dict[str, str] = {}
    if kind in tuple(MediaKind):
        while match := _BACKDROP_OPTION.fullmatch(rest):
            rest = match[1]
            options.setdefault(match[2], match[3].strip())
    return Named(kind, rest.strip() if colon else None, dict(reversed(options.items())))


def divided_layer(text: str) -> Named:
    """Raises ConfigError: an unknown kind, an option that it has not, or that stands there twice."""
    kind, _, rest = text.strip().partition(":")
    if kind not in _LAYER_OPTIONS:
        raise ConfigError(
            f"layer {text!r} is unknown{nearest(kind, tuple(LayerKind))}",
            hint=f"write each of layers as one of: {LAYER_FORMS}",
        )
    parts = COMMA.split(rest)
    first = next((k for k, part in enumerate(parts) if _LAYER_OPTION.fullmatch(part)), len(parts))
    options: dict[str, str] = {}
    for part in parts[first:]:
        match = _LAYER_OPTION.fullmatch(part)
        name, value = (match[1], match[2].strip()) if match else (part, "")
        if name not in _LAYER_OPTIONS[kind] or name in options or not value:
            raise ConfigError(
                f"layer {text!r}: {part.strip()!r} is no option of {kind}, or stands there twice",
                hint=f"options are {', '.join(f'{option}=' for option in _LAYER_OPTIONS[kind])}, behind all else; "
                "write \\, for a comma that divides nothing",
            )
        options[name] = value
    return Named(kind, ",".join(parts[:first]).strip(), options)


def nearest(word: str, known: tuple[str, ...]) -> str:
    """The end of a sentence about a word that is unknown."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"; did you mean {str(near[0])!r}?" if near else ""

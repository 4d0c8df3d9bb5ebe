"""The config file of Linux-Fake-Background-Webcam (lfbw), and what is told of its options."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from vcam.errors import ConfigError

HINT = "give the file that lfbw was started with: lfbw -c FILE"

_MOST_BYTES = 1 << 20
_LINE = re.compile(r"(?:--)?(?P<key>[A-Za-z0-9_-]+)\s*(?:[:=\s]\s*(?P<value>.*))?")
_COMMENT = re.compile(r"\s[;#].*$")
_TRUE, _FALSE = frozenset({"", "yes", "true", "on", "1"}), frozenset({"no", "false", "off", "0"})


class Fate(StrEnum):
    SAME = "same"
    BETTER = "better"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one option, for people."""

    option: str
    fate: Fate
    text: str


@dataclass(slots=True)
class Import:
    """values: by key of vcam.toml. folder: where paths that are relative are looked for."""

    folder: Path
    options: Mapping[str, str]
    values: dict[str, object] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)

    def tell(self, option: str, fate: Fate, text: str) -> None:
        """option: one or several, each followed by what of it where that matters; told of those in the file."""
        parts = option.split(", ")
        given = [part for part in parts if part.split()[0] in self.options]
        self.told.append(Told(", ".join(given or parts[:1]), fate, text))

    def untold(self) -> list[str]:
        """The options of which nothing was told yet."""
        told = {part.split()[0] for each in self.told for part in each.option.split(", ")}
        return [option for option in self.options if option not in told]

    def asks(self, option: str) -> bool:
        """Whether a flag is set. Raises ConfigError."""
        value = self.options.get(option, "no").lower()
        if value not in _TRUE | _FALSE:
            raise ConfigError(f"{option} = {value} is neither yes nor no", hint=HINT)
        return value in _TRUE

    def number(self, option: str, default: float) -> float:
        """Raises ConfigError."""
        text = self.options.get(option, str(default))
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise ConfigError(f"{option} = {text} is no number", hint=HINT)
        return value

    def located(self, text: str) -> Path:
        """Where a file of the user's is."""
        path = Path(text).expanduser() if text.startswith("~/") else Path(text)
        return path if path.is_absolute() else (self.folder / path)


def read_lfbw(path: Path) -> Import:
    """The options of a config file. Raises ConfigError: not to be read, no config file."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", hint=HINT) from error
    options: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped[0] in "#;[" or stripped.startswith("---"):
            continue
        match = _LINE.fullmatch(_COMMENT.sub("", stripped))
        if match is None:
            raise ConfigError(f"line {number} of {path} is no option: {stripped[:60]!r}", hint=HINT)
        options[match["key"].replace("_", "-")] = (match["value"] or "").strip().strip("\"'")
    return Import(path.absolute().parent / options.get("image-folder", ""), options)

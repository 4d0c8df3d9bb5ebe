"""What stands behind image:, video: and slides: a path, which may hold any character, and options behind commas."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from vcam.errors import ConfigError
from vcam.scene.anchor import Anchor
from vcam.scene.fit import Fit, Placing
from vcam.scene.slides import Pace
from vcam.words import expanded


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    SLIDES = "slides"


@dataclass(frozen=True, slots=True)
class Media:
    """pace: of slides."""

    path: Path
    placing: Placing
    pace: Pace


_EXAMPLES: Mapping[MediaKind, str] = MappingProxyType(
    {
        MediaKind.IMAGE: "image:PATH, as in -b image:beach.jpg",
        MediaKind.VIDEO: "video:PATH, as in -b video:waves.mp4",
        MediaKind.SLIDES: "slides:FOLDER, as in -b slides:holidays,every=20",
    }
)
_OPTION = re.compile(r"(?s)(.*),(fit|anchor|every|fade)=([^,]*)")
_SECONDS: Mapping[str, tuple[float, float]] = MappingProxyType({"every": (1.0, 86400.0), "fade": (0.0, 60.0)})

_Choice = TypeVar("_Choice", Fit, Anchor)


def split_options(text: str) -> tuple[str, dict[str, str]]:
    """The path, and the options at the end by name. Of an option that stands there twice the last one counts."""
    options: dict[str, str] = {}
    while match := _OPTION.fullmatch(text):
        text = match[1]
        options.setdefault(match[2], match[3].strip())
    return text.strip(), options


def parse_media(kind: MediaKind, rest: str | None) -> Media:
    """What stands behind the colon, None where there is no colon. Raises ConfigError."""
    path, options = split_options(rest or "")
    if not path:
        raise ConfigError(f"background {kind}: names no file", hint=f"write -b {_EXAMPLES[kind]}")
    timed = _SECONDS.keys() & options.keys()
    if timed and kind is not MediaKind.SLIDES:
        raise ConfigError(f"{min(timed)}= is no option of background {kind}", hint="it belongs to -b slides:FOLDER")
    fit = _choice(Fit, "fit", options.get("fit", Fit.COVER))
    usual = Anchor.TOP_LEFT if fit is Fit.TILE else Anchor.CENTER
    placing = Placing(fit, _choice(Anchor, "anchor", options.get("anchor", usual)))
    return Media(expanded(path), placing, _pace(options))


def _choice(choices: type[_Choice], name: str, text: str) -> _Choice:
    try:
        return choices(text)
    except ValueError as error:
        raise ConfigError(
            f"{text!r} is no {name} of a background", hint=f"write ,{name}= and one of {', '.join(choices)}"
        ) from error


def _pace(options: Mapping[str, str]) -> Pace:
    every_s = _seconds("every", options.get("every", "10"))
    fade_s = _seconds("fade", options["fade"]) if "fade" in options else min(1.0, every_s / 2.0)
    if fade_s > every_s:
        raise ConfigError(
            f"a fade of {fade_s:g} s does not fit into every={every_s:g}", hint="write a fade= below every="
        )
    return Pace(every_s, fade_s)


def _seconds(name: str, text: str) -> float:
    low, high = _SECONDS[name]
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not low <= seconds <= high:
        raise ConfigError(f"{name}={text} is no time", hint=f"write {name}= with {low:g} to {high:g} seconds")
    return seconds

"""What image:, video: and slides: say of a background: a path, and how its pictures are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from vcam.errors import ConfigError
from vcam.scene.anchor import Anchor
from vcam.scene.fit import Fit, Placing
from vcam.scene.named import MediaKind, Named
from vcam.scene.slides import Pace
from vcam.words import expanded


@dataclass(frozen=True, slots=True)
class Media:
    """pace: of slides."""

    path: Path
    placing: Placing
    pace: Pace


_EXAMPLES: Mapping[MediaKind, str] = MappingProxyType(
    {
        MediaKind.IMAGE: "image:PATH, as in image:beach.jpg",
        MediaKind.VIDEO: "video:PATH, as in video:waves.mp4",
        MediaKind.SLIDES: "slides:FOLDER, as in slides:holidays,every=20",
    }
)
_SECONDS: Mapping[str, tuple[float, float]] = MappingProxyType({"every": (1.0, 86400.0), "fade": (0.0, 60.0)})

_Choice = TypeVar("_Choice", Fit, Anchor)


def parse_media(named: Named) -> Media:
    """A background of one of the MediaKinds. Raises ConfigError."""
    kind, options = MediaKind(named.kind), named.options
    if not named.head:
        raise ConfigError(f"background {kind}: names no file", hint=f"write {_EXAMPLES[kind]}")
    timed = _SECONDS.keys() & options.keys()
    if timed and kind is not MediaKind.SLIDES:
        raise ConfigError(f"{min(timed)}= is no option of background {kind}", hint="it belongs to slides:FOLDER")
    fit = _choice(Fit, "fit", options.get("fit", Fit.COVER))
    usual = Anchor.TOP_LEFT if fit is Fit.TILE else Anchor.CENTER
    placing = Placing(fit, _choice(Anchor, "anchor", options.get("anchor", usual)))
    return Media(expanded(named.head), placing, _pace(options))


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

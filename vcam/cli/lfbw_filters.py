"""The small language behind lfbw's --selfie, --background and --mask: ``file=a.jpg,blur=50,hologram``."""

from dataclasses import dataclass

from vcam.errors import ConfigError

_FLAGS = frozenset({"no", "hologram", "tile", "crop"})
_NUMBERS = frozenset({"blur", "brightness", "opacity", "mask-update-speed"})
_TEXTS = frozenset({"file", "foreground", "mask-file", "cmap", "solid"})
_LEVELS = 3
_HIGHEST = 255


@dataclass(frozen=True, slots=True)
class Filters:
    """solid: blue, green, red. blur, opacity, update_speed: 0..100. brightness: 100 is as it was."""

    no: bool = False
    hologram: bool = False
    tile: bool = False
    crop: bool = False
    file: str | None = None
    foreground: str | None = None
    mask_file: str | None = None
    cmap: str | None = None
    solid: tuple[int, int, int] | None = None
    blur: float | None = None
    brightness: float | None = None
    opacity: float | None = None
    update_speed: float | None = None

    @property
    def has_effects(self) -> bool:
        """Whether it changes how something looks."""
        return self.hologram or any(each is not None for each in (self.blur, self.brightness, self.cmap, self.solid))


def filters_of(text: str) -> Filters:
    """Raises ConfigError."""
    parts = _parts(text)
    numbers = {name: _number(name, value) for name, value in parts.items() if name in _NUMBERS}
    return Filters(
        **{flag: flag in parts for flag in _FLAGS},
        file=parts.get("file"),
        foreground=parts.get("foreground"),
        mask_file=parts.get("mask-file"),
        cmap=parts.get("cmap"),
        solid=_solid(parts["solid"]) if "solid" in parts else None,
        blur=numbers.get("blur"),
        brightness=numbers.get("brightness"),
        opacity=numbers.get("opacity"),
        update_speed=numbers.get("mask-update-speed"),
    )


def _parts(text: str) -> dict[str, str]:
    """Values by name. What is neither a flag nor begins with a name belongs to the value before it."""
    parts: dict[str, str] = {}
    last = ""
    for piece in text.split(","):
        name, equals, value = piece.strip().partition("=")
        if name in _FLAGS and not equals:
            parts[name], last = "", ""
        elif equals and name in _NUMBERS | _TEXTS:
            parts[name], last = value.strip(), name
        elif last in _TEXTS:
            parts[last] += f",{piece}"
        elif piece.strip():
            raise ConfigError(
                f"{piece.strip()!r} is no effect of lfbw",
                hint=f"effects are {', '.join(sorted(_FLAGS | _NUMBERS | _TEXTS))}",
            )
    return parts


def _number(name: str, text: str) -> float:
    if not text.isdecimal():
        raise ConfigError(f"{name}={text} is no number", hint=f"write {name}= and a whole number")
    return float(text)


def _solid(text: str) -> tuple[int, int, int]:
    levels = [part.strip() for part in text.split(",")]
    if len(levels) != _LEVELS or not all(part.isdecimal() and int(part) <= _HIGHEST for part in levels):
        raise ConfigError(f"solid={text} is no colour", hint="write solid=B,G,R with 0 to 255 each")
    blue, green, red = (int(part) for part in levels)
    return blue, green, red

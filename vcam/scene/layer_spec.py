"""Layers as the user names them: image:PATH, video:PATH and text:NAME, with options behind commas."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from vcam.errors import ConfigError
from vcam.frame import Size
from vcam.scene.anchor import Anchor
from vcam.scene.named import COMMA, LayerKind, divided_layer
from vcam.words import expanded

_LONGEST_LINE = 80
_HIGHEST = 4
"""A picture is not drawn higher than so many outputs, however narrow it is."""

_MARGINS: Mapping[LayerKind, tuple[float, float]] = MappingProxyType(
    {LayerKind.IMAGE: (0.0, 0.0), LayerKind.VIDEO: (0.0, 0.0), LayerKind.TEXT: (0.04, 0.06)}
)
"""Left free at the sides, as shares of the picture, where the user gives no x or y."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a layer lies. x, y: shares of the picture, where the anchor of the layer comes to lie. width: a share of
    the picture's, None for its own."""

    anchor: Anchor
    x: float
    y: float
    width: float | None = None

    def corner(self, size: Size, target: Size) -> tuple[int, int]:
        """Left and top of a layer of that size, in pixels of the picture; may lie outside."""
        across, down = self.anchor.fraction
        return round(self.x * target.width - across * size.width), round(self.y * target.height - down * size.height)


def scaled(own: Size, width: float | None, target: Size) -> Size:
    """How large a picture of that size is drawn. Without a width: as it is, made smaller where it does not fit."""
    if width is None:
        scale = min(1.0, target.width / own.width, target.height / own.height)
    else:
        scale = min(width * target.width / own.width, _HIGHEST * target.height / own.height)
    return Size(max(1, round(scale * own.width)), max(1, round(scale * own.height)))


@dataclass(frozen=True, slots=True)
class LayerSpec:
    """lines: of a text, one or two. path: of an image or video. mask: a picture whose brightness is its second alpha.
    font: a TrueType or OpenType file. opacity: 0..1."""

    kind: LayerKind
    placement: Placement
    opacity: float
    lines: tuple[str, ...] = ()
    path: Path = Path()
    mask: Path | None = None
    font: Path | None = None


def parse_layer(text: str) -> LayerSpec:
    """Raises ConfigError."""
    named = divided_layer(text)
    kind, head, options = LayerKind(named.kind), named.head or "", named.options
    placement = _placement(text, kind, options)
    opacity = _share(text, "opacity", options.get("opacity", "1"))
    if kind is LayerKind.TEXT:
        font = options.get("font")
        return LayerSpec(
            kind, placement, opacity, lines=_lines(text, head), font=None if font is None else expanded(font)
        )
    mask = options.get("mask")
    if not head:
        raise ConfigError(f"layer {text!r} names no file", hint=f"write {kind}:PATH, as in image:podium.png")
    return LayerSpec(kind, placement, opacity, path=expanded(head), mask=None if mask is None else expanded(mask))


def _placement(text: str, kind: LayerKind, options: Mapping[str, str]) -> Placement:
    usual = Anchor.BOTTOM_LEFT if kind is LayerKind.TEXT else Anchor.BOTTOM
    try:
        anchor = Anchor(options.get("anchor", usual))
    except ValueError:
        raise ConfigError(
            f"layer {text!r}: {options['anchor']!r} is no anchor", hint=f"write anchor= and one of {', '.join(Anchor)}"
        ) from None
    x, y = (
        fraction + margin * (1.0 - 2.0 * fraction)
        for fraction, margin in zip(anchor.fraction, _MARGINS[kind], strict=True)
    )
    return Placement(
        anchor,
        _share(text, "x", options["x"]) if "x" in options else x,
        _share(text, "y", options["y"]) if "y" in options else y,
        _width(text, options["width"]) if "width" in options else None,
    )


def _width(text: str, value: str) -> float:
    width = _share(text, "width", value)
    if width == 0.0:
        raise ConfigError(f"layer {text!r}: a width of 0 shows nothing", hint="write width= with a share above 0")
    return width


def _share(text: str, name: str, value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise ConfigError(
            f"layer {text!r}: {name}={value} is no share", hint=f"write {name}= with a number from 0 to 1, as in 0.5"
        )
    return share


def _lines(text: str, head: str) -> tuple[str, ...]:
    """One or two; further commas belong to the second."""
    lines = tuple(line.replace("\\,", ",").strip() for line in COMMA.split(head, maxsplit=1))
    lines = tuple(line for line in lines if line)
    if not lines:
        raise ConfigError(f"layer {text!r} says nothing", hint="write text:NAME, as in text:Ada Lovelace,Analyst")
    for line in lines:
        if len(line) > _LONGEST_LINE or not line.isprintable():
            raise ConfigError(
                f"layer {text!r}: a line is longer than {_LONGEST_LINE} letters, or holds some that cannot be shown",
                hint="write a shorter text, on one or two lines",
            )
    return lines

"""The plate of a text layer: a name, and a smaller second line, on a panel that reads on any background."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter, ImageFont

from vcam.frame import Size
from vcam.scene.faces import load_face

_SHADOW = (0, 0, 0)
_PANEL = (20, 22, 27)
_PANEL_OPACITY = 0.82
_SHADOW_OPACITY = 0.38
_NAME = (250, 250, 252)
_DETAIL = (196, 203, 214)
_ACCENT = (124, 170, 255)

_DETAIL_SIZE = 0.62
"""Of the second line, as a share of the first's."""
_SMALLEST_PX = 1.0

_SUPERSAMPLING = 4
_WIDEST = 0.92
"""Share of the picture's width that a plate may take."""


def draw_plate(
    lines: tuple[str, ...], faces: tuple[Path, ...], target: Size, width: float | None
) -> tuple[Pillow.Image, int]:
    """An RGBA picture of the plate for an output of that size, and how many pixels at each side are its shadow only.

    faces: the font file of each line. width: of the panel, as a share of the output's; None: as the text asks.
    Raises MediaError (a font that is gone).
    """
    unit = min(target.height, target.width * 0.5625)
    natural = _lay_out(lines, faces, unit)
    widest = (_WIDEST if width is None else width) * target.width
    if width is not None or natural.width > widest:
        natural = _lay_out(lines, faces, unit * widest / natural.width)
    return _drawn(natural)


def _fonts(faces: tuple[Path, ...], size: float) -> tuple[ImageFont.FreeTypeFont, ImageFont.FreeTypeFont]:
    """Of the name and of the second line. Raises MediaError."""
    return load_face(faces[0], max(size, _SMALLEST_PX)), load_face(faces[-1], max(size * _DETAIL_SIZE, _SMALLEST_PX))


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of text; y: of the middle of its capitals, below the top of the panel. Pixels."""

    text: str
    font: ImageFont.FreeTypeFont
    color: tuple[int, int, int]
    y: float


@dataclass(frozen=True, slots=True)
class _Layout:
    """Pixels; width and height are those of the panel."""

    unit: float
    width: float
    height: float
    text_x: float
    rows: tuple[_Row, ...]


def _lay_out(lines: tuple[str, ...], faces: tuple[Path, ...], unit: float) -> _Layout:
    name, detail = _fonts(faces, 0.056 * unit)
    margin, bar = 0.032 * unit, 0.011 * unit
    text_x = bar + margin * 1.05
    rows = [_Row(lines[0], name, _NAME, margin + 0.36 * name.size)]
    height = 2.0 * margin + 0.72 * name.size
    if len(lines) > 1:
        rows.append(_Row(lines[1], detail, _DETAIL, height - margin + 0.026 * unit + 0.36 * detail.size))
        height += 0.026 * unit + 0.72 * detail.size
    width = text_x + max(row.font.getlength(row.text) for row in rows) + margin * 1.25
    return _Layout(unit, width, height, text_x, tuple(rows))


def _drawn(layout: _Layout) -> tuple[Pillow.Image, int]:
    blur = 0.014 * layout.unit
    room = round(3.0 * blur)
    panel, bar = _masks(layout, room)
    shadow = Pillow.new("L", panel.size)
    shadow.paste(panel, (0, round(0.5 * blur)))
    shadow = shadow.filter(ImageFilter.GaussianBlur(blur))
    plate = Pillow.new("RGBA", panel.size, (0, 0, 0, 0))
    for color, mask, opacity in (
        (_SHADOW, shadow, _SHADOW_OPACITY),
        (_PANEL, panel, _PANEL_OPACITY),
        (_ACCENT, bar, 1.0),
    ):
        sheet = Pillow.new("RGBA", panel.size, color)
        sheet.putalpha(mask.point([round(level * opacity) for level in range(256)]))
        plate.alpha_composite(sheet)
    draw = ImageDraw.Draw(plate)
    for row in layout.rows:
        # Letters with and without tails stand on one line: placed by the middle of a capital, not of their own box.
        top, bottom = row.font.getbbox("H")[1], row.font.getbbox("H")[3]
        place = room + layout.text_x, room + row.y - (top + bottom) / 2.0
        draw.text(place, row.text, fill=(*row.color, 255), font=row.font)
    return plate, room


def _masks(layout: _Layout, room: int) -> tuple[Pillow.Image, Pillow.Image]:
    """Coverage of the panel and of the bar at its left, with smooth edges, ``room`` pixels around them."""
    size = (round(layout.width) + 2 * room, round(layout.height) + 2 * room)
    large = (size[0] * _SUPERSAMPLING, size[1] * _SUPERSAMPLING)
    panel, bar = Pillow.new("L", large), Pillow.new("L", large)
    left = top = room * _SUPERSAMPLING
    right, bottom = left + round(layout.width * _SUPERSAMPLING), top + round(layout.height * _SUPERSAMPLING)
    corner = 0.016 * layout.unit * _SUPERSAMPLING
    ImageDraw.Draw(panel).rounded_rectangle((left, top, right - 1, bottom - 1), radius=corner, fill=255)
    strip = Pillow.new("L", large)
    ImageDraw.Draw(strip).rectangle((left, top, left + 0.011 * layout.unit * _SUPERSAMPLING, bottom), fill=255)
    bar.paste(strip, mask=panel)
    return panel.reduce(_SUPERSAMPLING), bar.reduce(_SUPERSAMPLING)

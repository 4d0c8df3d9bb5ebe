"""The card of SAFE: a few words in the middle of the backdrop, instead of a picture of the room."""

from dataclasses import dataclass

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFilter, ImageFont

from vcam.frame import Image, VideoFormat
from vcam.scene.encode import decode_rgb, encode_rgb
from vcam.scene.picture import STILL
from vcam.stages import Backdrop

_SHADOW = (0, 0, 0)
_PANEL = (20, 22, 27)
_PANEL_OPACITY = 0.86
_SHADOW_OPACITY = 0.35
_TITLE = (250, 250, 252)
_DETAIL = (196, 201, 210)
_ICON = (124, 170, 255)

_SUPERSAMPLING = 4
_WIDEST_TEXT = 0.84
"""Share of the picture's width that text may take before it is set smaller."""


class SafeCard:
    """Draws cards before one backdrop; each is drawn once per target and text, before what moves as it was then."""

    def __init__(self, backdrop: Backdrop) -> None:
        self._backdrop = backdrop
        self._drawn: dict[tuple[VideoFormat, str, str], Image] = {}

    def render(self, target: VideoFormat, title: str, detail: str) -> Image:
        """The card in the layout of one output; the same object for the same target and text, never changed."""
        key = (target, title, detail)
        if key not in self._drawn:
            behind = self._backdrop.render(target, STILL.pts_ns)
            rgb = draw_card(Pillow.fromarray(decode_rgb(behind.planes, behind.format)), title, detail)
            packed = target.resized(target.size)
            self._drawn[key] = Image(encode_rgb(np.asarray(rgb), packed), packed, STILL)
        return self._drawn[key]


def draw_card(behind: Pillow.Image, title: str, detail: str) -> Pillow.Image:
    """A copy of ``behind`` (RGB) with a panel in its middle: an icon, a title, and a line below it, if any."""
    layout = _lay_out(behind.size, title, detail)
    picture = _with_panel(behind, layout)
    draw = ImageDraw.Draw(picture)
    x = behind.width / 2.0
    draw.text((x, layout.title_y), title, fill=_TITLE, font=layout.title_font, anchor="mm")
    if detail:
        draw.text((x, layout.detail_y), detail, fill=_DETAIL, font=layout.detail_font, anchor="mm")
    return picture


@dataclass(frozen=True, slots=True)
class _Layout:
    """Pixels. panel: left, top, right, bottom. unit: the height that everything is measured by."""

    unit: float
    panel: tuple[float, float, float, float]
    icon_y: float
    title_y: float
    detail_y: float
    title_font: ImageFont.FreeTypeFont
    detail_font: ImageFont.FreeTypeFont


def _lay_out(size: tuple[int, int], title: str, detail: str) -> _Layout:
    width, height = size
    unit = min(height, width * 0.7)
    title_font = _font(title, max(0.085 * unit, 13.0), _WIDEST_TEXT * width)
    detail_font = _font(detail, max(0.052 * unit, 10.0), _WIDEST_TEXT * width)
    icon, gap, margin = 0.13 * unit, 0.045 * unit, 0.075 * unit
    inner = icon + gap + title_font.size + (gap * 0.8 + detail_font.size if detail else 0.0)
    half_width = max(title_font.getlength(title), detail_font.getlength(detail), 0.42 * unit) / 2.0 + 1.25 * margin
    half_height = inner / 2.0 + margin
    top = height / 2.0 - inner / 2.0
    title_y = top + icon + gap + title_font.size / 2.0
    return _Layout(
        unit=unit,
        panel=(
            width / 2.0 - half_width,
            height / 2.0 - half_height,
            width / 2.0 + half_width,
            height / 2.0 + half_height,
        ),
        icon_y=top + icon / 2.0,
        title_y=title_y,
        detail_y=title_y + title_font.size / 2.0 + gap * 0.8 + detail_font.size / 2.0,
        title_font=title_font,
        detail_font=detail_font,
    )


def _font(text: str, size: float, widest: float) -> ImageFont.FreeTypeFont:
    """Pillow's own font, as large as asked unless the text would not fit."""
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType")
    length = font.getlength(text)
    return font if length <= widest else font.font_variant(size=size * widest / length)


def _with_panel(behind: Pillow.Image, layout: _Layout) -> Pillow.Image:
    left, top, right, bottom = layout.panel
    blur = 0.03 * layout.unit
    corner = (max(0, int(left - 3.0 * blur)), max(0, int(top - 3.0 * blur)))
    end = (min(behind.width, int(right + 3.0 * blur) + 1), min(behind.height, int(bottom + 3.0 * blur) + 1))
    panel, icon = _masks((end[0] - corner[0], end[1] - corner[1]), corner, layout)
    shadow = panel.filter(ImageFilter.GaussianBlur(blur))
    picture = behind.copy()
    for color, mask, opacity in (
        (_SHADOW, shadow, _SHADOW_OPACITY),
        (_PANEL, panel, _PANEL_OPACITY),
        (_ICON, icon, 1.0),
    ):
        picture.paste(color, (*corner, *end), mask.point([round(level * opacity) for level in range(256)]))
    return picture


def _masks(size: tuple[int, int], corner: tuple[int, int], layout: _Layout) -> tuple[Pillow.Image, Pillow.Image]:
    """Coverage of the panel and of the icon, a camera, with smooth edges, in the part of the picture at ``corner``."""
    large = (size[0] * _SUPERSAMPLING, size[1] * _SUPERSAMPLING)
    panel, icon = Pillow.new("L", large), Pillow.new("L", large)
    unit = layout.unit * _SUPERSAMPLING
    left, top, right, bottom = ((edge - corner[k % 2]) * _SUPERSAMPLING for k, edge in enumerate(layout.panel))
    ImageDraw.Draw(panel).rounded_rectangle((left, top, right, bottom), radius=0.05 * unit, fill=255)
    draw = ImageDraw.Draw(icon)
    x, y = (left + right) / 2.0 - 0.02 * unit, (layout.icon_y - corner[1]) * _SUPERSAMPLING
    draw.rounded_rectangle(
        (x - 0.075 * unit, y - 0.050 * unit, x + 0.060 * unit, y + 0.050 * unit), 0.018 * unit, fill=255
    )
    lens = [(0.070, -0.012), (0.115, -0.042), (0.115, 0.042), (0.070, 0.012)]
    draw.polygon([(x + dx * unit, y + dy * unit) for dx, dy in lens], fill=255)
    return panel.reduce(_SUPERSAMPLING), icon.reduce(_SUPERSAMPLING)

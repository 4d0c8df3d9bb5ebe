"""One picture that shows what a run did: some moments, each as source, matte and result."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from vcam.cli.moments import Moment
from vcam.frame import Plane

_WIDTH = 1600
_MARGIN = 32
_GAP = 12
_HEADER = 118
_CORNER = 10

_PAPER = (23, 25, 30)
_INK = (244, 245, 248)
_FAINT = (150, 157, 170)
_LABEL = (16, 18, 22, 190)

_COLUMNS = ("source", "matte", "result")


def write_contact_sheet(path: Path, moments: Sequence[Moment], *, title: str = "vcam demo") -> None:
    """Save the sheet; the ending of the name chooses the format. Raises OSError."""
    contact_sheet(moments, title).save(path)


def contact_sheet(moments: Sequence[Moment], title: str) -> Pillow.Image:
    """An RGB picture 1600 pixels wide, a row for each moment; only the heading when there are none."""
    cell_width = (_WIDTH - 2 * _MARGIN - 2 * _GAP) // len(_COLUMNS)
    cells = [(cell_width, _height(moment, cell_width)) for moment in moments]
    height = _HEADER + sum(cell_height + _GAP for _, cell_height in cells) + _MARGIN - _GAP
    sheet = Pillow.new("RGB", (_WIDTH, height), _PAPER)
    _heading(sheet, title, cell_width)
    y = _HEADER
    for moment, cell in zip(moments, cells, strict=True):
        for column, plane in enumerate((moment.source, moment.alpha, moment.result)):
            _paste(sheet, plane, cell, (_MARGIN + column * (cell_width + _GAP), y))
        _tag(sheet, f"frame {moment.sequence}", (_MARGIN + 12, y + cell[1] - 12))
        y += cell[1] + _GAP
    return sheet


def _height(moment: Moment, width: int) -> int:
    """Of a cell that shows the moment's source undistorted."""
    rows, columns = moment.source.shape[:2]
    return max(1, (width * int(rows) + int(columns) // 2) // int(columns))


def _heading(sheet: Pillow.Image, title: str, cell_width: int) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, 42), title, fill=_INK, font=ImageFont.load_default(36), anchor="lm")
    for column, name in enumerate(_COLUMNS):
        x = _MARGIN + column * (cell_width + _GAP) + 2
        draw.text((x, _HEADER - 22), name, fill=_FAINT, font=ImageFont.load_default(22), anchor="lm")


def _paste(sheet: Pillow.Image, plane: Plane, cell: tuple[int, int], at: tuple[int, int]) -> None:
    mask = Pillow.new("L", (cell[0] * 4, cell[1] * 4))
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, cell[0] * 4 - 1, cell[1] * 4 - 1), _CORNER * 4, fill=255)
    picture = Pillow.fromarray(plane).convert("RGB").resize(cell, Pillow.Resampling.LANCZOS)
    sheet.paste(picture, at, mask.reduce(4))


def _tag(sheet: Pillow.Image, text: str, at: tuple[int, int]) -> None:
    """A label whose lower left corner is at ``at``."""
    font = ImageFont.load_default(18)
    width, height = round(font.getlength(text)) + 20, 30
    tag = Pillow.new("RGBA", (width, height))
    draw = ImageDraw.Draw(tag)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), 6, fill=_LABEL)
    draw.text((width / 2, height / 2), text, fill=(*_INK, 255), font=font, anchor="mm")
    sheet.paste(tag, (at[0], at[1] - height), tag)

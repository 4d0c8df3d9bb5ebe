"""A page of panels in Grafana's grid, each with its frame and title."""

import math
from dataclasses import dataclass
from datetime import datetime

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator
from matplotlib.transforms import ScaledTranslation, Transform

from monitoring.picture.board import WIDTH, Panel
from monitoring.picture.prometheus import Span
from monitoring.picture.style import BORDER, FAINT, GRID, PAGE, PANEL, TEXT, formatter

DPI = 100
_CELL_WIDTH_IN, _CELL_HEIGHT_IN = 0.667, 0.36
_HEAD_IN = 0.5
_GAP_IN = 0.05
_TITLE_IN = 0.32
_BELOW_IN = 0.24
_TICKS = 6


@dataclass(frozen=True, slots=True)
class Margins:
    """What stays free inside a panel's frame, besides its title; inches."""

    left: float
    right: float
    bottom: float


class Canvas:
    """A page for panels whose lowest ends at ``height`` of the grid. span: what the time axes show."""

    def __init__(self, title: str, height: int, span: Span) -> None:
        self._wide = WIDTH * _CELL_WIDTH_IN
        self._high = height * _CELL_HEIGHT_IN + _HEAD_IN
        self.figure = Figure(figsize=(self._wide, self._high), dpi=DPI, facecolor=PAGE)
        self.span = span
        self._write(_GAP_IN * 2, _HEAD_IN / 2, title, 13)
        when = f"{_clock(span.begin_s)} to {_clock(span.end_s)}"
        self.figure.text(1 - 2 * _GAP_IN / self._wide, 1 - _HEAD_IN / 2 / self._high, when, color=FAINT, ha="right")

    def panel(self, panel: Panel, margins: Margins) -> Axes:
        """Draw the frame and the title; what is inside is for the caller."""
        x, y, width, height = panel.place
        left, top = x * _CELL_WIDTH_IN + _GAP_IN, y * _CELL_HEIGHT_IN + _HEAD_IN + _GAP_IN
        wide, high = width * _CELL_WIDTH_IN - 2 * _GAP_IN, height * _CELL_HEIGHT_IN - 2 * _GAP_IN
        frame = Rectangle((0, 0), 0, 0, transform=self.figure.transFigure, facecolor=PANEL, edgecolor=BORDER, zorder=-1)
        frame.set_bounds(left / self._wide, 1 - (top + high) / self._high, wide / self._wide, high / self._high)
        self.figure.add_artist(frame)
        self._write(left + 0.1, top + 0.17, panel.title, 9)
        inner = high - _TITLE_IN - margins.bottom
        axes = self.figure.add_axes(
            (
                (left + margins.left) / self._wide,
                1 - (top + _TITLE_IN + inner) / self._high,
                (wide - margins.left - margins.right) / self._wide,
                inner / self._high,
            ),
            facecolor=PANEL,
        )
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(colors=FAINT, length=0, labelsize=7)
        axes.set_axisbelow(True)
        return axes

    def time_axis(self, axes: Axes) -> None:
        """Time from left to right."""
        span = self.span
        axes.set_xlim(span.begin_s, span.end_s)
        minutes = max(1, round((span.end_s - span.begin_s) / 60 / _TICKS))
        axes.xaxis.set_major_locator(MultipleLocator(60 * minutes))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _clock(value)))
        axes.grid(axis="x", color=GRID, linewidth=0.4)

    def size_of(self, part: Artist) -> tuple[float, float]:
        """Width and height in inches, as drawn."""
        box = part.get_window_extent()
        return box.width / DPI, box.height / DPI

    def below(self, axes: Axes) -> Transform:
        """A transform whose origin is the left lower corner of what is free below the axes' panel."""
        at = axes.get_position()
        return ScaledTranslation(at.x0 * self._wide, at.y0 * self._high - _BELOW_IN, self.figure.dpi_scale_trans)

    def lift(self, axes: Axes, inches: float) -> None:
        """Raise the lower end of the axes."""
        at, rise = axes.get_position(), inches / self._high
        axes.set_position((at.x0, at.y0 + rise, at.width, at.height - rise))

    def _write(self, x: float, y: float, text: str, size: int) -> None:
        place = (x / self._wide, 1 - y / self._high)
        self.figure.text(*place, text, color=TEXT, size=size, weight="bold", va="center")


def value_axis(axes: Axes, unit: str) -> None:
    """Values from 0 at the bottom, with faint lines across."""
    write = formatter(unit)
    axes.set_ylim(bottom=0)
    if unit == "bytes":
        axes.yaxis.set_major_locator(MultipleLocator(2.0 ** math.ceil(math.log2(max(axes.get_ylim()[1], 4) / 4))))
    else:
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: write(value)))
    axes.grid(axis="y", color=GRID, linewidth=0.7)


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%H:%M")

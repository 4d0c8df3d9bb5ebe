"""Draws each kind of panel from what Prometheus answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from numpy.typing import NDArray

from monitoring.picture.board import Panel, Target
from monitoring.picture.canvas import Canvas, Margins, value_axis
from monitoring.picture.prometheus import Prometheus, Series
from monitoring.picture.style import FAINT, PANEL, TEXT, color, formatter, nth

Numbers: TypeAlias = NDArray[np.float64]

_LINES = Margins(left=0.62, right=0.14, bottom=0.3)
_ROWS = Margins(left=1.2, right=0.14, bottom=0.28)
_BARS = Margins(left=0.95, right=0.2, bottom=0.3)
_BARE = Margins(left=0.12, right=0.12, bottom=0.08)
_BIG_LETTERS_PER_CELL = 2.9
_ROW_IN = 0.23
_HEATMAP_CELLS = 60


def draw(canvas: Canvas, panel: Panel, prometheus: Prometheus) -> None:
    """Ask for what the panel shows, and draw it."""
    _KINDS[panel.kind](canvas, panel, prometheus)


def _lines(canvas: Canvas, panel: Panel, prometheus: Prometheus) -> None:
    axes = canvas.panel(panel, _LINES)
    named = [
        (target.name(line.labels), line)
        for target in panel.targets
        for line in prometheus.over(target.promql, canvas.span)
    ]
    below = np.zeros(_clock(canvas).shape)
    for index, (name, line) in enumerate(named):
        values = _on_clock(canvas, line)
        if panel.stacked:
            above = below + np.nan_to_num(values)
            axes.fill_between(_clock(canvas), below, above, color=nth(index), alpha=0.75, linewidth=0, label=name)
            below = above
        elif name == panel.dashed:
            axes.plot(_clock(canvas), values, color=color("red"), linewidth=1.2, linestyle=(0, (5, 4)), label=name)
        else:
            axes.plot(_clock(canvas), values, color=nth(index), linewidth=1.4, label=name)
    canvas.time_axis(axes)
    value_axis(axes, panel.unit)
    if axes.get_ylim()[1] <= 0 or not np.any([line.values.any() for _, line in named]):
        axes.set_ylim(0, 1)
    _legend(canvas, axes) if named else _nothing(axes, panel.none or "No data")


def _legend(canvas: Canvas, axes: Axes) -> None:
    """Below the lines, as wide as they are; what it needs of height is taken from them."""
    handles, labels = axes.get_legend_handles_labels()
    for columns in range(len(labels), 0, -1):
        legend = axes.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0, 0),
            bbox_transform=canvas.below(axes),
            ncols=columns,
            fontsize=7,
            frameon=False,
            labelcolor=TEXT,
            handlelength=1.2,
            columnspacing=1.0,
            borderaxespad=0.0,
        )
        if canvas.size_of(legend)[0] <= canvas.size_of(axes.patch)[0]:
            break
    canvas.lift(axes, canvas.size_of(legend)[1])


def _number(canvas: Canvas, panel: Panel, prometheus: Prometheus) -> None:
    axes = canvas.panel(panel, _BARE)
    axes.set_axis_off()
    (target,) = panel.targets
    found = prometheus.over(target.promql, canvas.span)
    fresh = [line for line in found if line.times_s[-1] > canvas.span.end_s - 2 * canvas.span.step_s]
    text, ink = _big_text(panel, target, (fresh or found)[-1:])
    if panel.on_color:
        axes.set_axis_on()
        axes.set_facecolor(color(ink))
        axes.set_xticks([])
        axes.set_yticks([])
        ink = PANEL
    size = min(24.0, 24.0 * panel.place[2] * _BIG_LETTERS_PER_CELL / max(1, len(text)))
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", size=size, color=color(ink))
    if not panel.by_name and not panel.on_color and found:
        _spark(axes, canvas, found[-1], color(ink))


def _big_text(panel: Panel, target: Target, lines: Sequence[Series]) -> tuple[str, str]:
    """What stands there, and in which colour."""
    if not lines:
        return panel.none or "No data", "text"
    last = lines[-1].last
    reached = [name for at, name in panel.steps if last >= at]
    ink = reached[-1] if reached else "text"
    if panel.by_name:
        return target.name(lines[-1].labels), ink
    look = panel.codes.get(last)
    return (look.text, look.color) if look else (formatter(panel.unit)(last), ink)


def _spark(axes: Axes, canvas: Canvas, line: Series, ink: str) -> None:
    highest = max(float(line.values.max()), 1e-9)
    axes.fill_between(line.times_s, 0, line.values / highest / 3, color=ink, alpha=0.2, linewidth=0)
    axes.set_xlim(canvas.span.begin_s, canvas.span.end_s)
    axes.set_ylim(0, 1)


def _timeline(canvas: Canvas, panel: Panel, prometheus: Prometheus) -> None:
    axes = canvas.panel(panel, _ROWS)
    rows = [
        (target.name(line.labels), line)
        for target in panel.targets
        for line in prometheus.over(target.promql, canvas.span)
    ]
    for row, (_, line) in enumerate(rows):
        for begin_s, end_s, value in _stretches(line, canvas.span.step_s):
            look = panel.codes[value]
            axes.barh(row, end_s - begin_s, left=begin_s, height=0.8, color=color(look.color), alpha=0.85, linewidth=0)
            if (end_s - begin_s) * panel.place[2] * 10 > len(look.text) * (canvas.span.end_s - canvas.span.begin_s):
                style = {"ha": "center", "va": "center", "size": 7, "color": PANEL}
                axes.text((begin_s + end_s) / 2, row, look.text, **style)  # type: ignore[arg-type]
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], size=8, color=TEXT)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    canvas.time_axis(axes)


def _stretches(line: Series, step_s: float) -> list[tuple[float, float, float]]:
    """Begin, end and value of each stretch of one value."""
    found: list[tuple[float, float, float]] = []
    for time_s, value in zip(line.times_s, line.values, strict=True):
        at_s, number = float(time_s), float(value)
        if found and found[-1][2] == number and at_s - found[-1][1] < step_s / 2:
            found[-1] = (found[-1][0], at_s + step_s, number)
        else:
            found.append((at_s, at_s + step_s, number))
    return found


def _heatmap(canvas: Canvas, panel: Panel, prometheus: Prometheus) -> None:
    axes = canvas.panel(panel, _LINES)
    (target,) = panel.targets
    span = replace(canvas.span, step_s=(canvas.span.end_s - canvas.span.begin_s) / _HEATMAP_CELLS)
    found = prometheus.over(target.promql, span)
    if not found:
        return _nothing(axes, "No data")
    by_bound = sorted(found, key=lambda line: float(line.labels["le"]))
    clock = np.arange(span.begin_s, span.end_s + span.step_s / 2, span.step_s)
    upto = np.array([_at(clock, line, span.step_s) for line in by_bound])
    counts = np.diff(np.nan_to_num(upto), axis=0, prepend=0).clip(0)
    counts[counts == 0] = np.nan
    edges = np.concatenate([[clock[0] - span.step_s], clock])
    axes.pcolormesh(edges, np.arange(len(by_bound) + 1), counts, cmap="turbo", norm=PowerNorm(0.5, vmin=0))
    names = [_bound(line.labels["le"]) for line in by_bound]
    axes.set_yticks(np.arange(len(names))[::3] + 1, names[::3])
    canvas.time_axis(axes)
    return None


def _bound(text: str) -> str:
    return "∞" if text == "+Inf" else formatter("s")(float(text))


def _table(canvas: Canvas, panel: Panel, prometheus: Prometheus) -> None:
    axes = canvas.panel(panel, _BARE)
    axes.set_axis_off()
    (target,) = panel.targets
    found = prometheus.at(target.promql, canvas.span.end_s)
    rows = sorted([line.labels.get(label, "") for label in panel.headings] for line in found)
    lines = [list(panel.headings.values()), *rows]
    widths = np.array([max(len(line[column]) for line in lines) + 2 for column in range(len(panel.headings))])
    begins = np.concatenate([[0.0], np.cumsum(widths)[:-1]]) / widths.sum()
    height = _ROW_IN / canvas.size_of(axes.patch)[1]
    for row, line in enumerate(lines[: int(1 / height)]):  # what is below is reached by scrolling
        for x, text in zip(begins, line, strict=True):
            style = {"size": 8, "va": "top", "weight": "bold" if row == 0 else "normal"}
            axes.text(x, 1 - row * height, text, color=FAINT if row == 0 else TEXT, **style)  # type: ignore[arg-type]
    if not rows:
        _nothing(axes, "No data")


def _waterfall(canvas: Canvas, panel: Panel, prometheus: Prometheus) -> None:
    axes = canvas.panel(panel, _BARS)
    begin, takes = (
        {line.labels["stage"]: line.last for line in prometheus.at(target.promql, canvas.span.end_s)}
        for target in panel.targets
    )
    stages = sorted(begin.keys() & takes.keys(), key=begin.__getitem__)
    write = formatter(panel.unit)
    for row, stage in enumerate(stages):
        axes.barh(row, takes[stage], left=begin[stage], height=0.7, color=nth(0), alpha=0.8)
        end = begin[stage] + takes[stage]
        axes.text(end, row, f" {write(takes[stage])}", va="center", size=7, color=TEXT)
    axes.set_yticks(range(len(stages)), stages, color=TEXT)
    axes.set_ylim(len(stages) - 0.5, -0.5)
    if not stages:
        return _nothing(axes, "No data")
    axes.set_xlim(0, max(begin[stage] + takes[stage] for stage in stages) * 1.2)
    axes.xaxis.set_major_formatter(lambda value, _: write(value))
    axes.grid(axis="x", linewidth=0.5, alpha=0.2)
    return None


def _nothing(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=FAINT)


def _clock(canvas: Canvas) -> Numbers:
    span = canvas.span
    return np.arange(span.begin_s, span.end_s + span.step_s / 2, span.step_s)


def _on_clock(canvas: Canvas, line: Series) -> Numbers:
    return _at(_clock(canvas), line, canvas.span.step_s)


def _at(clock: Numbers, line: Series, step_s: float) -> Numbers:
    """The line's values at the times of a clock that it was asked by; NaN where it has none."""
    values = np.full(clock.shape, np.nan)
    values[np.rint((line.times_s - clock[0]) / step_s).astype(int)] = line.values
    return values


_KINDS: Mapping[str, Callable[[Canvas, Panel, Prometheus], None]] = {
    "barchart": _waterfall,
    "heatmap": _heatmap,
    "stat": _number,
    "state-timeline": _timeline,
    "table": _table,
    "timeseries": _lines,
}

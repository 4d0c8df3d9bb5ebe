"""What dashboards are put together from: queries, and one function for each kind of panel.

Widths and heights are those of Grafana's grid, which is 24 wide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from grafana_foundation_sdk.builders import common, dashboard
from grafana_foundation_sdk.builders.barchart import Panel as BarChart
from grafana_foundation_sdk.builders.heatmap import HeatmapColorOptions, RowsHeatmapOptions, YAxisConfig
from grafana_foundation_sdk.builders.heatmap import Panel as Heatmap
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statetimeline import Panel as StateTimeline
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = kinds.DataSourceRef(type_val="prometheus", uid="${source}")
"""The Prometheus that is chosen above the panels; the first one there is, to begin with."""


@dataclass(frozen=True, slots=True)
class Text:
    """What stands above a panel, and what a viewer who points at it reads."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what its lines are called: {{label}} stands for a label's value."""

    promql: str
    legend: str = "__auto"


@dataclass(frozen=True, slots=True)
class Code:
    """What a number stands for."""

    text: str
    color: str


AnyPanel: TypeAlias = BarChart | Heatmap | Stat | StateTimeline | Table | TimeSeries
P = TypeVar("P", BarChart, Heatmap, Stat, StateTimeline, Table, TimeSeries)


def put(panel: P, width: int, height: int) -> P:
    """How much of the grid the panel takes; it stands right of the one before, or below."""
    return panel.span(width).height(height)


def lines(
    text: Text, unit: str, queries: Sequence[Query], *, stacked: bool = False, limit: str = "", none: str = ""
) -> TimeSeries:
    """Values over time.

    limit: the legend of a line that is drawn dashed and red. none: what stands there when there is no line.
    """
    legend = common.VizLegendOptions().show_legend(True).placement(kinds.LegendPlacement.BOTTOM)
    tooltip = common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING)
    panel = TimeSeries().unit(unit).min(0).tooltip(tooltip)
    panel.legend(legend.display_mode(kinds.LegendDisplayMode.LIST)).line_width(2).show_points(
        kinds.VisibilityMode.NEVER
    )
    if stacked:
        panel.stacking(common.StackingConfig().mode(kinds.StackingMode.NORMAL)).fill_opacity(70).line_width(0)
    if none:
        panel.no_value(none)
    if limit:
        dashed = {"fill": "dash", "dash": [8, 8]}
        panel.override_by_name(limit, [_fixed_color("red"), model.DynamicConfigValue("custom.lineStyle", dashed)])
    return _about(panel, text, queries)


def number(text: Text, unit: str, query: Query, steps: Sequence[tuple[float | None, str]]) -> Stat:
    """The last value, large, in the colour of the highest step it reaches; None begins at the least of all."""
    thresholds = [model.Threshold(value=value, color=color) for value, color in steps]
    panel = Stat().unit(unit).graph_mode(kinds.BigValueGraphMode.AREA).color_mode(kinds.BigValueColorMode.VALUE)
    panel.thresholds(dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(thresholds))
    return _about(panel.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"])), text, [query])


def name(text: Text, query: Query, *, none: str) -> Stat:
    """The legend of the query's only line, large. none: what stands there when there is no line."""
    panel = number(text, "none", query, [(None, "text")]).no_value(none)
    return panel.graph_mode(kinds.BigValueGraphMode.NONE).text_mode(kinds.BigValueTextMode.NAME)


def state(text: Text, query: Query, codes: Mapping[int, Code]) -> Stat:
    """What the last value stands for, large, on its colour."""
    panel = number(text, "none", query, [(None, "text")]).mappings([_mapping(codes)])
    return panel.graph_mode(kinds.BigValueGraphMode.NONE).color_mode(kinds.BigValueColorMode.BACKGROUND)


def timeline(text: Text, queries: Sequence[Query], codes: Mapping[int, Code]) -> StateTimeline:
    """What values stood for over time, one row a line."""
    panel = StateTimeline().mappings([_mapping(codes)]).show_value(kinds.VisibilityMode.AUTO).fill_opacity(85)
    panel.color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)).merge_values(True)
    legend = common.VizLegendOptions().show_legend(False).placement(kinds.LegendPlacement.BOTTOM)
    return _about(panel.legend(legend.display_mode(kinds.LegendDisplayMode.LIST)), text, queries)


def heatmap(text: Text, buckets: Query) -> Heatmap:
    """How many fell into which bucket of a histogram, over time. buckets: by the label le, seconds."""
    colors = HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Turbo").steps(64).exponent(0.5)
    upwards = RowsHeatmapOptions().layout(kinds.HeatmapCellLayout.LE)
    panel = Heatmap().color(colors).rows_frame(upwards).y_axis(YAxisConfig().unit("s"))
    query = _dataquery(0, buckets).format(PromQueryFormat.HEATMAP)
    return _named(panel, text).with_target(query.range())


def table(text: Text, query: Query, columns: Mapping[str, str]) -> Table:
    """The labels of the query's lines now. columns: label to heading, in their order."""
    order = {label: index for index, label in enumerate(columns)}
    shape = {"excludeByName": {"Time": True, "Value": True}, "indexByName": order, "renameByName": dict(columns)}
    panel = Table().with_transformation(model.DataTransformerConfig("organize", options=shape))
    return _named(panel, text).with_target(_now(0, query))


def waterfall(text: Text, begin: Query, takes: Query, label: str) -> BarChart:
    """One bar for each value of the label, which begins where ``begin`` says and is as long as ``takes``; seconds."""
    renamed = {"Value #A": "begins at", "Value #B": "takes"}
    shape = {"excludeByName": {"Time 1": True, "Time 2": True}, "indexByName": {}, "renameByName": renamed}
    panel = BarChart().unit("s").min(0).orientation(kinds.VizOrientation.HORIZONTAL).x_field(label)
    panel.with_transformation(model.DataTransformerConfig("joinByField", options={"byField": label, "mode": "outer"}))
    panel.with_transformation(model.DataTransformerConfig("organize", options=shape))
    by_begin = {"fields": {}, "sort": [{"field": "begins at"}]}
    panel.with_transformation(model.DataTransformerConfig("sortBy", options=by_begin))
    panel.stacking(kinds.StackingMode.NORMAL).show_value(kinds.VisibilityMode.NEVER).fill_opacity(80)
    unseen = model.DynamicConfigValue("custom.hideFrom", {"legend": True, "tooltip": True, "viz": False})
    panel.override_by_name("begins at", [_fixed_color("transparent"), unseen])
    return _named(panel, text).with_target(_now(0, begin)).with_target(_now(1, takes))


def _named(panel: P, text: Text) -> P:
    return panel.title(text.title).description(text.description).datasource(SOURCE)


def _about(panel: P, text: Text, queries: Sequence[Query]) -> P:
    _named(panel, text)
    for index, query in enumerate(queries):
        panel.with_target(_dataquery(index, query).range())
    return panel


def _dataquery(index: int, query: Query) -> Dataquery:
    return Dataquery().expr(query.promql).legend_format(query.legend).ref_id(chr(ord("A") + index))


def _now(index: int, query: Query) -> Dataquery:
    return _dataquery(index, query).instant().format(PromQueryFormat.TABLE)


def _mapping(codes: Mapping[int, Code]) -> model.ValueMap:
    results = {
        str(value): model.ValueMappingResult(text=code.text, color=code.color, index=index)
        for index, (value, code) in enumerate(codes.items())
    }
    return model.ValueMap(options=results)


def _fixed_color(color: str) -> model.DynamicConfigValue:
    return model.DynamicConfigValue("color", {"mode": "fixed", "fixedColor": color})

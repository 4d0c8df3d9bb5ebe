"""A dashboard as its file describes it: panels, their places and their queries, with the variables filled in."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WIDTH = 24
"""Of Grafana's grid."""


@dataclass(frozen=True, slots=True)
class Target:
    """One query. legend: {{label}} stands for a label's value; __auto for all of them."""

    promql: str
    legend: str
    instant: bool

    def name(self, labels: Mapping[str, str]) -> str:
        """What a line is called."""
        if self.legend == "__auto":
            return ", ".join(value for key, value in sorted(labels.items()) if key != "__name__") or self.promql
        return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), self.legend).strip()


@dataclass(frozen=True, slots=True)
class Look:
    """Text and colour of a value."""

    text: str
    color: str


@dataclass(frozen=True, slots=True)
class Panel:
    """place: x, y, width, height in the grid, from the top. codes: what numbers stand for. steps: from where on
    which colour. headings: label to column, of a table. dashed: the line that is a limit, "" for none.
    """

    title: str
    kind: str
    unit: str
    place: tuple[int, int, int, int]
    targets: tuple[Target, ...]
    codes: Mapping[float, Look] = field(default_factory=dict)
    steps: tuple[tuple[float, str], ...] = ()
    headings: Mapping[str, str] = field(default_factory=dict)
    stacked: bool = False
    by_name: bool = False
    on_color: bool = False
    none: str = ""
    dashed: str = ""


def read_board(path: Path, variables: Mapping[str, str]) -> tuple[str, tuple[Panel, ...]]:
    """Title and panels. variables: $NAME in a query stands for the value."""
    board = json.loads(path.read_text(encoding="utf-8"))
    return board["title"], tuple(_panel(panel, variables) for panel in board["panels"])


def _panel(panel: dict[str, Any], variables: Mapping[str, str]) -> Panel:
    config = panel.get("fieldConfig", {})
    defaults, options = config.get("defaults", {}), panel.get("options", {})
    at, custom = panel["gridPos"], defaults.get("custom", {})
    return Panel(
        title=panel["title"],
        kind=panel["type"],
        unit=defaults.get("unit", "none"),
        place=(at["x"], at["y"], at["w"], at["h"]),
        targets=tuple(_target(target, variables) for target in panel["targets"]),
        codes=_codes(defaults),
        steps=_steps(defaults),
        headings=_headings(panel),
        stacked=custom.get("stacking", {}).get("mode") == "normal",
        by_name=options.get("textMode") == "name",
        on_color=options.get("colorMode") == "background",
        none=defaults.get("noValue", ""),
        dashed=_dashed(config),
    )


def _target(target: dict[str, Any], variables: Mapping[str, str]) -> Target:
    promql = re.sub(r"\$(\w+)", lambda found: variables[found[1]], target["expr"])
    return Target(promql, target["legendFormat"], instant=target["instant"])


def _codes(defaults: dict[str, Any]) -> dict[float, Look]:
    return {
        float(value): Look(result["text"], result["color"])
        for mapping in defaults.get("mappings", ())
        for value, result in mapping["options"].items()
    }


def _steps(defaults: dict[str, Any]) -> tuple[tuple[float, str], ...]:
    steps = defaults.get("thresholds", {}).get("steps", ())
    return tuple((float("-inf") if step["value"] is None else step["value"], step["color"]) for step in steps)


def _headings(panel: dict[str, Any]) -> dict[str, str]:
    for transformation in panel.get("transformations", ()):
        options = transformation["options"]
        if transformation["id"] == "organize" and options["indexByName"]:
            order = options["indexByName"]
            return {label: options["renameByName"][label] for label in sorted(order, key=order.__getitem__)}
    return {}


def _dashed(config: dict[str, Any]) -> str:
    for override in config.get("overrides", ()):
        if any(each["id"] == "custom.lineStyle" for each in override["properties"]):
            return str(override["matcher"]["options"])
    return ""

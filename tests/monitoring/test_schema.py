"""The dashboards against Grafana's own types: @grafana/schema, by TypeScript's compiler."""

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from monitoring.dashboards.__main__ import FOLDER
from tests.monitoring.test_dashboards import NAMES, board
from tests.monitoring.tools import run, tool

SCHEMA = FOLDER.parent / "schema"

HEAD = """
import type * as schema from "@grafana/schema";

// As JSON has no enums, each string enum stands for its texts.
type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
// Of a panel's own options only what differs from the default is written down.
type Part<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]?: Part<T[K]> } : T;
"""

FIELD_CONFIGS = {"timeseries": "FieldConfig", "state-timeline": "FieldConfig", "barchart": "FieldConfig"}
"""Kinds of panel that have settings of their own for each field; those of a heat map and a table are not used."""
MODULES = {"timeseries": "TimeSeries", "state-timeline": "StateTimeline", "barchart": "BarChart"}


def typescript(dashboard: dict[str, Any]) -> str:
    """A program that compiles if, and only if, the dashboard is of the types it should be of."""
    imports, checks = set[str](), []
    for panel in dashboard["panels"]:
        kind, name = panel["type"], MODULES.get(panel["type"], panel["type"].capitalize())
        folder = kind.replace("-", "")
        module = f"@grafana/schema/dist/types/raw/composable/{folder}/panelcfg/x/{name}PanelCfg_types.gen"
        imports.add(f'import type * as {folder} from "{module}";')
        checks.append(
            f"export const options{panel['id']}: Part<{folder}.Options> = {json.dumps(panel.get('options', {}))};"
        )
        if kind in FIELD_CONFIGS:
            custom = json.dumps(panel["fieldConfig"]["defaults"].get("custom", {}))
            checks.append(f"export const custom{panel['id']}: Part<{folder}.FieldConfig> = {custom};")
    whole = f"export const dashboard: Plain<schema.Dashboard> = {json.dumps(dashboard, indent=1)};"
    return "\n".join([HEAD, *sorted(imports), whole, *checks])


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compiler and Grafana's types in it."""
    folder = tmp_path_factory.mktemp("schema")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(SCHEMA / name, folder)
    result = run(tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder))
    if result.returncode:
        pytest.fail(f"npm could not fetch Grafana's types:\n{result.stdout}")
    return folder


def compiled(workshop: Path, program: str) -> str:
    """What the compiler has to say: nothing, if all is well."""
    source = workshop / "check.ts"
    source.write_text(program, encoding="utf-8")
    tsc = workshop / "node_modules" / ".bin" / "tsc"
    flags = ("--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "node")
    return run(str(tsc), *flags, "--target", "es2022", str(source)).stdout


@pytest.mark.monitoring
@pytest.mark.parametrize("name", NAMES)
def test_a_dashboard_is_of_grafanas_types(workshop: Path, name: str) -> None:
    assert compiled(workshop, typescript(board(name))) == ""


@pytest.mark.monitoring
@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("title",), 5),
        (("time", "from"), None),
        (("graphTooltip",), 7),
        (("templating", "list", 1, "refresh"), "sometimes"),
        (("panels", 0, "gridPos", "w"), "wide"),
        (("panels", 0, "fieldConfig", "defaults", "mappings", 0, "type"), "guess"),
        (("panels", 0, "fieldConfig", "defaults", "thresholds", "mode"), "relative"),
        (("panels", 0, "options", "colorMode"), "loud"),
        (("panels", 6, "fieldConfig", "defaults", "custom", "fillOpacity"), "much"),
        (("panels", 6, "options", "rowHight"), 0.5),
        (("panels", 8, "fieldConfig", "defaults", "custom", "stacking", "mode"), "sideways"),
        (("panels", 9, "options", "color", "steps"), "many"),
    ],
)
def test_a_field_of_another_type_is_found(workshop: Path, path: tuple[str | int, ...], wrong: object) -> None:
    spoiled = copy.deepcopy(board("camera"))
    *way, last = path
    place: Any = spoiled
    for step in way:
        place = place[step]
    place[last] = wrong
    assert "error TS" in compiled(workshop, typescript(spoiled))

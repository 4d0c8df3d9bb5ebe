"""The dashboards as files: those that the code writes, over metrics that vcam has, without a gap in the grid."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitoring.dashboards.__main__ import FOLDER, main
from tests.monitoring.test_config import rules
from tests.service.test_metrics import CONTRACT

NAMES = ("camera", "fleet")


def board(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def queries(name: str) -> list[str]:
    return [target["expr"] for panel in board(name)["panels"] for target in panel["targets"]]


def known_metrics() -> set[str]:
    """What vcam exposes, as written in PromQL, and what the recording rules make of it."""
    suffixes = ("", "_total", "_bucket", "_sum", "_count")
    exposed = {name + suffix for name in CONTRACT for suffix in suffixes}
    return exposed | {rule["record"] for rule in rules() if "record" in rule}


def named_metrics(promql: str) -> set[str]:
    return set(re.findall(r"\bvcam[_:][\w:]+", promql))


@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_what_the_code_writes(name: str, tmp_path: Path) -> None:
    main(tmp_path)
    assert (tmp_path / f"{name}.json").read_text() == (FOLDER / f"{name}.json").read_text(), "run make dashboards"


def test_every_metric_that_is_named_exists() -> None:
    texts = [query for name in NAMES for query in queries(name)] + [rule["expr"] for rule in rules()]
    named = set[str]().union(*map(named_metrics, texts))
    assert len(named) > 20
    assert named <= known_metrics()


def test_every_recording_rule_is_of_use() -> None:
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    texts = [query for name in NAMES for query in queries(name)] + [rule["expr"] for rule in rules()]
    assert recorded - set[str]().union(*map(named_metrics, texts)) == set()


@pytest.mark.parametrize("name", NAMES)
def test_panels_fill_the_grid_without_a_gap(name: str) -> None:
    places = [panel["gridPos"] for panel in board(name)["panels"]]
    cells = list(
        itertools.chain.from_iterable(
            itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])) for at in places
        )
    )
    assert len(cells) == len(set(cells)), "two panels lie one on the other"
    assert set(cells) == set(itertools.product(range(24), range(max(y for _, y in cells) + 1)))


@pytest.mark.parametrize("name", NAMES)
def test_panels_have_a_number_a_title_a_text_and_the_chosen_prometheus(name: str) -> None:
    panels = board(name)["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    for panel in panels:
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["datasource"] == {"type": "prometheus", "uid": "${source}"}


def test_grafana_is_given_the_source_and_the_folder_of_the_dashboards() -> None:
    compose = yaml.safe_load((FOLDER.parents[2] / "compose.yaml").read_text(encoding="utf-8"))
    volumes = [volume.split(":") for volume in compose["services"]["grafana"]["volumes"]]
    inside = {source: target for source, target, *_ in volumes}
    provisioning = FOLDER.parent / "provisioning"
    provider = yaml.safe_load((provisioning / "dashboards" / "vcam.yaml").read_text(encoding="utf-8"))["providers"][0]
    source = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text(encoding="utf-8"))
    assert provider["options"]["path"] == inside["./monitoring/grafana/dashboards"]
    assert inside["./monitoring/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    home = compose["services"]["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).parent == Path(provider["options"]["path"])
    assert (FOLDER / Path(home).name).is_file()

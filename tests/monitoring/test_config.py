"""Prometheus' and Alertmanager's own checks of their settings, and that each of those checks can fail."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.monitoring.tools import run, tool

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "monitoring" / "prometheus"
ALERTMANAGER = ROOT / "monitoring" / "alertmanager" / "alertmanager.yml"
RULE_TESTS = Path(__file__).parent / "rules.test.yml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of Prometheus' settings, to spoil."""
    return Path(shutil.copytree(PROMETHEUS, tmp_path / "prometheus"))


def replace_once(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_prometheus_takes_its_settings_and_the_example_of_a_fleet(copy: Path) -> None:
    example = copy / "fleet" / "example.yml.txt"
    example.rename(example.with_suffix(""))
    result = run(tool("promtool"), "check", "config", "--lint-fatal", str(copy / "prometheus.yml"))
    assert result.returncode == 0, result.stdout
    assert "WARNING" not in result.stdout


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("prometheus.yml", "scrape_interval: 5s", "scrape_interval: soon"),
        ("prometheus.yml", "file_sd_configs", "file_sd_config"),
        ("fleet/example.yml.txt", "  labels: {appliance: room-12,", "  label: {appliance: room-12,"),
        ("rules/alerts.yml", 'expr: up{job="vcam"} == 0', 'expr: up{job="vcam" == 0'),
        ("rules/recording.yml", "record: vcam:safe_frames:rate1m", "record: vcam-safe"),
    ],
)
def test_prometheus_refuses_settings_that_are_wrong(copy: Path, name: str, old: str, new: str) -> None:
    replace_once(copy / name, old, new)
    example = copy / "fleet" / "example.yml.txt"
    example.rename(example.with_suffix(""))
    assert run(tool("promtool"), "check", "config", str(copy / "prometheus.yml")).returncode != 0


def test_alertmanager_takes_its_settings(tmp_path: Path) -> None:
    assert run(tool("amtool"), "check-config", str(ALERTMANAGER)).returncode == 0
    spoiled = tmp_path / "alertmanager.yml"
    shutil.copy(ALERTMANAGER, spoiled)
    replace_once(spoiled, "receiver: operator", "receiver: nobody")
    assert run(tool("amtool"), "check-config", str(spoiled)).returncode != 0


def test_each_alert_that_holds_others_back_exists() -> None:
    names = {rule["alert"] for rule in rules() if "alert" in rule}
    named = re.findall(r"Vcam\w+", ALERTMANAGER.read_text(encoding="utf-8"))
    assert named
    assert set(named) <= names


def test_the_rules_do_what_their_tests_say() -> None:
    result = run(tool("promtool"), "test", "rules", str(RULE_TESTS))
    assert result.returncode == 0, result.stdout


def rules() -> Iterator[dict[str, Any]]:
    for path in sorted((PROMETHEUS / "rules").glob("*.yml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


def variants() -> Iterator[tuple[int, str, str]]:
    """Each rule, so changed that a test of it must fail: number, key, value."""
    for number, rule in enumerate(rules()):
        if "alert" in rule:
            yield number, "expr", "vector(1) > 1"
            yield number, "expr", f"({rule['expr']}) or vector(1)"
            if "for" in rule:
                yield number, "for", "0s"
        else:
            yield number, "expr", f"({rule['expr']}) + 0.001"


@pytest.mark.monitoring
@pytest.mark.parametrize(("number", "key", "value"), list(variants()))
def test_no_rule_can_be_changed_without_a_test_that_fails(copy: Path, number: int, key: str, value: str) -> None:
    all_rules = list(rules())
    all_rules[number][key] = value
    for path in (copy / "rules").iterdir():
        path.unlink()
    (copy / "rules" / "all.yml").write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": all_rules}]}))
    tests = copy / "rules.test.yml"
    shutil.copy(RULE_TESTS, tests)
    replace_once(tests, "../../monitoring/prometheus/rules/*.yml", "rules/all.yml")
    result = run(tool("promtool"), "test", "rules", str(tests))
    assert result.returncode != 0
    assert "FAILED" in result.stdout, result.stdout


def test_compose_has_what_the_settings_name() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    settings = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
    vcam, gpu = settings["scrape_configs"]
    (tell,) = settings["alerting"]["alertmanagers"]
    named = [host for found in (gpu, tell) for each in found["dns_sd_configs"] for host in each["names"]]
    assert [services[host]["profiles"] for host in named] == [["gpu"], ["alerts"]]
    (target,) = vcam["static_configs"][0]["targets"]
    assert target == f"vcam:{services['vcam']['environment']['VCAM_HTTP_PORT']}"
    for name, folder in (("prometheus", PROMETHEUS), ("alertmanager", ALERTMANAGER.parent)):
        assert f"./{folder.relative_to(ROOT)}:/etc/{name}:ro" in services[name]["volumes"]
        (config,) = [word for word in services[name]["command"] if word.startswith("--config.file=")]
        assert (folder / Path(config).name).is_file()
    assert "METRICS_ADDRESS" in (PROMETHEUS / "fleet" / "example.yml.txt").read_text(encoding="utf-8")
    assert "${METRICS_ADDRESS:-127.0.0.1}" in services["vcam"]["ports"][0]

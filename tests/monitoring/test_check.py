"""scripts/check_monitoring.sh: all is well here, and each of its checks can fail."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.monitoring.test_config import ROOT
from tests.monitoring.tools import tool

CHECK = ROOT / "scripts" / "check_monitoring.sh"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what is checked, to spoil."""
    for name in ("monitoring/prometheus", "monitoring/alertmanager", "tests/monitoring"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for name in ("compose.yaml", ".yamllint.yaml", ".gitignore"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def checked(*arguments: str | Path, **environ: str) -> tuple[bool, str]:
    """Whether all is well, and what was said."""
    result = subprocess.run(
        [CHECK, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environ}
    )
    return result.returncode == 0, result.stdout


def test_all_is_well(checkout: Path) -> None:
    for program in ("promtool", "amtool"):
        tool(program)
    well, said = checked("--strict", checkout)
    assert well, said
    assert said.count("ok  ") == 4


@pytest.mark.parametrize(
    ("program", "name", "old", "new", "failed"),
    [
        (None, "compose.yaml", "name: vcam\n", "name:  vcam\n", "YAML files"),
        (None, "monitoring/prometheus/fleet/example.yml.txt", "- targets: [", "-  targets: [ ", "YAML files"),
        ("promtool", "monitoring/prometheus/prometheus.yml", "type: A, port: 9400", "type: A", "Prometheus' settings"),
        ("promtool", "monitoring/prometheus/rules/alerts.yml", "for: 30s", "for: 90s", "Prometheus' rules"),
        (
            "amtool",
            "monitoring/alertmanager/alertmanager.yml",
            "group_wait: 10s",
            "wait: 10s",
            "Alertmanager's settings",
        ),
    ],
)
def test_what_is_wrong_is_found(
    checkout: Path, program: str | None, name: str, old: str, new: str, failed: str
) -> None:
    if program is not None:
        tool(program)
    path = checkout / name
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    well, said = checked(checkout)
    assert not well
    assert [line for line in said.splitlines() if line.startswith("FAILED") and line.endswith(failed)], said


def test_a_checker_that_is_missing_is_told_and_strict_wants_it(checkout: Path) -> None:
    missing = {"PROMTOOL": "/nowhere/promtool", "AMTOOL": "/nowhere/amtool"}
    well, said = checked(checkout, **missing)
    assert well, said
    assert said.count("skipped") == 3
    assert "sudo apt-get install prometheus-alertmanager" in said
    assert not checked("--strict", checkout, **missing)[0]

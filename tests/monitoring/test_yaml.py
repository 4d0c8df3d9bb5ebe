"""The style of the YAML files, and that what is checked is checked."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.monitoring.tools import run

ROOT = Path(__file__).parents[2]
YAMLLINT = (sys.executable, "-m", "yamllint", "--strict")


def test_the_yaml_files_are_in_the_house_style() -> None:
    listed = run("git", "-C", str(ROOT), "ls-files", "*.yml", "*.yaml").stdout.split()
    assert listed
    result = run(*YAMLLINT, "--config-file", str(ROOT / ".yamllint.yaml"), *(str(ROOT / name) for name in listed))
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: 1\na: 2\n", "key-duplicates"),
        ("a: yes\n", "truthy"),
        ("a: {b: }\n", "empty-values"),
        ("a:\n   - 1\n  - 2\n", "syntax"),
        ("a: 0644\n", "octal-values"),
        (f"a: {'long ' * 30}\n", "line-length"),
        ("a: 1 \n", "trailing-spaces"),
    ],
)
def test_what_is_not_is_found(tmp_path: Path, text: str, rule: str) -> None:
    shutil.copy(ROOT / ".yamllint.yaml", tmp_path)
    shutil.copy(ROOT / ".gitignore", tmp_path)
    spoiled = tmp_path / "spoiled.yaml"
    spoiled.write_text(text, encoding="utf-8")
    result = run(*YAMLLINT, "--config-file", str(tmp_path / ".yamllint.yaml"), str(spoiled))
    assert result.returncode != 0
    assert f"({rule})" in result.stdout

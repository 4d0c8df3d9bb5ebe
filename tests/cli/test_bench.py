"""``vcam bench``: the suites that are named, as a table and as JSON."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

import pytest

from vcam.bench.report import Row
from vcam.bench.suites import SUITES, Options
from vcam.cli import bench as command
from vcam.cli.options import BenchOptions
from vcam.errors import ConfigError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """What the one suite there is was run with."""
    seen: list[Options] = []

    def quick(options: Options) -> Iterator[Row]:
        seen.append(options)
        yield Row("a thing", 1.5, 2.25, 3.0, options.frames or 10, {"fps": 29.9712, "against": "OpenCV"})

    monkeypatch.setattr(command, "SUITES", MappingProxyType({"quick": ("something quick", quick)}))
    return seen


def test_a_suite_is_shown_as_a_table(asked: list[Options], capsys: pytest.CaptureFixture[str]) -> None:
    command.bench(BenchOptions(frames=7, model="m.onnx"))
    (options,) = asked
    assert (options.frames, options.model) == (7, "m.onnx")
    text = capsys.readouterr().out
    assert "quick: something quick" in text
    for part in ("a thing", "1.50", "2.25", "3.00", "7", "fps 29.9712", "against OpenCV"):
        assert part in text


def test_figures_are_stored_with_the_machine_they_belong_to(asked: list[Options], tmp_path: Path) -> None:
    command.bench(BenchOptions(suites=["quick"], json=tmp_path / "figures"))
    document = json.loads((tmp_path / "figures" / "quick.json").read_text())
    assert document["rows"][0]["p95_ms"] == 2.25
    assert document["hardware"]["cores"] >= 1


def test_a_suite_that_there_is_not_is_an_error_before_anything_runs(asked: list[Options]) -> None:
    with pytest.raises(ConfigError, match="no suite slow") as caught:
        command.bench(BenchOptions(suites=["quick", "slow"]))
    assert "quick" in caught.value.hint
    assert not asked


@pytest.mark.parametrize("frames", [0, -3])
def test_no_picture_is_no_measurement(asked: list[Options], frames: int) -> None:
    with pytest.raises(ConfigError, match=f"--frames {frames}") as caught:
        command.bench(BenchOptions(suites=["quick"], frames=frames))
    assert "1 or more" in caught.value.hint
    assert asked == []


def test_the_help_names_the_suites() -> None:
    from vcam.cli import options

    assert [name for name in SUITES if name not in options._SUITES] == []

"""What a run of scripts/gpu_check.sh came to: a table, and one JSON file with everything in it.

Usage: python scripts/gpu_summary.py DIR. Needs nothing but Python. Exit 1 when a step failed or a goal was missed.

A goal without a figure is "not measured", which is neither met nor missed; no figure is made up.
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

ENGINES = ("tensorrt", "tensorrt-rtx")
WITHOUT = "no engine"
COUNTS = ("tests", "failures", "errors", "skipped")

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """result: its exit code, or ``skipped: WHY``."""

    name: str
    result: str
    seconds: int

    @property
    def failed(self) -> bool:
        return not self.result.startswith("skipped") and self.result != "0"


@dataclass(frozen=True, slots=True)
class Goal:
    """figure: None where it was not measured. limit: the most it may be, or the least where ``least``."""

    name: str
    figure: float | None
    limit: float
    least: bool = False

    @property
    def verdict(self) -> str:
        if self.figure is None:
            return "not measured"
        met = self.figure >= self.limit if self.least else self.figure <= self.limit
        return "met" if met else "MISSED"


def read_steps(folder: Path) -> list[Step]:
    """In their order."""
    path = folder / "steps.tsv"
    lines = path.read_text().splitlines() if path.exists() else []
    return [Step(name, result, int(seconds)) for name, result, seconds in (line.split("\t") for line in lines)]


def read_json(path: Path) -> dict[str, Any]:
    """Empty where a step wrote nothing."""
    try:
        found: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return found


def figure(rows: Rows, group: str, name: str, key: str = "p50_ms") -> float | None:
    """Of the first row of that name whose group begins so; None where there is none, or nothing was measured."""
    for row in rows:
        if row["group"].startswith(group) and row["name"] == name and row["count"]:
            value = row.get(key, row["extra"].get(key))
            return None if value is None else float(value)
    return None


def goals(bench: Rows, soak: Rows) -> Iterator[Goal]:
    """Those of the GPU path, for each engine that was measured."""
    for kernel in ("sample", "compose"):
        share = figure(bench, "bandwidth", f"{kernel} 1080p", "share_of_copy")
        yield Goal(f"{kernel} at 1080p, share of the copy's bandwidth", share, 0.7, least=True)
    for row in (row for row in bench if row["group"] == "equal pictures"):
        yield Goal(f"{row['name']}, levels apart", figure([row], "", row["name"], "largest_difference"), 0)
    rest = figure(bench, f"1080p MJPEG to YUYV, {WITHOUT}, CUDA graphs", "GPU without the engine")
    yield Goal("1080p, GPU without the engine, ms", rest, 0.6)
    present = {name for name in ENGINES for row in bench if f", {name}, " in row["group"]}
    for engine in present or {ENGINES[0]}:
        yield from engine_goals(bench, engine)
    for row in soak:
        for key, limit in (
            ("gpu_memory_growth_mib", 2.0),
            ("own_buffers_growth_bytes", 0.0),
            ("descriptor_growth", 0.0),
        ):
            if row["count"]:
                yield Goal(f"{row['name']}, {key}", figure([row], "", row["name"], key), limit)


def engine_goals(bench: Rows, engine: str) -> Iterator[Goal]:
    """Of one engine's frames."""
    group = "{}p MJPEG to YUYV, " + f"{engine}, CUDA graphs"
    whole = "whole frame: JPEG in to picture out"
    get: Callable[..., float | None] = lambda height, *rest: figure(bench, group.format(height), *rest)  # noqa: E731
    yield Goal(f"{engine}: 1080p whole frame, ms", get(1080, whole), 6.0)
    yield Goal(f"{engine}: 1080p, GPU, ms", get(1080, "GPU, by events"), 2.0)
    uhd, full = get(2160, whole), get(1080, whole)
    yield Goal(f"{engine}: 4K over 1080p", uhd / full if uhd and full else None, 3.0)
    ours = get(1080, "our own work on the CPU, without decoding and copies")
    yield Goal(f"{engine}: 1080p, our own work on the CPU, ms", ours, 0.3)
    memory = get(1080, whole, "gpu_memory_in_use_mib")
    yield Goal(f"{engine}: GPU memory, all processes, MB", None if memory is None else memory * 1.048576, 600)
    rows = [row for row in bench if row["group"].startswith("accuracy") and row["name"].startswith(f"{engine},")]
    for key, limit in (("largest", 0.05), ("mean", 1e-3)):
        found = figure(rows, "accuracy", rows[0]["name"], key) if rows else None
        yield Goal(f"{engine}: alpha against float32, {key}", found, limit)


def counts(path: Path) -> dict[str, int]:
    """How many tests ran, and how; empty where there is no report."""
    try:
        suites = list(ElementTree.parse(path).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return {}
    return {key: sum(int(suite.get(key, "0")) for suite in suites) for key in COUNTS}


def main(folder: Path) -> int:
    """Print and write; 1 where something is wrong."""
    steps = read_steps(folder)
    bench, soak = read_json(folder / "gpu.json"), read_json(folder / "gpu-soak.json")
    found = list(goals(bench.get("rows", []), soak.get("rows", [])))
    tests = counts(folder / "tests.xml")
    lines = [f"{step.name:16} {step.seconds:5} s  {'FAILED, exit ' * step.failed}{step.result}" for step in steps]
    lines += ["", f"tests: {tests or 'no report'}", ""]
    for goal in found:
        value = "-" if goal.figure is None else f"{goal.figure:.4g}"
        sign = ">=" if goal.least else "<="
        lines.append(f"{goal.verdict:12} {goal.name}: {value} (goal {sign} {goal.limit:g})")
    print("\n".join(lines))  # noqa: T201
    document = {
        "steps": [asdict(step) for step in steps],
        "tests": tests,
        "goals": [{**asdict(goal), "verdict": goal.verdict} for goal in found],
        "bench": bench,
        "soak": soak,
        "calculation": read_json(folder / "calculation.json"),
        "logs": {path.stem: path.read_text(errors="replace")[-20_000:] for path in sorted(folder.glob("*.log"))},
    }
    target = folder / "gpu_check.json"
    target.write_text(json.dumps(document, indent=1) + "\n")
    print(f"\nwritten to {target}")  # noqa: T201
    return int(any(step.failed for step in steps) or any(goal.verdict == "MISSED" for goal in found))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

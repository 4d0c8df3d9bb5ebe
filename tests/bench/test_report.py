"""What is measured is written down rightly, and a leak would be seen."""

import json
import mmap
import os
from pathlib import Path

from vcam.bench.footprint import footprint
from vcam.bench.report import durations, interleaved, row, write_json


def test_percentiles_are_those_of_the_durations() -> None:
    result = row("x", [0.001 * n for n in range(1, 101)], fps=30.0)
    assert (result.p50_ms, result.p95_ms, result.count) == (50.5, 95.05, 100)
    assert result.extra == {"fps": 30.0}


def test_warm_up_is_called_but_not_counted() -> None:
    calls: list[int] = []
    assert len(durations(lambda: calls.append(1), count=7, warm_up=3)) == 7
    assert len(calls) == 10


def test_rivals_take_turns() -> None:
    order: list[str] = []
    seconds = interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, count=3, warm_up=1)
    assert order == ["a", "b"] * 4
    assert {name: len(values) for name, values in seconds.items()} == {"a": 3, "b": 3}


def test_a_file_says_where_its_figures_come_from(tmp_path: Path) -> None:
    path = tmp_path / "new" / "suite.json"
    write_json(path, "suite", [row("x", [0.5])])
    document = json.loads(path.read_text())
    assert document["rows"][0]["p50_ms"] == 500.0
    assert document["hardware"]["cores"] == len(os.sched_getaffinity(0))
    assert {"date", "command", "commit", "packages"} <= document.keys()


def test_a_planted_leak_is_seen() -> None:
    before = footprint()
    descriptor = os.open(os.devnull, os.O_RDONLY)
    memory = mmap.mmap(-1, 8 << 20)  # new pages: the heap may have some to give
    memory.write(bytes(8 << 20))
    try:
        after = footprint()
    finally:
        os.close(descriptor)
        memory.close()
    assert after.descriptors == before.descriptors + 1
    assert after.resident_kib - before.resident_kib > 7 << 10
    assert footprint().descriptors == before.descriptors

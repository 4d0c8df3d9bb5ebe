"""What a measurement is written down as: numbers, and the hardware, commit and command they belong to."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path

import numpy as np

from vcam.cuda.probe import find_gpu

_PACKAGES = (
    "numpy", "onnxruntime", "openvino", "av", "PyTurboJPEG", "opencv-python-headless",
    "pycuda", "cuda-bindings", "nvidia-nvjpeg", "tensorrt-cu13", "tensorrt", "tensorrt-rtx",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing. group: rows that belong together, a table of their own; empty: those of the whole suite.

    p50_ms, p95_ms, p99_ms: milliseconds; count: how many were measured. extra: further figures, units in their names.
    """

    name: str
    p50_ms: float
    p95_ms: float
    p99_ms: float
    count: int
    extra: dict[str, float | str] = field(default_factory=dict)
    group: str = ""


def row(name: str, seconds: Sequence[float], **extra: float | str) -> Row:
    """Percentiles of durations given in seconds."""
    p50, p95, p99 = (round(float(np.percentile(seconds, q)) * 1e3, 3) for q in (50, 95, 99))
    return Row(name, p50, p95, p99, len(seconds), extra)


def durations(call: Callable[[], object], *, count: int, warm_up: int = 5) -> list[float]:
    """Seconds of each of ``count`` calls, after ``warm_up`` that are not counted."""
    for _ in range(warm_up):
        call()
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return seconds


def interleaved(calls: dict[str, Callable[[], object]], *, count: int, warm_up: int = 5) -> dict[str, list[float]]:
    """Durations of several rivals in turns, so that whatever disturbs the machine disturbs all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(count + warm_up):
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            if round_ >= warm_up:
                seconds[name].append(time.perf_counter() - began)
    return seconds


def write_json(path: Path, suite: str, rows: Sequence[Row]) -> None:
    """Store a suite's rows with all that is needed to repeat them."""
    document = {
        "suite": suite,
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join(["vcam", *map(_without_folder, sys.argv[1:])]),
        "commit": commit(),
        "hardware": hardware(),
        "packages": _versions(),
        "rows": [asdict(row) for row in rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")


def _without_folder(argument: str) -> str:
    """Where files lie on the measuring machine is nobody's business."""
    return Path(argument).name if argument.startswith("/") else argument


def hardware() -> dict[str, str | int]:
    """Processor, its cores that we may use, memory, system, and the GPU where there is one."""
    gpu = find_gpu().facts
    cpu = next((line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "")
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return {
        "cpu": cpu or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory) / 2**20),
        "system": platform.platform(),
        "python": platform.python_version(),
        **({"gpu": str(gpu)} if gpu is not None else {}),
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text().splitlines() if file.exists() else []


def commit() -> str:
    """Short hash of the checkout, with a + when it was changed; empty outside of one."""
    where = Path(__file__).parent
    command = ["git", "-C", str(where), "describe", "--always", "--dirty=+", "--exclude=*"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip()


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found

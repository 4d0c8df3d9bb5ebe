"""What the tests measured: a table at the end of the run, and out/vm.json."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from tests.vm.bed.guest import ROOT, Guest
from vcam.bench.report import commit, hardware

PLACE = ROOT / "out/vm.json"


@dataclass
class Figures:
    """Values by name, in the order they came. Units stand in the names' brackets."""

    values: dict[str, float | str] = field(default_factory=dict)

    def note(self, name: str, value: float | str) -> None:
        self.values[name] = round(value, 4) if isinstance(value, float) else value

    def table(self) -> list[str]:
        width = max(map(len, self.values), default=0)
        return [f"{name:{width}}  {value}" for name, value in self.values.items()]

    def store(self, place: Path = PLACE) -> None:
        facts: dict[str, Any] = {
            "suite": "vm",
            "date": date.today().isoformat(),
            "command": "make test-vm",
            "commit": commit(),
        }
        facts |= {"hardware": hardware(), "guest": "emulated (qemu TCG): 2 cores of x86-64-v2", "figures": self.values}
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(facts, indent=1) + "\n")


def percentile(values: list[float], share: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


_WORK = (
    "import time, timeit; "
    'print(min(timeit.repeat("sum(i * i % 7 for i in range(10**6))", number=1, repeat=3, timer=time.process_time)))'
)


def slowness(guest: Guest) -> float:
    """How many times as long as this computer the guest needs for the same Python."""
    here = subprocess.run((sys.executable, "-c", _WORK), check=True, capture_output=True, text=True).stdout
    return float(guest.run(f"/opt/bed/bin/python -c '{_WORK}'")) / float(here)

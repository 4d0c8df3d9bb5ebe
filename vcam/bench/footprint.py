"""Does it stay as it is? Memory, descriptors and threads while frames go by."""

import gc
import threading
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the process holds: resident memory in KiB, open descriptors, Python threads and all kernel threads."""

    resident_kib: int
    descriptors: int
    python_threads: int
    kernel_threads: int


def footprint() -> Footprint:
    """Read from /proc, after a garbage collection."""
    gc.collect()
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    return Footprint(
        resident_kib=int(status["VmRSS"].split()[0]),
        descriptors=sum(1 for _ in Path("/proc/self/fd").iterdir()),
        python_threads=threading.active_count(),
        kernel_threads=int(status["Threads"]),
    )

"""The NVIDIA GPU, its driver, and whether containers get at it."""

import re
from collections.abc import Sequence

from vcam.doctor.case import Case
from vcam.doctor.finding import Finding, fail, ok, skip, warn
from vcam.doctor.view import View
from vcam.engines.select import ENGINES

CHECK = "GPU"

_NVIDIA = "0x10de"
_DISPLAY = "0x03"
"""PCI class of graphics cards, its first byte."""
_GIB = 1024**3
_ENOUGH_BYTES = 2 * _GIB
_ON_GPU = frozenset(name for name, kind in ENGINES.items() if kind.flavour is not None)
_DRIVER = re.compile(r"(?:Kernel Module|for x86_64|for aarch64)\s+(\d+\.\d[\d.]*)")


def check_gpu(case: Case) -> Sequence[Finding]:
    """Usable, or why not; no GPU is no fault."""
    answer, wanted = case.view.gpu(), case.config.engine in _ON_GPU
    if answer.facts is None:
        if wanted:
            return [fail(CHECK, f"engine {case.config.engine} is asked for, but {answer.problem}", answer.hint)]
        if has_nvidia(case.view):
            driver = _driver(case.view)
            return [warn(CHECK, f"{answer.problem}{f' (driver {driver})' if driver else ''}", answer.hint)]
        return [skip(CHECK, "none of NVIDIA's; engines for processors run")]
    gpu = answer.facts
    cuda = f"{gpu.driver_version // 1000}.{gpu.driver_version % 1000 // 10}"
    facts = f"{gpu.name}, {gpu.memory_bytes / _GIB:.0f} GiB, driver {_driver(case.view) or '?'} for CUDA {cuda}"
    if gpu.memory_bytes < _ENOUGH_BYTES:
        return [warn(CHECK, f"{facts}: little memory", "vcam run -q fast; or -e openvino if that fails")]
    return [ok(CHECK, facts)]


def has_nvidia(view: View) -> bool:
    """Whether there is such a card, with or without a driver."""
    if view.has("proc/driver/nvidia/version"):
        return True
    for vendor in view.path("sys/bus/pci/devices").glob("*/vendor"):
        kind = vendor.with_name("class")
        if (view.text(view.name(vendor)), (view.text(view.name(kind)) or "")[:4]) == (_NVIDIA, _DISPLAY):
            return True
    return False


def _driver(view: View) -> str | None:
    found = _DRIVER.search(view.text("proc/driver/nvidia/version") or "")
    return found[1] if found else None

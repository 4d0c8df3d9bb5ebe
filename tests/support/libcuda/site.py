"""A process in which the GPU is this CPU: the built libcuda, the real pycuda, and what runs in it."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.libcuda import build_libcuda, run

ROOT = Path(__file__).parents[3]
WHEELS = ROOT / "build" / "pycuda"


def cuda_headers() -> Path:
    """Of the toolkit, or from PyPI."""
    return Path(run(str(ROOT / "scripts" / "cuda_headers.sh"), str(ROOT / "build" / "cuda-headers")).strip())


def pycuda_wheel() -> Path:
    """Built before by scripts/pycuda_wheel.sh. Absent: skipped, or failed under VCAM_REQUIRE=pycuda."""
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    found = sorted(WHEELS.glob(f"pycuda-*-{tag}-*.whl"))
    if not found:
        message = f"pycuda's wheel for {tag} is not in {WHEELS}; run scripts/pycuda_wheel.sh build/pycuda"
        if "pycuda" in os.environ.get("VCAM_REQUIRE", "").split(","):
            pytest.fail(message)
        pytest.skip(message)
    return found[-1]


class CpuAsGpu:
    """folder: gets the library, and pycuda when that is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._library = build_libcuda(folder, cuda_headers())
        self._site = folder / "site"

    def python(self, *arguments: str, settings: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run this interpreter so. settings: of the environment, FAKE_CUDA_* among them (libcuda.cpp)."""
        environment = {**os.environ, "LD_LIBRARY_PATH": str(self._library.parent), **(settings or {})}
        command = [sys.executable, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=environment)

    def python_with_pycuda(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        if not self._site.exists():
            with zipfile.ZipFile(pycuda_wheel()) as wheel:
                wheel.extractall(self._site)
        return self.python(*arguments, settings={"PYTHONPATH": str(self._site)})

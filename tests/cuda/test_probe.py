"""What is said of machines with a GPU, without one, and with one that does not serve."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.libcuda.site import CpuAsGpu
from vcam.cuda import probe
from vcam.cuda.probe import GpuAnswer, find_gpu
from vcam.errors import EngineUnavailableError, MissingDependencyError

ASK = "from vcam.cuda.probe import find_gpu; print(find_gpu())"


def answer(machine: CpuAsGpu, settings: Mapping[str, str]) -> str:
    done = machine.python("-c", ASK, settings=settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_gpu_that_serves(machine: CpuAsGpu) -> None:
    said = answer(machine, {})
    assert "name='CPU as GPU 0', compute_capability=(8, 6), memory_bytes=1073741824, driver_version=13000" in said


@pytest.mark.parametrize(
    ("settings", "problem", "hint"),
    [
        ({"FAKE_CUDA_DEVICES": "0"}, "the driver finds no NVIDIA GPU", "CUDA_VISIBLE_DEVICES"),
        ({"FAKE_CUDA_VERSION": "12080"}, "it supports CUDA 12.8, vcam needs 13.0", "driver 580"),
        ({"FAKE_CUDA_CAPABILITY": "61"}, "CPU as GPU 0 has compute capability 6.1, vcam needs 7.5", "RTX 20"),
        ({"FAKE_CUDA_INIT": "803"}, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "reboot"),
        ({"FAKE_CUDA_INIT": "999"}, "CUDA_ERROR_UNKNOWN", "vcam doctor"),
        ({"FAKE_CUDA_INIT": "12345"}, "CUDA error 12345", "restart vcam"),
    ],
)
def test_a_gpu_that_does_not(machine: CpuAsGpu, settings: Mapping[str, str], problem: str, hint: str) -> None:
    said = answer(machine, settings)
    assert "facts=None" in said
    assert problem in said
    assert hint in said


def no_library(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(probe, "LIBRARY", name)


def test_without_a_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    no_library(monkeypatch, "libcuda-that-is-not-there.so.1")
    found = find_gpu()
    assert found.facts is None
    assert found.problem.startswith("no NVIDIA driver: libcuda-that-is-not-there.so.1")
    assert "driver 580" in found.hint


def test_with_a_library_that_is_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    no_library(monkeypatch, "libc.so.6")
    assert "is no CUDA driver: it lacks cuDriverGetVersion" in find_gpu().problem


def test_with_a_file_that_is_no_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "libcuda.so.1"
    file.write_text("#!/bin/sh\n")
    no_library(monkeypatch, str(file))
    assert find_gpu() == GpuAnswer(None, f"no NVIDIA driver: {file}: file too short", find_gpu().hint)


def test_the_driver_says_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from vcam.cuda.pycuda_driver import PycudaDriver

    no_library(monkeypatch, "libcuda-that-is-not-there.so.1")
    with pytest.raises(EngineUnavailableError, match="no NVIDIA driver") as caught:
        PycudaDriver()
    assert caught.value.hint


def test_a_gpu_but_no_pycuda(machine: CpuAsGpu) -> None:
    code = "from vcam.cuda.pycuda_driver import PycudaDriver; PycudaDriver()"
    done = machine.python("-c", code)
    assert MissingDependencyError.__name__ in done.stderr
    assert "pycuda.driver cannot be imported" in done.stderr


@pytest.mark.parametrize("module", ["device", "graph", "probe", "pycuda_driver", "kernels"])
def test_importing_loads_no_cuda(module: str) -> None:
    code = f"import sys, vcam.cuda.{module}; print(sorted({{'pycuda', 'cuda', 'tensorrt'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

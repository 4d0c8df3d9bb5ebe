"""TensorRT's real Python libraries, as NVIDIA publishes them on PyPI, each in a folder of its own.

tensorrt_bindings (10 and 11) come without the libraries they need, which are on NVIDIA's own index only. What is asked
of them here calls none: three libraries of the right names with nine functions that do nothing let them be imported.
TensorRT-RTX comes whole.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest

CACHE = Path(__file__).parents[2] / "build" / "tensorrt-wheels"
STUBS = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
FUNCTIONS = (
    *("createInferBuilder_INTERNAL", "createInferRefitter_INTERNAL", "createInferRuntime_INTERNAL"),
    *("createNvOnnxParser_INTERNAL", "createNvOnnxParserRefitter_INTERNAL", "getBuilderPluginRegistry"),
    *("getNvOnnxParserVersion", "getPluginRegistry", "initLibNvInferPlugins"),
)
RTX_PYTHONS = ((3, 11), (3, 12))


@dataclass(frozen=True, slots=True)
class Wheels:
    """packages: what pip installs, without dependencies. module: what Python calls it. major: of stubbed libraries."""

    name: str
    packages: tuple[str, ...]
    module: str
    major: int | None


TENSORRT_10 = Wheels("10.16", ("tensorrt-cu13-bindings==10.16.1.11",), "tensorrt_bindings", 10)
TENSORRT_11 = Wheels("11.4", ("tensorrt-cu13-bindings==11.4.0.106",), "tensorrt_bindings", 11)
RTX = Wheels(
    "rtx-1.7",
    tuple(f"tensorrt-rtx-cu13{part}==1.7.1.116" for part in ("", "-bindings", "-libs")),
    "tensorrt_rtx",
    None,
)
ALL = (TENSORRT_10, TENSORRT_11, RTX)


def installed(wheels: Wheels) -> Path:
    """The folder with the library, filled at the first use. Skips, visibly, where it cannot be had."""
    if wheels is RTX:
        if sys.version_info[:2] not in RTX_PYTHONS:
            pytest.skip("TensorRT-RTX has no wheels for this Python")
        spec = find_spec(RTX.module)  # 95 MB, which `make setup` has fetched
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).parents[1]
    folder = CACHE / f"{wheels.name}-{sys.implementation.cache_tag}"
    if not folder.is_dir():
        _fill(folder, wheels)
    return folder


def preamble(wheels: Wheels) -> str:
    """Python lines that import the library as ``trt``, in a process that has imported no other version."""
    folder = installed(wheels)
    lines = ["import ctypes, sys", f"sys.path.insert(0, {str(folder)!r})"]
    if wheels.major is not None:
        stubs = [str(folder / f"lib{name}.so.{wheels.major}") for name in STUBS]
        lines.append(f"for stub in {stubs!r}: ctypes.CDLL(stub, mode=ctypes.RTLD_GLOBAL)")
    return "\n".join([*lines, f"import {wheels.module} as trt"])


def _fill(folder: Path, wheels: Wheels) -> None:
    work = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "--target", str(work), *wheels.packages], capture_output=True, text=True, check=False)
    if done.returncode:
        _absent(f"{', '.join(wheels.packages)} cannot be installed: {done.stderr.strip()[-300:]}")
    if wheels.major is not None:
        source = work / "stub.c"
        source.write_text("".join(f"void *{name}(void) {{ return 0; }}\n" for name in FUNCTIONS))
        for name in STUBS:
            library = f"lib{name}.so.{wheels.major}"
            compiler = ["cc", "-shared", "-fPIC", f"-Wl,-soname,{library}", "-o", str(work / library), str(source)]
            subprocess.run(compiler, check=True, capture_output=True)
    try:
        work.rename(folder)
    except OSError:  # another run was quicker
        shutil.rmtree(work)


def _absent(message: str) -> None:
    if "tensorrt" in os.environ.get("VCAM_REQUIRE", "").split(","):
        pytest.fail(message)
    pytest.skip(message)

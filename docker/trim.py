"""Take out of an image's libraries what vcam never loads. Usage: trim.py SITE_PACKAGES

Prints what each rule saved. A rule that matches nothing is an error: the library has changed, and so must the rule.
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

RULES: Mapping[str, tuple[str, ...]] = {
    "tests of the libraries": ("numpy/**/tests", "scipy/**/tests", "onnx/backend/test"),
    "OpenVINO for Intel's graphics cards and NPUs; vcam computes on the CPU": (
        "openvino/libs/libopenvino_intel_gpu_plugin.so",
        "openvino/libs/libopenvino_intel_npu_plugin.so",
        "openvino/libs/cache.json",
    ),
    "OpenVINO's readers of formats other than ONNX": (
        *("openvino/libs/libopenvino_tensorflow*", "openvino/libs/libopenvino_pytorch*"),
        *("openvino/libs/libopenvino_paddle*", "openvino/libs/libopenvino_jax*", "openvino/libs/libopenvino_gguf*"),
    ),
    "ONNX Runtime for programs in C++": ("onnxruntime/capi/libonnxruntime.so.*",),
    "SciPy beside scipy.ndimage and what that loads": (
        *("scipy/fft", "scipy/integrate", "scipy/interpolate", "scipy/io", "scipy/optimize"),
        *("scipy/signal", "scipy/sparse", "scipy/spatial", "scipy/stats"),
    ),
    "sources and headers": (
        *("openvino/include", "openvino/cmake", "onnxsim/*.cpp", "onnxsim/*.cc", "onnxsim/*.h", "onnxsim/*.hpp"),
        "numpy/_core/include",
    ),
}
_MB = 1e6


def trim(folder: Path, pattern: str) -> int:
    """Remove what matches; returns how many bytes that were."""
    saved = 0
    for path in sorted(folder.glob(pattern)):
        files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
        saved += sum(each.stat().st_size for each in files if each.exists())
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
    return saved


def main(folder: Path) -> int:
    stale: list[str] = []
    for name, patterns in RULES.items():
        saved = {pattern: trim(folder, pattern) for pattern in patterns}
        stale += [pattern for pattern in patterns if not saved[pattern]]
        sys.stdout.write(f"{sum(saved.values()) / _MB:7.1f} MB  {name}\n")
    if stale:
        sys.stderr.write(f"trim.py: nothing matches {', '.join(stale)}; change the rules to fit the libraries\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

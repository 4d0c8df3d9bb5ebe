"""vcam's kernels for the libcuda that computes on the CPU: the compiled host kernels, by the names it looks for."""

import ctypes
import os
from pathlib import Path

from tests.support.host_kernels import build
from tests.support.libcuda import run
from vcam.cuda.kernels import KERNELS

PLACE = "FAKE_CUDA_KERNELS"
"""Where the built library is, for a process that loads it."""

IMAGE = b"// whatever: the kernels are those of the library"

_SOURCE = """
#include <cstddef>
#include <cstring>
struct Kernel { const char* name; };
extern "C" const Kernel* host_kernel(size_t);
extern "C" void host_run(const Kernel*, const unsigned*, const unsigned*, const void*);
static const Kernel* find(const char* name) {
    size_t i = 0;
    while (std::strcmp(host_kernel(i)->name, name) != 0) ++i;
    return host_kernel(i);
}
"""
_FUNCTION = """
extern "C" void fake_kernel_{name}(const unsigned* grid, const unsigned* block, const void* arguments) {{
    static const Kernel* const kernel = find("{name}");
    host_run(kernel, grid, block, arguments);
}}
"""


def build_kernels(folder: Path) -> Path:
    """Compile the names into ``folder``; the kernels themselves were compiled before. Returns the library's path."""
    source, library, kernels = folder / "fake_kernels.cpp", folder / "fake_kernels.so", build()
    source.write_text(_SOURCE + "".join(_FUNCTION.format(name=name) for name in KERNELS))
    compiler = os.environ.get("CXX", "c++")
    run(compiler, "-std=c++17", "-fPIC", "-shared", str(source), "-o", str(library), str(kernels))
    return library


def load_kernels() -> bool:
    """Whether this process has been given such a library; it is loaded then."""
    place = os.environ.get(PLACE)
    if place is not None:
        ctypes.CDLL(place, mode=ctypes.RTLD_GLOBAL)
    return place is not None

"""Builds the libcuda.so.1 that computes on the CPU (libcuda.cpp)."""

import os
import re
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("libcuda.cpp")
NAME = "libcuda.so.1"


def build_libcuda(folder: Path, headers: Path) -> Path:
    """Compile it into ``folder``, against CUDA's own headers. Returns its path."""
    compiler = os.environ.get("CXX", "c++")
    flags = ["-fPIC", "-O1", "-Wall", "-Werror", f"-I{headers}"]
    ours = folder / "libcuda.o"
    run(compiler, "-std=c++17", *flags, "-c", str(SOURCE), "-o", str(ours))
    there = set(re.findall(r" T (\w+)", run("nm", "-D", "--defined-only", str(ours)) or run("nm", str(ours))))
    rest = folder / "rest.cpp"
    rest.write_text("".join(f'extern "C" int {name}() {{ return 801; }}\n' for name in declared(headers) - there))
    library = folder / NAME
    run(compiler, *flags, "-shared", f"-Wl,-soname,{NAME}", "-o", str(library), str(ours), str(rest), "-ldl")
    return library


def declared(headers: Path) -> set[str]:
    """Every function of the driver's API, by the name that it has in the library."""
    both = "#include <cuda.h>\n#include <cudaProfiler.h>\n"
    text = run(os.environ.get("CC", "cc"), "-E", f"-I{headers}", "-", stdin=both)
    return set(re.findall(r"\b(cu[A-Z]\w*) *\(", text))


def run(*command: str, stdin: str = "") -> str:
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=True).stdout

"""The CUDA kernels on the CPU: the same .cu files, compiled by the C++ compiler, for FakeDriver.

They are compiled once for each content of their files, into build/, and run thread after thread: slow, but with the
real code and the real bytes of their arguments. Where SANITIZE is in the environment, they are compiled with
AddressSanitizer, which must be preloaded, and may touch no byte outside of the allocations of FakeMemory.
"""

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar, TypeVar

from vcam.cuda.driver import Dimensions
from vcam.fakes import FakeMemory, Kernel

ROOT = Path(__file__).parents[3]
KERNELS = ROOT / "vcam" / "cuda" / "kernels"
HERE = Path(__file__).parent
CACHE = ROOT / "build" / "host_kernels"
FLAGS = ("-std=c++17", "-O2", "-fno-strict-aliasing", "-fPIC", "-shared", "-fvisibility=hidden")
WARNINGS = ("-Wall", "-Wextra", "-Werror", "-Wno-attributes", "-Wno-unknown-pragmas")
SANITIZE = "VCAM_SANITIZE_KERNELS"
SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")

Row = TypeVar("Row", bound=ctypes.Structure)


class _KernelRow(ctypes.Structure):
    _fields_: ClassVar = [("name", ctypes.c_char_p), ("arguments_bytes", ctypes.c_size_t), ("run", ctypes.c_void_p)]


class _FieldRow(ctypes.Structure):
    _fields_: ClassVar = [
        ("structure", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("offset", ctypes.c_size_t),
        ("size", ctypes.c_size_t),
    ]


class _ConstantRow(ctypes.Structure):
    _fields_: ClassVar = [("name", ctypes.c_char_p), ("value", ctypes.c_long)]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct; the last one of each struct has no name, and its size as ``offset``."""

    structure: str
    name: str
    offset: int
    size: int


def compiler() -> str | None:
    return os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")


def build(*extra: str) -> Path:
    """The library, compiled with ``extra`` flags if that was not done before."""
    cxx = compiler()
    assert cxx is not None, "vcam's own C++ module needs a compiler, too"
    sources = sorted([*KERNELS.glob("*.cu*"), *(ROOT / "vcam" / "native").glob("*.h"), *HERE.glob("*.[hc]*")])
    command = [cxx, *FLAGS, *extra, *WARNINGS, "-x", "c++", f"-I{HERE}", f"-I{KERNELS}", str(HERE / "host_kernels.cpp")]
    content = b"\0".join([*(source.read_bytes() for source in sources), *(word.encode() for word in command)])
    library = CACHE / f"{hashlib.sha256(content).hexdigest()[:24]}.so"
    if not library.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        unfinished = CACHE / f"{library.stem}.{os.getpid()}"
        subprocess.run([*command, "-o", str(unfinished)], check=True)
        unfinished.replace(library)
    return library


class HostKernels:
    """The library at ``path``, loaded. guarded: it is compiled with AddressSanitizer."""

    def __init__(self, path: Path, *, guarded: bool) -> None:
        self._library = ctypes.CDLL(str(path))
        self._guard = _guarding if guarded else lambda memory: nullcontext()
        self._run = self._library.host_run
        self._run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p]
        self._run.restype = None

    def kernels(self) -> Mapping[str, Kernel]:
        """By name, as FakeDriver wants them."""
        return {row.name.decode(): self._kernel(row) for row in self._rows("host_kernel", _KernelRow)}

    def fields(self) -> Sequence[Field]:
        """Of the structs, as the compiler lays them out."""
        rows = self._rows("host_field", _FieldRow)
        return [Field(row.structure.decode(), row.name.decode(), row.offset, row.size) for row in rows]

    def constants(self) -> Mapping[str, int]:
        """That Python and C++ must agree on."""
        return {row.name.decode(): row.value for row in self._rows("host_constant", _ConstantRow)}

    def _kernel(self, row: _KernelRow) -> Kernel:
        address, nbytes, name = ctypes.addressof(row), row.arguments_bytes, row.name.decode()

        def run(grid: Dimensions, block: Dimensions, arguments: bytes, memory: FakeMemory) -> None:
            assert len(arguments) == nbytes, f"{name} takes {nbytes} bytes of arguments, got {len(arguments)}"
            with self._guard(memory):
                self._run(address, (ctypes.c_uint * 3)(*grid), (ctypes.c_uint * 3)(*block), arguments)

        return run

    def _rows(self, function: str, row: type[Row]) -> Iterator[Row]:
        get = getattr(self._library, function)
        get.argtypes, get.restype = [ctypes.c_size_t], ctypes.POINTER(row)
        number = 0
        while found := get(number):
            yield found.contents
            number += 1


@contextmanager
def _guarding(memory: FakeMemory) -> Iterator[None]:
    """Forbid the guards around all allocations, and what is freed, while a kernel runs."""
    sanitizer = ctypes.CDLL(None)
    forbid, allow = sanitizer.__asan_poison_memory_region, sanitizer.__asan_unpoison_memory_region
    forbid.argtypes = allow.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    forbid.restype = allow.restype = None
    blocks = memory._blocks.values()
    foreign = [part for block in blocks for part in (block.before, block.after, *[block.usable] * block.freed)]
    for part in foreign:
        forbid(part.ctypes.data, part.size)
    yield
    for part in foreign:
        allow(part.ctypes.data, part.size)


@cache
def host_library() -> HostKernels:
    sanitize = SANITIZE in os.environ
    return HostKernels(build(*SANITIZERS) if sanitize else build(), guarded=sanitize)


def host_kernels() -> Mapping[str, Kernel]:
    """Every kernel of the fatbin, by its name."""
    return host_library().kernels()

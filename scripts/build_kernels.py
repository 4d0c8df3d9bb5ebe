"""Compile the CUDA kernels into vcam/cuda/vcam.fatbin, and keep what registers they take in benchmarks/kernels.txt.

Usage: python3 scripts/build_kernels.py [--fetch]     compile; --fetch: where there is no nvcc, get it from PyPI
       python3 scripts/build_kernels.py --check       compile, keep nothing; fail where the report has become worse

Needs nvcc (PATH, CUDA_HOME, or the wheels nvidia-cuda-nvcc, -crt, -runtime and nvidia-nvvm) and a C++ compiler, no GPU
and no package of vcam's. Exit status: 1 the kernels are wrong, 2 wrong usage, 3 there is no nvcc.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vcam.cuda.fatbin import FATBIN, SOURCE, seal  # noqa: E402  # vcam need not be installed

ARCHITECTURES = (75, 80, 86, 89, 90, 120)
"""Turing, Ampere (data centre, GeForce), Ada, Hopper, Blackwell (GeForce): machine code for each."""

PTX = 75
"""Compiled by the driver for whatever has no machine code here: Blackwell of data centres (100, 103), Thor (110), Orin
(87), and all that is to come. PTX serves its own and newer capabilities only, and the kernels ask for nothing newer, so
the oldest leaves nobody out; PTX of 120 would leave out 87, 100, 103 and 110."""

TOOLKIT = "13.0.*"
"""The oldest that a driver for vcam must know: PTX of a newer one asks for a newer driver."""
WHEELS = ("nvidia-cuda-nvcc", "nvidia-cuda-crt", "nvidia-cuda-runtime", "nvidia-nvvm")
FETCHED = ROOT / "build" / "nvcc"
FETCHED_HOME = FETCHED / "nvidia" / "cu13"

REPORT = ROOT / "benchmarks" / "kernels.txt"
TOLERANCE = 4
"""Registers per thread that a kernel may take more than the report says."""

NO_NVCC = 3

_ENTRY = re.compile(r"Compiling entry function '(\w+)' for 'sm_(\d+)'")
_MEMORY = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
_USED = re.compile(r"Used (\d+) registers")


@dataclass(frozen=True)
class Use:
    """What a thread of one kernel takes on one architecture."""

    registers: int
    stack_bytes: int
    spilled_bytes: int


Report = Mapping[tuple[str, int], Use]
"""By kernel and architecture."""


class BuildError(Exception):
    """nvcc failed, or the report has become worse. The text is for the user."""


def find_nvcc() -> Path | None:
    """nvcc of PATH, of CUDA_HOME, of this Python's packages, or of an earlier --fetch."""
    on_path = shutil.which("nvcc")
    homes = [os.environ[name] for name in ("CUDA_HOME", "CUDA_PATH") if name in os.environ]
    folders = [*(Path(home) for home in homes), *(Path(path) / "nvidia" / "cu13" for path in sys.path), FETCHED_HOME]
    places = [*([Path(on_path)] if on_path else []), *(folder / "bin" / "nvcc" for folder in folders)]
    return next((place for place in places if place.is_file()), None)


def fetch_nvcc() -> Path:
    """Put the wheels into build/. They need no installation."""
    say(f"fetching nvcc {TOOLKIT} from PyPI")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--target", str(FETCHED), *(f"{wheel}=={TOOLKIT}" for wheel in WHEELS)], check=True)
    return FETCHED_HOME / "bin" / "nvcc"


def compile_kernels(nvcc: Path, fatbin: Path) -> Report:
    """Write the fatbin. Raises BuildError; every warning is an error, and so is a spilled register."""
    code = [f"-gencode=arch=compute_{each},code=sm_{each}" for each in ARCHITECTURES]
    code.append(f"-gencode=arch=compute_{PTX},code=compute_{PTX}")
    strict = ["-Werror=all-warnings", "-Xptxas=-v,-warn-spills,-warn-lmem-usage"]
    command = [str(nvcc), "-std=c++17", "-O3", "-fatbin", "--threads=0", *strict, *code, "-o", str(fatbin)]
    done = subprocess.run([*command, str(ROOT / "vcam" / SOURCE)], capture_output=True, text=True)
    if done.returncode:
        told = [
            line for line in (done.stderr + done.stdout).splitlines() if "info" not in line and "0 bytes" not in line
        ]
        raise BuildError("\n".join(told))
    return parse(done.stderr + done.stdout)


def parse(told: str) -> Report:
    """What ptxas said of each kernel; the order of its lines within one kernel is fixed."""
    report: dict[tuple[str, int], Use] = {}
    for part in re.split(r"(?=ptxas info\s+: Compiling entry function)", told)[1:]:
        entry, memory, used = _ENTRY.search(part), _MEMORY.search(part), _USED.search(part)
        if not entry or not memory or not used:
            raise BuildError(f"ptxas speaks in another way than expected:\n{part}")
        stack, *spills = (int(number) for number in memory.groups())
        report[entry[1], int(entry[2])] = Use(int(used[1]), stack, sum(spills))
    return report


def text_of(report: Report, version: str) -> Iterator[str]:
    """Lines of the file."""
    yield f"# Registers per thread of each CUDA kernel, by compute capability; nvcc {version}."
    yield "# Nothing is spilled, and no kernel has a stack. Written by `make kernels`; a test compares it."
    width = max(len(name) for name, _ in report)
    yield f"{'':{width}}" + "".join(f"{each:>5}" for each in ARCHITECTURES)
    for name in sorted({name for name, _ in report}):
        yield f"{name:{width}}" + "".join(f"{report[name, each].registers:>5}" for each in ARCHITECTURES)


def kept_registers(lines: Iterable[str]) -> dict[tuple[str, int], int]:
    """What the file says."""
    rows = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    architectures = [int(each) for each in rows[0]]
    return {
        (name, each): int(registers)
        for name, *all_registers in rows[1:]
        for each, registers in zip(architectures, all_registers, strict=True)
    }


def faults(report: Report, kept: Mapping[tuple[str, int], int]) -> Iterator[str]:
    """What is worse than it was, or not to be borne."""
    for (name, each), use in sorted(report.items()):
        if use.spilled_bytes or use.stack_bytes:
            yield f"{name} on sm_{each} spills {use.spilled_bytes} bytes, and has {use.stack_bytes} bytes of stack"
        before = kept.get((name, each))
        if before is None:
            yield f"{name} on sm_{each} is not in the report"
        elif use.registers > before + TOLERANCE:
            yield f"{name} on sm_{each} takes {use.registers} registers, {before} before"
    for name, each in sorted(kept.keys() - report.keys()):
        yield f"{name} on sm_{each} is in the report only"


def version_of(nvcc: Path) -> str:
    told = subprocess.run([str(nvcc), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"release (\d+\.\d+)", told)
    return found[1] if found else "unknown"


def check(nvcc: Path) -> None:
    """Compile for nothing but the report. Raises BuildError where it became worse."""
    with tempfile.TemporaryDirectory() as folder:
        report = compile_kernels(nvcc, Path(folder) / "vcam.fatbin")
    found = list(faults(report, kept_registers(REPORT.read_text().splitlines())))
    if found:
        remedy = "Where that is meant, `make kernels` writes the report anew; spills never are: give threads less to do"
        raise BuildError("\n".join([*found, remedy]))
    say(f"{len(report)} kernels compiled by nvcc {version_of(nvcc)}; the report holds")


def build(nvcc: Path) -> None:
    """Write the package's fatbin and, in a checkout, the report."""
    target = ROOT / "vcam" / FATBIN
    with tempfile.TemporaryDirectory() as folder:
        fatbin = Path(folder) / "vcam.fatbin"
        report = compile_kernels(nvcc, fatbin)
        sealed = seal(fatbin.read_bytes())
    unfinished = target.with_suffix(".unfinished")
    unfinished.write_bytes(sealed)
    unfinished.replace(target)
    if REPORT.parent.is_dir():
        REPORT.write_text("\n".join(text_of(report, version_of(nvcc))) + "\n")
    say(f"{target.relative_to(ROOT)}: {len(sealed) // 1024} KiB, {len(report)} kernels in {len(ARCHITECTURES)} codes")


def say(text: str) -> None:
    sys.stderr.write(f"kernels: {text}\n")


def main(arguments: list[str]) -> int:
    if set(arguments) - {"--fetch", "--check"}:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    nvcc = find_nvcc() or (fetch_nvcc() if "--fetch" in arguments else None)
    if nvcc is None:
        wheels = " ".join(f"'{wheel}=={TOOLKIT}'" for wheel in WHEELS)
        say(f"there is no nvcc. Remedy: make kernels, which fetches it, or pip install --no-deps {wheels}")
        return NO_NVCC
    try:
        check(nvcc) if "--check" in arguments else build(nvcc)
    except BuildError as error:
        say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""nvcc compiles every kernel for every architecture, within the registers that the report allows."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.scripts import load_script
from vcam.cuda import fatbin
from vcam.errors import EngineUnavailableError

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "scripts" / "build_kernels.py"

script = load_script("build_kernels")

TOLD = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'scale' for 'sm_75'
ptxas info    : Function properties for scale
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 48 registers, used 0 barriers
ptxas info    : Compile time = 20.1 ms
ptxas info    : Compiling entry function 'copy' for 'sm_75'
ptxas info    : Function properties for copy
    16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 16 registers, used 0 barriers, 16 bytes cumulative stack size
"""


@pytest.mark.timeout(900)
def test_every_kernel_compiles_for_every_architecture() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--check"], capture_output=True, text=True, check=False)
    if done.returncode == script.NO_NVCC:
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stderr
    assert "the report holds" in done.stderr


def test_the_report_is_read_out_of_what_ptxas_says() -> None:
    report = script.parse(TOLD)
    assert report == {("scale", 75): script.Use(48, 0, 0), ("copy", 75): script.Use(16, 16, 12)}


def test_what_ptxas_says_in_other_words_is_not_taken_for_an_empty_report() -> None:
    with pytest.raises(script.BuildError, match="another way"):
        script.parse(TOLD.replace("Used", "Takes"))


@pytest.mark.parametrize(
    ("use", "fault"),
    [
        ((48, 0, 0), None),
        ((40, 0, 0), None),
        ((48 + script.TOLERANCE, 0, 0), None),
        ((49 + script.TOLERANCE, 0, 0), "scale on sm_90 takes 53 registers, 48 before"),
        ((48, 8, 0), "scale on sm_90 spills 0 bytes, and has 8 bytes of stack"),
        ((48, 8, 16), "scale on sm_90 spills 16 bytes, and has 8 bytes of stack"),
    ],
)
def test_more_registers_and_any_spill_are_faults(use: tuple[int, int, int], fault: str | None) -> None:
    found = list(script.faults({("scale", 90): script.Use(*use)}, {("scale", 90): 48}))
    assert found == ([fault] if fault else [])


def test_a_kernel_that_is_new_or_gone_is_a_fault() -> None:
    use = script.Use(1, 0, 0)
    assert list(script.faults({("new", 90): use}, {("old", 90): 1})) == [
        "new on sm_90 is not in the report",
        "old on sm_90 is in the report only",
    ]


def test_the_report_that_is_written_is_the_one_that_is_read() -> None:
    report = {(name, each): script.Use(each % 7, 0, 0) for name in ("a", "scale") for each in script.ARCHITECTURES}
    lines = list(script.text_of(report, "13.0"))
    assert script.kept_registers(lines) == {key: use.registers for key, use in report.items()}


def test_a_machine_without_nvcc_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(sys.executable)
    lone = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    copied = tmp_path / "scripts" / SCRIPT.name  # beside no build/nvcc
    copied.parent.mkdir()
    copied.write_text(SCRIPT.read_text())
    (tmp_path / "vcam").symlink_to(ROOT / "vcam")
    done = subprocess.run(
        [sys.executable, "-S", "-E", copied, "--check"], env=lone, capture_output=True, text=True, check=False
    )
    assert done.returncode == script.NO_NVCC
    assert "make kernels" in done.stderr
    assert "nvidia-nvvm==13.0.*" in done.stderr


def test_wrong_usage_is_told() -> None:
    done = subprocess.run([sys.executable, SCRIPT, "--chek"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--check" in done.stderr


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with sources of its own."""
    for name, content in {
        "cuda/kernels/vcam.cu": '#include "one.cuh"\n#include "host_device.h"\n',
        "cuda/kernels/one.cuh": '  #include "not.h"\n#include "../../native/pixel.h"\n',
        "native/pixel.h": "float x;\n",
        "native/not.h": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(fatbin, "_package", lambda: tmp_path)
    return tmp_path


def test_sources_are_all_that_is_included(package: Path) -> None:
    assert sorted(fatbin.sources()) == ["cuda/kernels/one.cuh", "cuda/kernels/vcam.cu", "native/pixel.h"]


def test_the_kernels_of_a_build_are_read_back(package: Path) -> None:
    (package / fatbin.FATBIN).write_bytes(fatbin.seal(b"kernels"))
    assert fatbin.read_fatbin() == b"kernels"


@pytest.mark.parametrize("changed", ["cuda/kernels/vcam.cu", "native/pixel.h"])
def test_kernels_of_other_sources_are_refused(package: Path, changed: str) -> None:
    (package / fatbin.FATBIN).write_bytes(fatbin.seal(b"kernels"))
    (package / changed).write_text((package / changed).read_text() + "int y;\n")
    with pytest.raises(EngineUnavailableError, match="are not those of their sources") as raised:
        fatbin.read_fatbin()
    assert "make kernels" in raised.value.hint


@pytest.mark.parametrize("content", [b"", b"kernels"])
def test_a_file_that_was_cut_is_refused(package: Path, content: bytes) -> None:
    (package / fatbin.FATBIN).write_bytes(content)
    with pytest.raises(EngineUnavailableError, match="are not those of their sources"):
        fatbin.read_fatbin()


def test_kernels_that_are_not_built_say_how_to_build_them(package: Path) -> None:
    with pytest.raises(EngineUnavailableError, match=r"vcam\.fatbin is missing") as raised:
        fatbin.read_fatbin()
    assert "make kernels" in raised.value.hint


def test_the_real_sources_are_found() -> None:
    names = set(fatbin.sources())
    assert {f"cuda/kernels/{path.name}" for path in (ROOT / "vcam/cuda/kernels").iterdir()} <= names
    assert "native/pixel.h" in names


def test_the_script_needs_no_installed_package() -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    code = f"import runpy; runpy.run_path({str(SCRIPT)!r})"
    subprocess.run([sys.executable, "-S", "-c", code], env=clean, check=True)

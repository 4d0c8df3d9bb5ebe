"""The rules of the house that no linter knows."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "vcam").rglob("*.py"))
LONGEST = 300


def matches(pattern: str, *, of: list[Path]) -> dict[str, int]:
    """How often the pattern occurs, by file."""
    found = {str(path.relative_to(ROOT)): len(re.findall(pattern, path.read_text())) for path in of}
    return {path: count for path, count in found.items() if count}


def native_sources() -> list[Path]:
    return [path for path in (ROOT / "vcam").rglob("*") if path.suffix in {".h", ".cpp", ".cu", ".cuh"}]


def test_no_room_is_too_large() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in MODULES}
    assert {path: size for path, size in sizes.items() if size > LONGEST} == {}


def test_broad_excepts_stand_in_two_places_only() -> None:
    assert matches(r"(?m)^\s*except( \(?(Base)?Exception\b|:)", of=MODULES) == {
        "vcam/__main__.py": 1,
        "vcam/pipeline/worker.py": 1,
    }


def test_colour_constants_stand_in_one_place_only() -> None:
    constants = r"\b0?\.(299|587|114|2126|7152|0722)\b|\b1\.(402|772|596|164|5748|8556)\b|\b0\.344"
    assert set(matches(constants, of=MODULES + native_sources())) == {"vcam/color.py"}


def test_tensor_names_stand_in_one_place_only() -> None:
    assert set(matches(r"\"(pha|fgr|r[1-4][io]|downsample_ratio)\"", of=MODULES)) == {"vcam/rvm.py"}


def test_only_the_command_line_reads_the_environment() -> None:
    places = set(matches(r"os\.environ|os\.getenv|os\.putenv", of=MODULES))
    assert {place for place in places if not place.startswith(("vcam/cli/", "vcam/__main__"))} == set()


@pytest.mark.parametrize("module", ["vcam", "vcam.stages", "vcam.pipeline.supervisor"])
def test_importing_loads_nothing_heavy(module: str) -> None:
    heavy = ("onnxruntime", "openvino", "onnx", "av", "linuxpy", "tensorrt", "pycuda", "cv2", "scipy", "PIL")
    code = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


def test_nothing_speaks_of_one_machine() -> None:
    texts = [path for path in ROOT.glob("*.md")] + MODULES + native_sources()
    assert matches(r"/work/|/root/", of=texts) == {}


def test_nobody_is_told_to_install_a_stranger() -> None:
    """The package index knows another project as vcam."""
    folders = [ROOT / name for name in ("vcam", "tests", "scripts", "docker", "docs", "systemd")]
    texts = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".py", ".sh", ".md", ".env"}]
    told = r"(pip|pipx|uv|uv tool) (install|add) ([^\n]*\s)?['\"]?vcam\b"
    assert matches(told, of=[*texts, *ROOT.glob("*.md"), ROOT / "Dockerfile"]) == {}

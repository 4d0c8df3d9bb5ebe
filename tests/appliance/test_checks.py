"""The checks of Dockerfile and compose files pass, and each of them can fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = ("Dockerfile", "compose.yaml", "compose.gpu.yaml")


def check(folder: Path) -> tuple[int, str]:
    done = subprocess.run([ROOT / "scripts/check_container.sh", folder], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in FILES:
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_all_is_well(copy: Path) -> None:
    code, told = check(copy)
    assert code == 0, told


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("Dockerfile", "WORKDIR /var/lib/vcam", "WORKDIR var/lib/vcam", "DL3000"),
        ("Dockerfile", "USER 10001:10001", "USER root", "DL3002"),
        ("Dockerfile", 'ENTRYPOINT ["/usr/bin/tini", "--", "vcam"]', "ENTRYPOINT vcam", "DL3025"),
        ("compose.yaml", "pids_limit: 256", "pid_limit: 256", "pid_limit"),
        ("compose.gpu.yaml", "reservations:", "reservation:", "reservation"),
    ],
)
def test_it_can_fail(copy: Path, name: str, old: str, new: str, told: str) -> None:
    text = (copy / name).read_text()
    assert old in text
    (copy / name).write_text(text.replace(old, new))
    code, said = check(copy)
    assert code != 0
    assert told in said


def test_the_image_names_no_front_end_that_every_build_would_fetch() -> None:
    assert "syntax=" not in (ROOT / "Dockerfile").read_text().splitlines()[0]


def script(name: str, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    command = [str(ROOT / "docker" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={"PATH": path} | environ)


def test_tensorrt_is_the_one_that_is_asked_for(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 3.12\n")
    python.chmod(0o755)
    rtx = script("tensorrt.sh", "rtx", str(python)).stdout
    assert [line.split("==")[0] for line in rtx.splitlines()] == ["tensorrt-rtx"]
    cu13 = script("tensorrt.sh", "cu13", str(python), NVIDIA_INDEX="https://example.org/simple").stdout.splitlines()
    assert cu13[0] == "--extra-index-url https://example.org/simple"
    assert cu13[1].startswith("tensorrt-cu13==")
    assert script("tensorrt.sh", "none", str(python)).stdout == ""


@pytest.mark.parametrize(
    ("kind", "version", "told"),
    [
        ("rtx", "3.13", "Python 3.11 and 3.12, this base has 3.13"),
        ("cu13", "3.12", "--build-arg NVIDIA_INDEX="),
        ("trt", "3.12", "rtx, cu13 or none, not trt"),
    ],
)
def test_tensorrt_that_cannot_be_had_ends_the_build(tmp_path: Path, kind: str, version: str, told: str) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {version}\n")
    python.chmod(0o755)
    done = script("tensorrt.sh", kind, str(python))
    assert done.returncode != 0
    assert told in done.stderr


def test_what_builds_the_image_is_pinned_as_everything_else() -> None:
    def pins(name: str) -> dict[str, str]:
        lines = (ROOT / name).read_text().splitlines()
        return dict(line.split("==") for line in lines if "==" in line and ";" not in line and line[0] != "#")

    building, all_others = pins("docker/build.txt"), pins("constraints.txt")
    assert {name: (version, all_others.get(name, version)) for name, version in building.items()} == {
        name: (version, version) for name, version in building.items()
    }


def test_trimming_tells_when_a_library_has_changed(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for name in ("numpy/lib/tests/test_x.py", "numpy/lib/tests/tests/test_y.py", "numpy/lib/kept.py"):
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("x" * 1000)
    done = subprocess.run([sys.executable, ROOT / "docker/trim.py", site], capture_output=True, text=True)
    assert done.returncode == 1
    assert "0.0 MB  tests of the libraries" in done.stdout
    assert "nothing matches scipy/**/tests, onnx/backend/test, openvino/" in done.stderr
    assert [str(path.relative_to(site)) for path in site.rglob("*.py")] == ["numpy/lib/kept.py"]

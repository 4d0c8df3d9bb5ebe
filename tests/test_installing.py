"""What a user is told to type must install our vcam, and no stranger's."""

import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from vcam import installing
from vcam.installing import how_to_add, how_to_add_package

ROOT = Path(__file__).parent.parent
EXTRAS = sorted(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """vcam as installed: no checkout around it, in an environment of that folder."""
    monkeypatch.setattr(installing, "_CHECKOUT", tmp_path / "lib")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_checkout_names_its_own_python_and_itself(extra: str) -> None:
    words = shlex.split(how_to_add(extra))
    assert words == [
        sys.executable, "-m", "pip", "install", "-c", str(ROOT / "constraints.txt"), "-e", f"{ROOT}[{extra}]",
    ]  # fmt: skip


def test_what_host_setup_installed_gets_one_extra_more_and_keeps_the_others(elsewhere: Path) -> None:
    (elsewhere / "installed").write_text("v0.1-3-gabc cpu,service\n")
    assert "sudo make install ARGS='--runtime native --extras cpu,service,gpu'" in how_to_add("gpu")
    assert "--extras cpu,service'" in how_to_add("cpu"), "none stands twice"


def test_an_image_has_no_pip(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "find_spec", lambda name: None)
    assert "make up GPU=yes" in how_to_add("gpu")
    assert "make up GPU=no" in how_to_add("service")


def test_an_installation_of_another_kind_asks_for_the_checkout(elsewhere: Path) -> None:
    assert how_to_add("model") == f"in vcam's checkout: {sys.executable} -m pip install -c constraints.txt '.[model]'"


def test_other_packages_go_into_the_same_environment() -> None:
    assert shlex.split(how_to_add_package("tensorrt-cu13")) == [sys.executable, "-m", "pip", "install", "tensorrt-cu13"]


def test_importing_asks_nothing_of_the_disk() -> None:
    code = (
        "import vcam.installing as i\n"
        "def asked(*_): raise AssertionError('at import')\n"
        "i.how_to_add = i.how_to_add_package = asked\n"
        "import vcam.engines.select, vcam.engines.tensorrt_flavour, vcam.decode.nvjpeg_library, vcam.service.start\n"
        "import vcam.control.start, vcam.model.fetch, vcam.model.onnx_file, vcam.cuda.pycuda_driver\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)

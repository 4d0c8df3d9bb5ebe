"""What is in the images, and what is not."""

import json
import os
import re
import tomllib
from pathlib import Path

import pytest

from tests.container.engine import ROOT, docker, inspect, run

GB = 1e9
LARGEST = {"cpu": 0.6, "gpu": 0.9}
"""Gigabytes that we add to the base: a library that grows is looked at before it is shipped."""

BOTH = pytest.mark.parametrize("target", ["cpu", "gpu"])


def shell(image: str, command: str) -> str:
    return docker("run", "--rm", "--user", "0", "--entrypoint", "bash", image, "-c", command)


@BOTH
def test_it_runs_as_a_numbered_user_behind_an_init(release: str, target: str) -> None:
    config = inspect(f"{release}:{target}")["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["/usr/bin/tini", "--", "vcam"]
    assert list(config["Volumes"]) == ["/var/lib/vcam"]
    assert "vcam.service.probe" in config["Healthcheck"]["Test"]


@BOTH
def test_it_is_labelled_and_tagged_with_what_it_is_made_of(release: str, target: str) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    image = inspect(f"{release}:{target}")
    labels = {
        key.rsplit(".", 1)[1]: value for key, value in image["Config"]["Labels"].items() if "opencontainers" in key
    }
    assert (labels["licenses"], labels["version"]) == ("GPL-3.0-or-later", version)
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", labels["revision"])
    assert f"{release}:{version}-{target}" in image["RepoTags"]


@BOTH
def test_no_weights_no_compiler_no_pip_and_no_sources_are_inside(release: str, target: str) -> None:
    image = f"{release}:{target}"
    # onnx and onnxruntime ship toy networks of a few KB as test data; a matting network has megabytes
    weights = r"find / -xdev \( -name '*.onnx' -o -name '*.pth' -o -name '*.engine' -o -name '*.plan' \) -size +500k"
    assert (
        shell(
            image, f"{weights}; command -v g++ gcc cc make nvcc pip pip3 || true; ls /src /wheels 2>/dev/null || true"
        )
        == ""
    )


@BOTH
def test_it_is_as_large_as_it_need_be(release: str, target: str) -> None:
    """Larger by accident: tests of libraries, a second copy of one, caches of apt and pip."""
    history = docker("history", "--no-trunc", "--human=false", "--format", "{{json .}}", f"{release}:{target}")
    layers = [json.loads(line) for line in history.splitlines()]
    ours = [layer for layer in layers if "/opt/vcam" in layer["CreatedBy"] or "packages.sh" in layer["CreatedBy"]]
    assert sum(int(layer["Size"]) for layer in ours) < LARGEST[target] * GB
    assert int(layers[0]["Size"]) < 20e6, "an upgrade of vcam alone should be a small layer"


@BOTH
def test_it_says_its_version(release: str, target: str) -> None:
    assert docker("run", "--rm", f"{release}:{target}", "--version").startswith("vcam ")


def test_a_camera_that_is_missing_is_one_clear_error(cpu_image: str) -> None:
    result = run(("docker", "run", "--rm", cpu_image, "run", "-o", "null:"), check=False)
    assert result.returncode == 3
    assert "there is no /dev/video0" in result.stderr
    assert "Traceback" not in result.stderr


@BOTH
def test_every_module_finds_its_libraries_after_trimming(release: str, target: str) -> None:
    code = """
import importlib, pkgutil, vcam
for module in pkgutil.walk_packages(vcam.__path__, "vcam."):
    # Benchmarks compare with libraries that are for developers.
    if not module.name.startswith("vcam.bench") and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print("well")
"""
    assert docker("run", "--rm", "--entrypoint", "python3", f"{release}:{target}", "-c", code) == "well\n"


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
def test_every_engine_for_processors_still_works_after_trimming(cpu_image: str, network: Path, name: str) -> None:
    command = ("run", "-i", "test:320x180@30", "-o", "null:", "--frames", "3", "-m", f"/models/{network.name}")
    docker("run", "--rm", "-v", f"{network.parent}:/models:ro", cpu_image, *command, "-q", "fast", "-e", name)


def test_videos_are_read_and_written_after_trimming(cpu_image: str) -> None:
    write = "vcam demo --frames 5 --out /tmp/o -e plate"
    read = "vcam run -i file:/tmp/o/demo.mp4 -o file:/tmp/o/again.mp4 -e plate"
    docker("run", "--rm", "--entrypoint", "bash", cpu_image, "-c", f"{write} && {read}")


def test_the_gpus_libraries_lack_nothing_but_the_driver(gpu_image: str) -> None:
    code = """
import ctypes, importlib, pathlib, vcam
for name in ("pycuda.driver", "pycuda._driver"):
    try:
        importlib.import_module(name)
    except ImportError as error:
        assert "libcuda.so.1: cannot open shared object file" in str(error), error
    else:
        raise AssertionError("there is a driver inside")
import cuda.bindings.driver, tensorrt_rtx, tensorrt_rtx_bindings
from vcam.cuda.fatbin import read_fatbin
assert len(read_fatbin()) > 1_000_000
site = pathlib.Path(vcam.__file__).parents[1]
ctypes.CDLL(str(next(site.glob("nvidia/cu13/lib/libnvjpeg.so.*"))))
print("well")
"""
    assert docker("run", "--rm", "--entrypoint", "python3", gpu_image, "-c", code) == "well\n"
    environ = dict(line.split("=", 1) for line in inspect(gpu_image)["Config"]["Env"])
    assert (environ["NVIDIA_VISIBLE_DEVICES"], environ["NVIDIA_DRIVER_CAPABILITIES"]) == ("all", "compute,utility")


def test_a_plan_is_built_without_a_gpu(gpu_image: str, network: Path) -> None:
    command = ("model", "prepare", "-e", "tensorrt-rtx", "-q", "fast", "-m", f"/models/{network.name}")
    mount = ("-v", f"{network.parent}:/models:ro", "--read-only", "--cap-drop", "ALL", "--tmpfs", "/tmp")
    result = run(("docker", "run", "--rm", *mount, gpu_image, *command))
    assert "plan of tensorrt-rtx" in result.stdout
    assert '"event": "plan.written"' in result.stderr


@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a GPU")
@pytest.mark.parametrize("name", ["tensorrt", "tensorrt-rtx"])
def test_without_a_gpu_its_engine_says_so(gpu_image: str, name: str) -> None:
    command = ("run", "-i", "test:320x180@10", "-o", "null:", "-e", name)
    result = run(("docker", "run", "--rm", gpu_image, *command), check=False)
    assert result.returncode == 6
    assert f"engine {name} cannot run: no NVIDIA driver" in result.stderr
    assert "`--gpus all`" in result.stderr


def test_the_build_asked_for_the_base_that_was_named(release: str) -> None:
    """Else all of this was said of another image than the caller thinks."""
    base = os.environ.get("BASE_IMAGE")
    if not base:
        pytest.skip("no BASE_IMAGE is named")
    layers = inspect(base)["RootFS"]["Layers"]
    assert inspect(f"{release}:cpu")["RootFS"]["Layers"][: len(layers)] == layers

"""What is in the image, and what is not."""

from tests.container.engine import docker, inspect, run


def shell(image: str, command: str) -> str:
    return docker("run", "--rm", "--user", "0", "--entrypoint", "bash", image, "-c", command)


def test_it_runs_as_a_numbered_user_behind_an_init(cpu_image: str) -> None:
    config = inspect(cpu_image)["Config"]
    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["/usr/bin/tini", "--", "vcam"]
    assert list(config["Volumes"]) == ["/var/lib/vcam"]
    assert "vcam.service.probe" in config["Healthcheck"]["Test"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "GPL-3.0-or-later"


def test_no_weights_are_inside(cpu_image: str) -> None:
    # onnx and onnxruntime ship toy networks of a few KB as test data; a matting network has megabytes
    found = shell(cpu_image, r"find / -xdev \( -name '*.onnx' -o -name '*.pth' -o -name '*.engine' \) -size +500k")
    assert found == ""


def test_no_compiler_and_no_source_tree_are_left(cpu_image: str) -> None:
    assert shell(cpu_image, "command -v g++ gcc cc make nvcc || true; ls /src 2>/dev/null || true") == ""


def test_it_says_its_version(cpu_image: str) -> None:
    assert docker("run", "--rm", cpu_image, "--version").startswith("vcam ")


def test_a_camera_that_is_missing_is_one_clear_error(cpu_image: str) -> None:
    result = run(("docker", "run", "--rm", cpu_image, "run", "-o", "null:"), check=False)
    assert result.returncode == 3
    assert "there is no /dev/video0" in result.stderr
    assert "Traceback" not in result.stderr

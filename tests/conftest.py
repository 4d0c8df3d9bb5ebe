"""For all tests: those marked ``gpu`` are left out where there is no GPU, unless VCAM_REQUIRE=gpu asks for them: then
they fail. The images are built once. Properties are tried with the same examples each time, as long as it takes:
``--hypothesis-profile explore`` tries others."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.container.engine import BUILD_TIMEOUT_S, run
from vcam.cuda.probe import find_gpu

REPOSITORY = "vcam-test"

settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("same", settings.get_profile("explore"), derandomize=True)
settings.load_profile("same")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "gpu" in os.environ.get("VCAM_REQUIRE", "").split(",") or find_gpu().facts is not None:
        return
    left_out = [item for item in items if item.get_closest_marker("gpu")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("gpu")]


@pytest.fixture(scope="session")
def docker_engine() -> None:
    """A Docker engine that answers."""
    if run(("docker", "info"), check=False).returncode:
        pytest.fail("no Docker engine answers; start one, or set DOCKER_HOST")


@pytest.fixture(scope="session")
def release(docker_engine: None) -> str:
    """`make image`: both images, by the name of their repository. VCAM_TEST_REPOSITORY: what is built already."""
    built = os.environ.get("VCAM_TEST_REPOSITORY")
    if not built:
        run(("scripts/image.sh",), environ={"REPOSITORY": REPOSITORY}, timeout_s=2 * BUILD_TIMEOUT_S)
    return built or REPOSITORY


@pytest.fixture(scope="session")
def cpu_image(release: str) -> str:
    return f"{release}:cpu"


@pytest.fixture(scope="session")
def gpu_image(release: str) -> str:
    return f"{release}:gpu"

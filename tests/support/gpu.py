"""The real GPU, for tests that need one: they skip, visibly, where there is none."""

import os

import pytest

from vcam.cuda.driver import Driver
from vcam.errors import EngineUnavailableError, MissingDependencyError


def real_driver() -> Driver:
    """CUDA's own. No GPU: the test is skipped, or fails under VCAM_REQUIRE=gpu."""
    try:
        from vcam.cuda.pycuda_driver import PycudaDriver

        driver = PycudaDriver()
        driver.facts(0)
    except (ImportError, EngineUnavailableError, MissingDependencyError) as error:
        if "gpu" in os.environ.get("VCAM_REQUIRE", "").split(","):
            pytest.fail(str(error))
        pytest.skip(str(error))
    return driver

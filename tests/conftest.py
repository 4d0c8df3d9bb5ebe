"""Tests marked ``gpu`` are left out where there is no GPU, unless VCAM_REQUIRE=gpu asks for them: then they fail."""

import os

import pytest

from vcam.cuda.probe import find_gpu


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "gpu" in os.environ.get("VCAM_REQUIRE", "").split(",") or find_gpu().facts is not None:
        return
    left_out = [item for item in items if item.get_closest_marker("gpu")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("gpu")]

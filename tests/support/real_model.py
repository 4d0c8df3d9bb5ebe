"""The real network, which is no part of the repository: tests that need it skip, visibly, where it is not."""

import os
from pathlib import Path

import pytest

_DEFAULT = Path(__file__).parents[3] / "shared" / "models" / "rvm_mobilenetv3_fgf_fp32.onnx"


def real_model() -> Path:
    """VCAM_TEST_MODEL, or ../shared/models. Absent: the test is skipped, or fails under VCAM_REQUIRE=model."""
    path = Path(os.environ.get("VCAM_TEST_MODEL", _DEFAULT))
    if not path.is_file():
        message = f"the real network is not at {path}; set VCAM_TEST_MODEL"
        if "model" in os.environ.get("VCAM_REQUIRE", "").split(","):
            pytest.fail(message)
        pytest.skip(message)
    return path

"""Prometheus' own programs, which are no Python packages: a test that needs one skips, visibly, where it is not."""

import os
import shutil
import subprocess

import pytest

_PACKAGES = {
    **dict.fromkeys(("prometheus", "promtool"), "prometheus"),
    **dict.fromkeys(("prometheus-alertmanager", "amtool"), "prometheus-alertmanager"),
    "npm": "npm",
}
"""Debian's and Ubuntu's, by program."""


def tool(name: str) -> str:
    """Path of a program. Absent: the test is skipped, or fails under VCAM_REQUIRE=monitoring."""
    path = shutil.which(name)
    if path is None:
        message = f"there is no {name} here; remedy: sudo apt-get install {_PACKAGES[name]}"
        if "monitoring" in os.environ.get("VCAM_REQUIRE", "").split(","):
            pytest.fail(message)
        pytest.skip(message)
    return path


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """What a program says, stdout and stderr as one; its exit code is for the caller to judge."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

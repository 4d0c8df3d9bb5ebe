"""The command line as a user has it: no VCAM_* variable of this shell, nothing of this folder, its own logging."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vcam.service import logs


@pytest.fixture(autouse=True)
def _clean_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith("VCAM_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    root, ours = logging.getLogger(), logging.getLogger(logs.OUR_LOGGER)
    handlers, level = list(root.handlers), ours.level
    yield
    root.handlers[:] = handlers
    ours.setLevel(level)

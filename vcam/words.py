"""Pieces of what users write that several parsers share."""

from contextlib import suppress
from pathlib import Path

SIDE_PX = range(16, 8193)
"""Sides that a picture may have."""


def expanded(path: str | Path) -> Path:
    """The path with ``~`` resolved; one of a user whom there is not stays, and opening the file will say so."""
    with suppress(RuntimeError):
        return Path(path).expanduser()
    return Path(path)

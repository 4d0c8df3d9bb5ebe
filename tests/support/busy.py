"""What camera and virtual camera have in common when another program keeps them busy."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from vcam.v4l2.holders import Holder


def hold_that_its_user_is_looked_for_once(
    monkeypatch: pytest.MonkeyPatch, path: Path, try_to_open: Callable[[int | None], None], between: int | None
) -> None:
    """Once as long as it is busy. try_to_open: with the error of opening it, None for none. between: that of the one
    time that it is not busy."""
    looks: list[Path] = []

    def look(device: Path) -> tuple[Holder, ...]:
        looks.append(device)
        return ()

    monkeypatch.setattr("vcam.v4l2.holders.holders", look)
    for _ in range(3):
        try_to_open(errno.EBUSY)
    assert looks == [path]
    try_to_open(between)
    try_to_open(errno.EBUSY)
    assert looks == [path, path]

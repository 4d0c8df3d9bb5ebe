"""What a test put behind the person ends with the test."""

from collections.abc import Iterator

import pytest

from tests.control.rig import MADE


@pytest.fixture(autouse=True)
def films_end() -> Iterator[None]:
    """A film has a thread, which nobody ends where no pipeline runs."""
    yield
    while MADE:
        MADE.pop().pipeline.scene.close()

"""For tests of the processors."""

from collections.abc import Iterator

import pytest

from vcam import native


@pytest.fixture(autouse=True)
def one_thread(request: pytest.FixtureRequest) -> Iterator[None]:
    """Their pictures are too small to be worth more threads, and there are many."""
    before = native.threads()
    if "test_gpu" in request.node.nodeid or "test_effects" in request.node.nodeid:
        native.set_threads(1)
    yield
    native.set_threads(before)

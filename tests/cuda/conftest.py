"""Both drivers, for the tests that hold them to one contract."""

import ctypes
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.gpu import real_driver
from tests.support.libcuda.site import CpuAsGpu
from vcam.cuda.driver import Dimensions, Driver
from vcam.fakes import FakeDriver, FakeMemory

PTX = Path(__file__).with_name("add_one.ptx").read_bytes()
NOTHING = "device 0 host 0 streams 0 events 0 graphs 0 executables 0 modules 0 contexts 0 current 0"
LAYOUT = "QI4x"
"""Arguments of add_one: address, count, padding to the struct's alignment."""


def add_one(grid: Dimensions, block: Dimensions, arguments: bytes, memory: FakeMemory) -> None:
    """The twin of add_one.cu."""
    address, count = struct.unpack(LAYOUT, arguments)
    memory.bytes(address, min(count, grid[0] * block[0]))[:] += 1


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> CpuAsGpu:
    """For tests that run in a process of their own, where the GPU is this CPU."""
    return CpuAsGpu(tmp_path_factory.mktemp("libcuda"))


@pytest.fixture(params=["fake", pytest.param("cuda", marks=pytest.mark.gpu)])
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """Each test leaves nothing behind."""
    if request.param == "cuda":
        yield real_driver()
        assert left_on_cpu() in (None, NOTHING)
        return
    fake = FakeDriver({"add_one": add_one})
    yield fake
    assert fake.leaks() == []


def left_on_cpu() -> str | None:
    """What the libcuda of tests/support/libcuda still holds; None where the GPU is a real one."""
    try:
        count = ctypes.CDLL("libcuda.so.1").fake_leaks
    except AttributeError:
        return None
    words = ctypes.create_string_buffer(200)
    count(words, len(words))
    return words.value.decode()


@pytest.fixture
def fake() -> FakeDriver:
    return FakeDriver({"add_one": add_one})

"""The Device over every driver: what it hands out works, and is freed."""

import struct
import threading
from collections.abc import Callable

import numpy as np
import pytest

from tests.cuda.conftest import LAYOUT, PTX
from vcam.cuda.device import Device
from vcam.cuda.driver import Driver
from vcam.cuda.errors import ILLEGAL_ADDRESS, OUT_OF_MEMORY
from vcam.errors import EngineUnavailableError, GpuError, GpuLostError
from vcam.fakes import FakeDriver


def test_bytes_kernels_and_times(driver: Driver) -> None:
    with Device(driver) as device, device.current():
        stream = device.cuda_stream
        memory, host = device.buffer(64), device.pinned(64)
        start, end = device.event(), device.event()
        add_one = device.module(PTX).function("add_one")
        host.array[:] = 5
        start.record(cuda_stream=stream)
        device.upload(memory.address, host.array, cuda_stream=stream)
        device.fill(memory.address, 8, 4, cuda_stream=stream)
        add_one.launch((1, 1, 1), (64, 1, 1), struct.pack(LAYOUT, memory.address, 60), cuda_stream=stream)
        device.download(host.array, memory.address, cuda_stream=stream)
        end.record(cuda_stream=stream)
        device.synchronize()
        assert host.array.tolist() == [9] * 4 + [6] * 56 + [5] * 4
        assert 0 <= end.elapsed_s(start) < 1
        assert device.allocated_bytes == 64


def test_planes(driver: Driver) -> None:
    with Device(driver) as device, device.current():
        memory, host = device.buffer(4 * 256), device.pinned(2 * 4 * 100)
        there, back = host.array[:400].reshape(4, 100)[:, :90], host.array[400:].reshape(4, 100)[:, :90]
        there[:] = np.arange(360).reshape(4, 90) % 256
        device.upload_rows(memory.address, 256, there, cuda_stream=device.cuda_stream)
        device.download_rows(back, memory.address, 256, cuda_stream=device.cuda_stream)
        device.synchronize()
        np.testing.assert_array_equal(back, there)


def test_what_is_left_is_freed_and_opening_again_is_good(driver: Driver) -> None:
    device = Device(driver)
    for _ in range(2):
        with device:
            device.buffer(1 << 20)
            device.pinned(10)
            device.event()
            device.module(PTX)
            assert device.allocated_bytes == 1 << 20
        assert device.allocated_bytes == 0
        device.__exit__(None, None, None)


def test_early_release_counts_and_is_harmless_twice(driver: Driver) -> None:
    with Device(driver) as device:
        keep, drop = device.buffer(100), device.buffer(1000)
        drop.release()
        drop.release()
        assert device.allocated_bytes == keep.nbytes == 100


def test_any_thread_may_use_and_free(driver: Driver) -> None:
    """The context is made current by whoever works; opening and closing may be another thread's."""
    device = Device(driver)
    found: list[int] = []

    def work() -> None:
        with device.current(), device.current():
            memory, host = device.buffer(16), device.pinned(16)
            device.fill(memory.address, 3, 16, cuda_stream=device.cuda_stream)
            device.download(host.array, memory.address, cuda_stream=device.cuda_stream)
            device.synchronize()
            found.append(int(host.array.sum()))
            memory.release()

    opened = threading.Thread(target=device.__enter__)
    opened.start()
    opened.join()
    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    device.__exit__(None, None, None)
    assert found == [48]


def test_two_devices_share_one_gpu(driver: Driver) -> None:
    with Device(driver) as one, Device(driver) as other, one.current(), other.current():
        assert one.cuda_stream != other.cuda_stream
        memory = one.buffer(16)
        host = other.pinned(16)
        one.fill(memory.address, 7, 16, cuda_stream=one.cuda_stream)
        one.synchronize()
        other.download(host.array, memory.address, cuda_stream=other.cuda_stream)
        other.synchronize()
        assert (host.array == 7).all()
        memory.release()


def test_free_memory_shrinks(driver: Driver) -> None:
    with Device(driver) as device:
        before, total = device.free_memory()
        device.buffer(64 << 20)
        after, _ = device.free_memory()
        assert after <= before - (64 << 20)
        assert total == device.facts.memory_bytes or total > 0


def test_no_such_gpu(driver: Driver) -> None:
    with pytest.raises(EngineUnavailableError, match="CUDA_ERROR_INVALID_DEVICE"):
        Device(driver, 99)


def test_outside_its_block_it_says_so(driver: Driver) -> None:
    device = Device(driver)
    with pytest.raises(RuntimeError, match="outside its `with` block"):
        device.buffer(1)
    with device:
        pass
    with pytest.raises(RuntimeError, match="outside its `with` block"):
        _ = device.cuda_stream


# With the fake driver only: order and faults.


def test_it_closes_in_reverse(fake: FakeDriver) -> None:
    with Device(fake) as device:
        device.buffer(1)
        device.pinned(1)
        device.event()
        device.module(PTX)
        made = len(fake.calls)
    assert list(fake.calls)[made:] == [
        "synchronize_stream", "unload_module", "destroy_event", "free_host", "free", "destroy_stream",
        "release_context",
    ]  # fmt: skip
    assert fake.leaks() == []


@pytest.mark.parametrize("call", ["retain_context", "create_stream"])
def test_half_opened_it_leaves_nothing(fake: FakeDriver, call: str) -> None:
    fake.fail(call, OUT_OF_MEMORY)
    device = Device(fake)
    with pytest.raises(GpuError, match="OUT_OF_MEMORY"):
        device.__enter__()
    assert fake.leaks() == []
    with device:
        device.buffer(1)
    assert fake.leaks() == []


@pytest.mark.parametrize("call", ["allocate", "allocate_host", "create_event", "load_module"])
def test_what_could_not_be_made_is_not_freed(fake: FakeDriver, call: str) -> None:
    with Device(fake) as device:
        fake.fail(call, OUT_OF_MEMORY)
        make: dict[str, Callable[[], object]] = {
            "allocate": lambda: device.buffer(1),
            "allocate_host": lambda: device.pinned(1),
            "create_event": device.event,
            "load_module": lambda: device.module(PTX),
        }
        with pytest.raises(GpuError):
            make[call]()
    assert fake.leaks() == []


def test_a_failed_free_does_not_keep_the_rest(fake: FakeDriver, caplog: pytest.LogCaptureFixture) -> None:
    with Device(fake) as device:
        device.buffer(8)
        device.pinned(8)
        fake.fail("free_host", OUT_OF_MEMORY)
    assert fake.leaks() == ["page-locked memory of 8 bytes"]
    assert [record.message for record in caplog.records] == ["gpu.close_failed"]


def test_a_lost_gpu_is_told_once_and_closes_quietly(fake: FakeDriver, caplog: pytest.LogCaptureFixture) -> None:
    with Device(fake) as device, device.current():
        memory = device.buffer(8)
        device.pinned(8)
        device.fill(memory.address, 0, 8, cuda_stream=device.cuda_stream)
        fake.fail("run fill", ILLEGAL_ADDRESS)
        with pytest.raises(GpuLostError, match="CUDA_ERROR_ILLEGAL_ADDRESS"):
            device.synchronize()
        with pytest.raises(GpuLostError, match="CUDA_ERROR_ILLEGAL_ADDRESS"):
            device.upload(memory.address, np.zeros(8, np.uint8), cuda_stream=device.cuda_stream)
    assert fake.leaks() == []
    assert [record.message for record in caplog.records] == ["gpu.close_failed"]


def test_the_context_stays_current_as_long_as_somebody_needs_it(fake: FakeDriver) -> None:
    with Device(fake) as device:
        with device.current():
            with device.current():
                pass
            fake.free_memory()
        with pytest.raises(GpuError, match="CUDA_ERROR_INVALID_CONTEXT"):
            fake.free_memory()

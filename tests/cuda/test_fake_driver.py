"""The fake driver finds what a real GPU would let pass: each rule is broken once, on purpose."""

import ctypes
import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from tests.cuda.conftest import PTX
from vcam.cuda.device import Device
from vcam.cuda.driver import DeviceFacts
from vcam.cuda.errors import CAPTURE_WRONG_THREAD, ILLEGAL_ADDRESS, LAUNCH_FAILED, NOT_READY, OUT_OF_MEMORY, RESULTS
from vcam.errors import EngineUnavailableError, GpuError, GpuLostError
from vcam.fakes import FakeDriver, FakeMemory, MisuseError


@pytest.fixture
def device(fake: FakeDriver) -> Iterator[Device]:
    with Device(fake) as device, device.current():
        yield device


def error_of(code: int) -> str:
    return RESULTS[code].name


def test_what_is_queued_has_not_happened_yet(fake: FakeDriver, device: Device) -> None:
    """A frame that is read before it is waited for shows the bytes of the last one."""
    memory, host = device.buffer(4), device.pinned(4)
    host.array[:] = 9
    device.fill(memory.address, 1, 4, cuda_stream=device.cuda_stream)
    device.download(host.array, memory.address, cuda_stream=device.cuda_stream)
    assert (host.array == 9).all()
    assert fake.ran == []
    device.synchronize()
    assert (host.array == 1).all()
    assert list(fake.ran) == ["fill", "copy_to_host"]


def test_page_locked_memory_is_read_when_the_copy_runs(device: Device) -> None:
    """A source that is overwritten before its upload is through shows in the picture."""
    memory, source, target = device.buffer(4), device.pinned(4), device.pinned(4)
    source.array[:] = 1
    device.upload(memory.address, source.array, cuda_stream=device.cuda_stream)
    source.array[:] = 2
    device.download(target.array, memory.address, cuda_stream=device.cuda_stream)
    device.synchronize()
    assert (target.array == 2).all()


def test_an_event_is_waited_for_and_no_more(fake: FakeDriver, device: Device) -> None:
    memory, event = device.buffer(4), device.event()
    device.fill(memory.address, 1, 4, cuda_stream=device.cuda_stream)
    event.record(cuda_stream=device.cuda_stream)
    device.fill(memory.address, 2, 4, cuda_stream=device.cuda_stream)
    event.synchronize()
    assert list(fake.ran) == ["fill", "record_event"]
    assert (fake.memory.bytes(memory.address, 4) == 1).all()


def test_an_event_that_is_not_through_has_no_time(device: Device) -> None:
    event = device.event()
    event.record(cuda_stream=device.cuda_stream)
    with pytest.raises(GpuError, match=error_of(NOT_READY)):
        event.elapsed_s(event)
    device.synchronize()
    assert event.elapsed_s(event) == 0


def test_freeing_waits(fake: FakeDriver, device: Device) -> None:
    memory, other = device.buffer(4), device.buffer(4)
    device.fill(memory.address, 1, 4, cuda_stream=device.cuda_stream)
    other.release()
    assert list(fake.ran) == ["fill"]


def test_device_memory_is_not_zero_at_first(fake: FakeDriver, device: Device) -> None:
    assert fake.memory.bytes(device.buffer(4).address, 4).all()


def test_work_of_a_library_is_queued_and_recorded_like_ours(fake: FakeDriver, device: Device) -> None:
    memory = device.buffer(8)

    def infer(all_memory: FakeMemory) -> None:
        all_memory.array(memory.address, (2,), np.float32)[:] += 1

    device.fill(memory.address, 0, 8, cuda_stream=device.cuda_stream)
    fake.begin_capture(device.cuda_stream)
    fake.enqueue("infer", infer, cuda_stream=device.cuda_stream)
    executable = fake.instantiate(graph := fake.end_capture(device.cuda_stream))
    fake.destroy_graph(graph)
    for _ in range(3):
        fake.launch_graph(executable, cuda_stream=device.cuda_stream)
    device.synchronize()
    fake.destroy_executable(executable)
    assert list(fake.ran) == ["fill", "infer", "infer", "infer"]
    np.testing.assert_array_equal(fake.memory.array(memory.address, (2,), np.float32), [3, 3])


# Misuse.


@pytest.mark.parametrize(
    ("plant", "leak"),
    [
        (lambda fake: fake.allocate(5), "device memory of 5 bytes"),
        (lambda fake: fake.allocate_host(6), "page-locked memory of 6 bytes"),
        (lambda fake: fake.create_stream(), "stream"),
        (lambda fake: fake.create_event(), "event"),
        (lambda fake: fake.load_module(PTX), "module"),
        (lambda fake: fake.retain_context(0), "primary context"),
    ],
)
def test_a_planted_leak_is_listed(fake: FakeDriver, plant: Callable[[FakeDriver], object], leak: str) -> None:
    with Device(fake) as device, device.current():
        plant(fake)
    assert fake.leaks() == [leak]


def test_a_graph_that_leaks_is_listed(fake: FakeDriver, device: Device) -> None:
    fake.begin_capture(device.cuda_stream)
    fake.instantiate(fake.end_capture(device.cuda_stream))
    assert {"graph", "executable"} <= set(fake.leaks())


def test_freed_twice(fake: FakeDriver, device: Device) -> None:
    address = fake.allocate(4)
    fake.free(address)
    with pytest.raises(MisuseError, match="freed twice"):
        fake.free(address)


def test_host_memory_freed_under_a_copy(fake: FakeDriver, device: Device) -> None:
    memory, host = device.buffer(4), fake.allocate_host(4)
    device.upload(memory.address, host, cuda_stream=device.cuda_stream)
    with pytest.raises(MisuseError, match="while a queued copy uses it"):
        fake.free_host(host)
    device.synchronize()
    fake.free_host(host)


def test_host_memory_used_after_it_was_freed(fake: FakeDriver, device: Device) -> None:
    memory, host = device.buffer(4), fake.allocate_host(4)
    fake.free_host(host)
    with pytest.raises(MisuseError, match="used after it was freed"):
        device.upload(memory.address, host, cuda_stream=device.cuda_stream)


def test_device_memory_used_after_it_was_freed(device: Device) -> None:
    memory, host = device.buffer(4), device.pinned(4)
    memory.release()
    with pytest.raises(GpuError, match=r"INVALID_VALUE.*is freed"):
        device.upload(memory.address, host.array, cuda_stream=device.cuda_stream)


@pytest.mark.parametrize(("offset", "count"), [(0, 9), (1, 8), (-1, 4)])
def test_a_copy_out_of_bounds(device: Device, offset: int, count: int) -> None:
    memory, host = device.buffer(8), device.pinned(9)
    with pytest.raises(GpuError, match=r"INVALID_VALUE.*lies outside"):
        device.upload(memory.address + offset, host.array[:count], cuda_stream=device.cuda_stream)
    with pytest.raises(GpuError, match=r"INVALID_VALUE.*lies outside"):
        device.download(host.array[:count], memory.address + offset, cuda_stream=device.cuda_stream)


def test_rows_out_of_bounds(device: Device) -> None:
    memory, host = device.buffer(20), device.pinned(30)
    with pytest.raises(GpuError, match="INVALID_VALUE"):
        device.upload_rows(memory.address, 10, host.array.reshape(3, 10), cuda_stream=device.cuda_stream)
    with pytest.raises(GpuError, match="INVALID_VALUE"):
        device.upload_rows(memory.address, 9, host.array.reshape(3, 10)[:2], cuda_stream=device.cuda_stream)


@pytest.mark.parametrize("offset", [-1, 8])
def test_a_kernel_that_writes_outside(offset: int) -> None:
    """A compiled one writes where it likes; the guards around each allocation tell."""
    address: list[int] = []

    def stray(_grid: object, _block: object, _arguments: object, _memory: object) -> None:
        ctypes.memset(address[0] + offset, 1, 1)

    fake = FakeDriver({"stray": stray})
    with Device(fake) as device, device.current():
        address.append(device.buffer(8).address)
        device.module(PTX).function("stray").launch((1, 1, 1), (1, 1, 1), b"", cuda_stream=device.cuda_stream)
        with pytest.raises(MisuseError, match="launch stray wrote outside 8 bytes"):
            device.synchronize()


def test_a_kernel_that_writes_to_freed_memory() -> None:
    kept: list[np.ndarray[tuple[int], np.dtype[np.uint8]]] = []
    fake = FakeDriver({"late": lambda _grid, _block, _arguments, _memory: kept[0].fill(1)})
    with Device(fake) as device, device.current():
        memory = device.buffer(8)
        kept.append(fake.memory.bytes(memory.address, 8))
        memory.release()
        device.module(PTX).function("late").launch((1, 1, 1), (1, 1, 1), b"", cuda_stream=device.cuda_stream)
        with pytest.raises(MisuseError, match="after it was freed"):
            device.synchronize()
        kept[0][:] = 0xDD


def test_a_kernel_that_reads_a_wild_address(device: Device, fake: FakeDriver) -> None:
    fake.enqueue("wild", lambda memory: memory.bytes(64, 4).fill(0), cuda_stream=device.cuda_stream)
    with pytest.raises(GpuLostError, match=error_of(ILLEGAL_ADDRESS)):
        device.synchronize()
    with pytest.raises(GpuLostError, match=error_of(ILLEGAL_ADDRESS)):
        device.buffer(1)


def test_a_stream_destroyed_with_work_on_it(fake: FakeDriver, device: Device) -> None:
    memory, stream = device.buffer(4), fake.create_stream()
    fake.fill(memory.address, 0, 4, cuda_stream=stream)
    with pytest.raises(MisuseError, match="while work is queued"):
        fake.destroy_stream(stream)
    fake.synchronize_stream(stream)
    fake.destroy_stream(stream)


@pytest.mark.parametrize("stream", [0, 1, 2, 7])
def test_the_legacy_streams_are_refused(device: Device, stream: int) -> None:
    memory = device.buffer(4)
    with pytest.raises(GpuError, match="INVALID_HANDLE"):
        device.fill(memory.address, 0, 4, cuda_stream=stream)


def test_a_context_released_while_it_is_current(fake: FakeDriver) -> None:
    context = fake.retain_context(0)
    fake.push_context(context)
    with pytest.raises(MisuseError, match="while it is current"):
        fake.release_context(context)
    fake.pop_context()
    fake.release_context(context)
    for call in (fake.pop_context, lambda: fake.push_context(context), lambda: fake.release_context(context)):
        with pytest.raises(GpuError, match="INVALID_CONTEXT"):
            call()


def test_a_capture_ended_by_another_thread(fake: FakeDriver, device: Device) -> None:
    fake.begin_capture(device.cuda_stream)
    caught: list[GpuError] = []

    def end() -> None:
        with device.current():
            try:
                fake.end_capture(device.cuda_stream)
            except GpuError as error:
                caught.append(error)

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()
    assert error_of(CAPTURE_WRONG_THREAD) in caught[0].problem
    fake.destroy_graph(fake.end_capture(device.cuda_stream))


def test_a_capture_of_pageable_memory(fake: FakeDriver, device: Device) -> None:
    memory = device.buffer(4)
    fake.begin_capture(device.cuda_stream)
    with pytest.raises(GpuError, match="not page-locked"):
        device.upload(memory.address, np.zeros(4, np.uint8), cuda_stream=device.cuda_stream)
    with pytest.raises(GpuError, match="CAPTURE_INVALIDATED"):
        fake.end_capture(device.cuda_stream)


def test_two_captures_at_once(fake: FakeDriver, device: Device) -> None:
    fake.begin_capture(device.cuda_stream)
    with pytest.raises(GpuError, match="INVALID_VALUE"):
        fake.begin_capture(device.cuda_stream)
    fake.destroy_graph(fake.end_capture(device.cuda_stream))
    with pytest.raises(GpuError, match="INVALID_VALUE"):
        fake.end_capture(device.cuda_stream)


# Planned faults, other machines.


def test_a_fault_comes_on_the_call_it_was_planned_for(fake: FakeDriver, device: Device) -> None:
    fake.fail("allocate", OUT_OF_MEMORY, on=2)
    device.buffer(1)
    with pytest.raises(GpuError, match="as planned"):
        device.buffer(1)
    device.buffer(1)


def test_work_that_fails_is_told_to_whoever_waits(fake: FakeDriver, device: Device) -> None:
    memory = device.buffer(4)
    fake.fail("run fill", LAUNCH_FAILED, on=2)
    for _ in range(3):
        device.fill(memory.address, 0, 4, cuda_stream=device.cuda_stream)
    with pytest.raises(GpuLostError, match=error_of(LAUNCH_FAILED)):
        device.synchronize()
    assert list(fake.ran) == ["fill"]


def test_memory_is_limited() -> None:
    fake = FakeDriver(devices=(DeviceFacts(0, "small", (7, 5), 1000, 13000),))
    with Device(fake) as device:
        device.buffer(900)
        assert device.free_memory() == (100, 1000)
        with pytest.raises(GpuError, match=error_of(OUT_OF_MEMORY)):
            device.buffer(101)


def test_no_gpu_at_all() -> None:
    fake = FakeDriver(devices=())
    assert fake.device_count() == 0
    with pytest.raises(EngineUnavailableError):
        Device(fake)

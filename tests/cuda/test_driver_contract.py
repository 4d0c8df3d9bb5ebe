"""What every driver promises: the fake one always, CUDA's own where there is a GPU."""

import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from tests.cuda.conftest import LAYOUT, PTX
from vcam.cuda.driver import Bytes, Driver
from vcam.errors import EngineUnavailableError, GpuError

COUNT = 1000


@dataclass
class Bench:
    """A driver with a current context, a stream, device memory and two page-locked buffers of COUNT bytes."""

    driver: Driver
    stream: int
    memory: int
    source: Bytes
    target: Bytes

    def upload(self) -> None:
        self.driver.copy_to_device(self.memory, self.source, cuda_stream=self.stream)

    def download(self) -> None:
        self.driver.copy_to_host(self.target, self.memory, cuda_stream=self.stream)

    def synchronize(self) -> None:
        self.driver.synchronize_stream(self.stream)

    def came_back(self) -> Bytes:
        self.download()
        self.synchronize()
        return self.target

    def capture(self, body: Callable[[], None]) -> int:
        self.driver.begin_capture(self.stream)
        body()
        return self.driver.end_capture(self.stream)


@pytest.fixture
def bench(driver: Driver) -> Iterator[Bench]:
    context = driver.retain_context(0)
    driver.push_context(context)
    stream, memory = driver.create_stream(), driver.allocate(COUNT)
    source, target = driver.allocate_host(COUNT), driver.allocate_host(COUNT)
    source[:] = np.arange(COUNT) % 251
    target[:] = 0
    yield Bench(driver, stream, memory, source, target)
    driver.free_host(target)
    driver.free_host(source)
    driver.free(memory)
    driver.destroy_stream(stream)
    driver.pop_context()
    driver.release_context(context)


def code_of(caught: pytest.ExceptionInfo[GpuError]) -> str:
    return caught.value.problem.partition("CUDA_ERROR_")[2].partition(" ")[0]


def test_facts(driver: Driver) -> None:
    assert driver.device_count() >= 1
    facts = driver.facts(0)
    assert facts.index == 0
    assert facts.name
    assert facts.compute_capability >= (7, 5)
    assert facts.memory_bytes >= 1 << 30
    assert facts.driver_version >= 13000


@pytest.mark.parametrize("number", [-1, 99])
def test_a_gpu_that_is_not_there(driver: Driver, number: int) -> None:
    with pytest.raises(EngineUnavailableError, match="CUDA_ERROR_INVALID_DEVICE"):
        driver.facts(number)


def test_bytes_go_and_come_back(bench: Bench) -> None:
    bench.upload()
    np.testing.assert_array_equal(bench.came_back(), bench.source)


def test_pageable_memory_is_copied_too(bench: Bench) -> None:
    given = np.full(COUNT, 7, np.uint8)
    back = np.zeros(COUNT, np.uint8)
    bench.driver.copy_to_device(bench.memory, given, cuda_stream=bench.stream)
    bench.driver.copy_to_host(back, bench.memory, cuda_stream=bench.stream)
    bench.synchronize()
    np.testing.assert_array_equal(back, given)


def test_a_part_is_copied_alone(bench: Bench) -> None:
    bench.driver.fill(bench.memory, 9, COUNT, cuda_stream=bench.stream)
    bench.driver.copy_to_device(bench.memory + 10, bench.source[:5], cuda_stream=bench.stream)
    found = bench.came_back()
    assert found[8:17].tolist() == [9, 9, 0, 1, 2, 3, 4, 9, 9]


@pytest.mark.parametrize("value", [0, 1, 255])
def test_fill(bench: Bench, value: int) -> None:
    bench.upload()
    bench.driver.fill(bench.memory + 1, value, COUNT - 2, cuda_stream=bench.stream)
    found = bench.came_back()
    assert found[0] == bench.source[0]
    assert found[-1] == bench.source[-1]
    assert (found[1:-1] == value).all()


@pytest.mark.parametrize("rows", [1, 4])
def test_rows_may_be_padded_on_both_sides(bench: Bench, rows: int) -> None:
    host = bench.source.reshape(4, 250)[:rows, :20]
    bench.driver.fill(bench.memory, 0xEE, COUNT, cuda_stream=bench.stream)
    bench.driver.copy_rows_to_device(bench.memory, 64, host, cuda_stream=bench.stream)
    found = bench.came_back().copy()
    assert (found[20:64] == 0xEE).all()
    for row in range(rows):
        np.testing.assert_array_equal(found[64 * row : 64 * row + 20], host[row])
    bench.target[:] = 0
    back = bench.target.reshape(4, 250)[:rows, 100:120]
    bench.driver.copy_rows_to_host(back, bench.memory, 64, cuda_stream=bench.stream)
    bench.synchronize()
    np.testing.assert_array_equal(back, host)
    assert bench.target.sum() == host.sum()


def test_memory_is_aligned_and_counted(bench: Bench) -> None:
    free, total = bench.driver.free_memory()
    assert 0 < free < total
    more = bench.driver.allocate(64 << 20)
    assert more % 256 == 0
    assert bench.driver.free_memory()[0] <= free - (64 << 20)
    bench.driver.free(more)


def test_what_cannot_be_allocated(bench: Bench) -> None:
    with pytest.raises(GpuError) as caught:
        bench.driver.allocate(1 << 50)
    assert code_of(caught) == "OUT_OF_MEMORY"
    assert "nvidia-smi" in caught.value.hint
    bench.upload()
    np.testing.assert_array_equal(bench.came_back(), bench.source)


def test_a_copy_beyond_the_end_is_refused(bench: Bench) -> None:
    with pytest.raises(GpuError) as caught:
        bench.driver.copy_to_device(bench.memory + (1 << 30), bench.source, cuda_stream=bench.stream)
    assert code_of(caught) == "INVALID_VALUE"


def test_a_stream_that_is_none(bench: Bench) -> None:
    with pytest.raises(GpuError) as caught:
        bench.driver.synchronize_stream(12345)
    assert code_of(caught) == "INVALID_HANDLE"


def test_each_thread_needs_a_context(bench: Bench) -> None:
    caught: list[GpuError] = []

    def allocate() -> None:
        try:
            bench.driver.allocate(16)
        except GpuError as error:
            caught.append(error)

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    assert "CUDA_ERROR_INVALID_CONTEXT" in caught[0].problem


def test_a_context_may_be_current_on_two_threads_and_nest(bench: Bench) -> None:
    found: list[int] = []

    def work() -> None:
        context = bench.driver.retain_context(0)
        for _ in range(2):
            bench.driver.push_context(context)
        address = bench.driver.allocate(16)
        bench.driver.pop_context()
        bench.driver.fill(address, 1, 16, cuda_stream=bench.stream)
        bench.driver.free(address)
        bench.driver.pop_context()
        bench.driver.release_context(context)
        found.append(address)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found
    bench.upload()
    np.testing.assert_array_equal(bench.came_back(), bench.source)


def test_events_take_the_time(bench: Bench) -> None:
    start, end = bench.driver.create_event(), bench.driver.create_event()
    bench.driver.record_event(start, cuda_stream=bench.stream, external=False)
    bench.upload()
    bench.driver.record_event(end, cuda_stream=bench.stream, external=False)
    bench.driver.synchronize_event(end)
    assert 0 <= bench.driver.elapsed_ms(start, end) < 1000
    for event in (start, end):
        bench.driver.destroy_event(event)


def test_an_event_that_was_never_recorded_has_no_time(bench: Bench) -> None:
    start, end = bench.driver.create_event(), bench.driver.create_event()
    with pytest.raises(GpuError) as caught:
        bench.driver.elapsed_ms(start, end)
    assert code_of(caught) == "INVALID_HANDLE"
    for event in (start, end):
        bench.driver.destroy_event(event)


def test_a_kernel_gets_its_arguments(bench: Bench) -> None:
    module = bench.driver.load_module(PTX)
    function = bench.driver.function(module, "add_one")
    bench.upload()
    arguments = struct.pack(LAYOUT, bench.memory, 70)
    bench.driver.launch(function, (2, 1, 1), (64, 1, 1), arguments, cuda_stream=bench.stream)
    expected = bench.source.copy()
    expected[:70] += 1
    np.testing.assert_array_equal(bench.came_back(), expected)
    bench.driver.unload_module(module)


def test_a_kernel_that_is_not_in_the_module(bench: Bench) -> None:
    module = bench.driver.load_module(PTX)
    with pytest.raises(GpuError) as caught:
        bench.driver.function(module, "add_two")
    assert code_of(caught) == "NOT_FOUND"
    bench.driver.unload_module(module)


def test_a_block_that_is_too_large(bench: Bench) -> None:
    module = bench.driver.load_module(PTX)
    function = bench.driver.function(module, "add_one")
    arguments = struct.pack(LAYOUT, bench.memory, COUNT)
    with pytest.raises(GpuError) as caught:
        bench.driver.launch(function, (1, 1, 1), (2048, 1, 1), arguments, cuda_stream=bench.stream)
    assert code_of(caught) == "INVALID_VALUE"
    bench.driver.unload_module(module)


def test_a_graph_runs_when_it_is_launched_and_reads_what_is_there_then(bench: Bench) -> None:
    module = bench.driver.load_module(PTX)
    function = bench.driver.function(module, "add_one")
    arguments = struct.pack(LAYOUT, bench.memory, COUNT)
    start, end = bench.driver.create_event(), bench.driver.create_event()

    def body() -> None:
        bench.driver.record_event(start, cuda_stream=bench.stream, external=True)
        bench.upload()
        bench.driver.launch(function, (16, 1, 1), (64, 1, 1), arguments, cuda_stream=bench.stream)
        bench.download()
        bench.driver.record_event(end, cuda_stream=bench.stream, external=True)

    bench.driver.fill(bench.memory, 0, COUNT, cuda_stream=bench.stream)
    graph = bench.capture(body)
    executable = bench.driver.instantiate(graph)
    bench.driver.destroy_graph(graph)
    bench.synchronize()
    assert not bench.target.any()
    for value in (3, 4):
        bench.source[:] = value
        bench.driver.launch_graph(executable, cuda_stream=bench.stream)
        bench.synchronize()
        assert (bench.target == value + 1).all()
        assert 0 <= bench.driver.elapsed_ms(start, end) < 1000
    bench.driver.destroy_executable(executable)
    for event in (start, end):
        bench.driver.destroy_event(event)
    bench.driver.unload_module(module)


def test_an_allocation_spoils_a_capture_and_the_next_one_is_good(bench: Bench) -> None:
    bench.driver.begin_capture(bench.stream)
    with pytest.raises(GpuError) as caught:
        bench.driver.allocate(16)
    assert code_of(caught) == "STREAM_CAPTURE_UNSUPPORTED"
    with pytest.raises(GpuError) as caught:
        bench.driver.end_capture(bench.stream)
    assert code_of(caught) == "STREAM_CAPTURE_INVALIDATED"
    bench.driver.destroy_graph(bench.capture(bench.upload))
    bench.upload()
    np.testing.assert_array_equal(bench.came_back(), bench.source)


def test_waiting_spoils_a_capture(bench: Bench) -> None:
    bench.driver.begin_capture(bench.stream)
    with pytest.raises(GpuError) as caught:
        bench.synchronize()
    assert code_of(caught) == "STREAM_CAPTURE_UNSUPPORTED"
    with pytest.raises(GpuError):
        bench.driver.end_capture(bench.stream)


def test_another_thread_may_allocate_during_a_capture(bench: Bench) -> None:
    """An engine is built there while the frame thread records."""
    bench.driver.begin_capture(bench.stream)
    failed: list[GpuError] = []

    def allocate() -> None:
        context = bench.driver.retain_context(0)
        bench.driver.push_context(context)
        try:
            bench.driver.free(bench.driver.allocate(16))
        except GpuError as error:
            failed.append(error)
        bench.driver.pop_context()
        bench.driver.release_context(context)

    thread = threading.Thread(target=allocate)
    thread.start()
    thread.join()
    bench.upload()
    bench.driver.destroy_graph(bench.driver.end_capture(bench.stream))
    assert failed == []


def test_an_event_recorded_plainly_in_a_capture_has_no_time(bench: Bench) -> None:
    start, end = bench.driver.create_event(), bench.driver.create_event()

    def body() -> None:
        for event in (start, end):
            bench.driver.record_event(event, cuda_stream=bench.stream, external=False)

    bench.driver.destroy_graph(bench.capture(body))
    with pytest.raises(GpuError):
        bench.driver.elapsed_ms(start, end)
    for event in (start, end):
        bench.driver.destroy_event(event)


def test_an_external_event_belongs_into_a_capture(bench: Bench) -> None:
    event = bench.driver.create_event()
    with pytest.raises(GpuError):
        bench.driver.record_event(event, cuda_stream=bench.stream, external=True)
    bench.driver.destroy_event(event)

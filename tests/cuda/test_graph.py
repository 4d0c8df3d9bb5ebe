"""Graphs over every driver: one launch does what the body queued."""

from collections.abc import Callable

import pytest

from tests.cuda.conftest import PTX
from vcam.cuda.device import Device, DeviceBuffer, PinnedBuffer
from vcam.cuda.driver import Driver
from vcam.cuda.errors import CAPTURE_UNSUPPORTED, ILLEGAL_ADDRESS, LAUNCH_FAILED, OUT_OF_MEMORY
from vcam.cuda.graph import Graph
from vcam.errors import EngineError, GpuError, GpuLostError
from vcam.fakes import FakeDriver, MisuseError


def copies(device: Device, memory: DeviceBuffer, host: PinnedBuffer) -> Callable[[], None]:
    """Half the host buffer up, and down into the other half."""
    half = memory.nbytes

    def body() -> None:
        device.upload(memory.address, host.array[:half], cuda_stream=device.cuda_stream)
        device.download(host.array[half:], memory.address, cuda_stream=device.cuda_stream)

    return body


def test_plain_first_then_captured(driver: Driver) -> None:
    with Device(driver) as device, device.current():
        memory, host = device.buffer(8), device.pinned(16)
        graph = Graph(device, copies(device, memory, host), cuda_stream=device.cuda_stream)
        for value in range(1, 5):
            host.array[:8] = value
            graph.launch()
            device.synchronize()
            assert host.array.tolist() == [value] * 16
            assert graph.captured == (value > 2)
            if value == 2:
                graph.capture()
                graph.capture()


def test_a_body_that_never_ran_runs_before_its_capture(driver: Driver) -> None:
    with Device(driver) as device, device.current():
        memory, host = device.buffer(8), device.pinned(16)
        graph = Graph(device, copies(device, memory, host), cuda_stream=device.cuda_stream)
        host.array[:8] = 6
        graph.capture()
        assert graph.captured
        assert (host.array == 6).all()
        graph.release()
        graph.release()
        assert not graph.captured


def test_events_inside_take_the_time_at_each_launch(driver: Driver) -> None:
    with Device(driver) as device, device.current():
        memory, start, end = device.buffer(1 << 20), device.event(), device.event()

        def body() -> None:
            start.record(cuda_stream=device.cuda_stream)
            device.fill(memory.address, 1, memory.nbytes, cuda_stream=device.cuda_stream)
            end.record(cuda_stream=device.cuda_stream)

        graph = Graph(device, body, cuda_stream=device.cuda_stream)
        graph.capture()
        assert graph.captured
        for _ in range(2):
            graph.launch()
            device.synchronize()
            assert 0 <= end.elapsed_s(start) < 1
        start.record(cuda_stream=device.cuda_stream)
        device.synchronize()
        assert start.elapsed_s(end) >= 0


def test_what_cannot_be_captured_goes_on_plainly(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    with Device(driver) as device, device.current():
        memory, host = device.buffer(8), device.pinned(16)
        copy = copies(device, memory, host)

        def body() -> None:
            copy()
            device.module(PTX).release()

        graphs = [Graph(device, body, cuda_stream=device.cuda_stream) for _ in range(2)]
        for value, graph in enumerate(graphs):
            graph.capture()
            assert not graph.captured
            host.array[:8] = value
            graph.launch()
            device.synchronize()
            assert (host.array == value).all()
        assert [record.message for record in caplog.records] == ["gpu.graph_unavailable"]
        assert "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED" in vars(caplog.records[0])["problem"]


@pytest.mark.parametrize("call", ["begin_capture", "end_capture", "instantiate", "run copy_to_device"])
@pytest.mark.parametrize("code", [CAPTURE_UNSUPPORTED, OUT_OF_MEMORY, ILLEGAL_ADDRESS])
def test_faults_leave_nothing_behind(fake: FakeDriver, call: str, code: int) -> None:
    captured = None
    with Device(fake) as device, device.current():
        memory, host = device.buffer(8), device.pinned(16)
        graph = Graph(device, copies(device, memory, host), cuda_stream=device.cuda_stream)
        fake.fail(call, code)
        if code == ILLEGAL_ADDRESS:
            with pytest.raises(GpuLostError):
                graph.capture()
        elif call.startswith("run"):
            with pytest.raises(GpuError):
                graph.capture()
        else:
            graph.capture()
            graph.launch()
            device.synchronize()
        captured = graph.captured
    assert captured is False
    assert fake.leaks() == []


def test_an_engine_that_refuses_in_a_capture(fake: FakeDriver) -> None:
    """TensorRT says no by an error of its own."""
    with Device(fake) as device, device.current():
        times = 0

        def body() -> None:
            nonlocal times
            times += 1
            if times == 2:
                raise EngineError("enqueue failed", hint="none")

        graph = Graph(device, body, cuda_stream=device.cuda_stream)
        graph.capture()
        assert not graph.captured
        graph.launch()
        device.synchronize()
    assert times == 3
    assert fake.leaks() == []


def test_a_broken_body_ends_the_capture_too(fake: FakeDriver) -> None:
    with Device(fake) as device, device.current():
        memory = device.buffer(8)
        broken = [False]

        def body() -> None:
            device.fill(memory.address, 1, 8, cuda_stream=device.cuda_stream)
            if broken[0]:
                raise ZeroDivisionError

        graph = Graph(device, body, cuda_stream=device.cuda_stream)
        graph.launch()
        broken[0] = True
        with pytest.raises(ZeroDivisionError):
            graph.capture()
        broken[0] = False
        device.synchronize()
        graph.capture()
        assert graph.captured
    assert fake.leaks() == []


def test_a_graph_that_outlives_its_memory_is_found_out(fake: FakeDriver) -> None:
    with Device(fake) as device, device.current():
        memory, host = device.buffer(8), device.pinned(16)
        graph = Graph(device, copies(device, memory, host), cuda_stream=device.cuda_stream)
        graph.capture()
        memory.release()
        graph.launch()
        with pytest.raises(GpuLostError, match="is freed"):
            device.synchronize()


def test_a_graph_that_outlives_its_host_memory_is_found_out(fake: FakeDriver) -> None:
    with Device(fake) as device, device.current():
        memory, host = device.buffer(8), device.pinned(16)
        graph = Graph(device, copies(device, memory, host), cuda_stream=device.cuda_stream)
        graph.capture()
        host.release()
        graph.launch()
        with pytest.raises(MisuseError):
            device.synchronize()


def test_a_launch_that_fails_is_an_error(fake: FakeDriver) -> None:
    with Device(fake) as device, device.current():
        memory, host = device.buffer(8), device.pinned(16)
        graph = Graph(device, copies(device, memory, host), cuda_stream=device.cuda_stream)
        graph.capture()
        fake.fail("launch_graph", LAUNCH_FAILED)
        with pytest.raises(GpuLostError, match="CUDA_ERROR_LAUNCH_FAILED"):
            graph.launch()

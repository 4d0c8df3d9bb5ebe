"""A frame's work, recorded once and launched as one: what the CPU spends on a frame falls to one call."""

import logging
from collections.abc import Callable
from contextlib import ExitStack, suppress

from vcam.cuda.device import Device, Owned
from vcam.errors import EngineError, GpuLostError

_log = logging.getLogger(__name__)


class Graph(Owned):
    """Work that ``body`` queues on one stream, always the same; plain until it is captured, and wherever that fails.

    What it touches (addresses, host memory, arguments of kernels) is recorded, not what lies there. Owned by the
    Device; everything recorded must outlive it.
    """

    def __init__(self, device: Device, body: Callable[[], None], *, cuda_stream: int) -> None:
        super().__init__(device, self._free_executable)
        self._body = body
        self._stream = cuda_stream
        self._executable: int | None = None
        self._ran = False

    @property
    def captured(self) -> bool:
        """Whether ``launch`` is one call; else it runs the body."""
        return self._executable is not None

    def launch(self) -> None:
        """Queue the work."""
        if self._executable is not None:
            self._device.driver.launch_graph(self._executable, cuda_stream=self._stream)
        else:
            self._body()
            self._ran = True

    def capture(self) -> None:
        """Record what the body queues; harmless when it is captured already. Waits for the stream.

        A body that never ran is run once before: libraries allocate at their first use, which a capture forbids. Where
        it cannot be recorded, ``launch`` goes on without; it is logged when the device meets that first. Raises what
        the body does when it runs, and GpuLostError.
        """
        if self.captured:
            return
        if not self._ran:
            self.launch()
        driver = self._device.driver
        driver.synchronize_stream(self._stream)
        try:
            graph = self._record()
            try:
                self._executable = driver.instantiate(graph)
            finally:
                driver.destroy_graph(graph)
        except GpuLostError:
            raise
        except EngineError as error:
            if self._device.note_no_graph():
                _log.warning("gpu.graph_unavailable", extra={"problem": error.problem, "hint": error.hint})

    def _record(self) -> int:
        driver = self._device.driver
        driver.begin_capture(self._stream)
        with ExitStack() as on_error:
            on_error.callback(self._abandon)
            with self._device.capturing(self._stream):
                self._body()
            on_error.pop_all()
        return driver.end_capture(self._stream)

    def _abandon(self) -> None:
        # The capture must end, and has nothing to say that the error which led here has not.
        with suppress(EngineError):
            self._device.driver.destroy_graph(self._device.driver.end_capture(self._stream))

    def _free_executable(self) -> None:
        executable, self._executable = self._executable, None
        if executable is not None:
            self._device.driver.destroy_executable(executable)

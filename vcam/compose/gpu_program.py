"""What the GPU does for one frame, recorded once and then repeated: call by call, or as one CUDA graph."""

import ctypes
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from vcam.cuda.device import Device
from vcam.cuda.graph import Graph
from vcam.cuda.kernels import Kernels, Threads
from vcam.frame import DevicePlane

Step: TypeAlias = Callable[[], None]
"""Queues one piece of work; everything it needs is bound to it."""

Key: TypeAlias = tuple[int, tuple[DevicePlane, ...]]
"""What a recording is good for: the turn, and where the camera's picture lies."""

_MOST_PROGRAMS = 16
"""Two turns of our own memory, and of each picture of the decoders on the GPU."""


class Recorder(Kernels):
    """Kernels whose launches are kept, arguments packed, instead of being queued; other steps can be put between."""

    def __init__(self, device: Device, image: bytes) -> None:
        super().__init__(device, image)
        self._steps: list[Step] = []

    def launch(self, name: str, arguments: ctypes.Structure, *, threads: Threads, cuda_stream: int) -> None:
        """Keep the launch. The arguments are copied now."""
        copied = type(arguments).from_buffer_copy(arguments)
        self.add(partial(super().launch, name, copied, threads=threads, cuda_stream=cuda_stream))

    def add(self, step: Step) -> None:
        """Keep any other step, in its place."""
        self._steps.append(step)

    def take(self) -> tuple[Step, ...]:
        """What was kept since the last time."""
        steps = tuple(self._steps)
        self._steps.clear()
        return steps


class Programs:
    """What is repeated, by what it depends on. captured: whether the newest is a graph; None before one was tried."""

    def __init__(self, device: Device, *, graphs: bool) -> None:
        self._device = device
        self._graphs = graphs
        self._programs: dict[Key, _Program] = {}
        self.captured: bool | None = None if graphs else False

    def run(self, key: Key, record: Callable[[], tuple[Step, ...]]) -> None:
        """Queue the steps of this key; ``record`` makes them, the first time.

        They go one by one the first time, so that libraries are warm before anything is captured, and as one graph
        from the second time on, where that is wanted and works. Raises what the steps do, GpuError.
        """
        program = self._programs.get(key)
        if program is None:
            self._make_room()
            program = self._programs[key] = _Program(self._device, record())
        elif program.tried is False and self._graphs:
            self.captured = program.capture()
        program.graph.launch()

    def clear(self) -> None:
        """Forget all. The stream must be through with them."""
        programs, self._programs = self._programs, {}
        for program in programs.values():
            program.graph.release()

    def _make_room(self) -> None:
        if len(self._programs) >= _MOST_PROGRAMS:
            self._programs.pop(next(iter(self._programs))).graph.release()


class _Program:
    def __init__(self, device: Device, steps: tuple[Step, ...]) -> None:
        self._steps = steps
        self.graph = Graph(device, self._queue, cuda_stream=device.cuda_stream)
        self.tried = False

    def capture(self) -> bool:
        """Once; whether it worked."""
        self.tried = True
        self.graph.capture()
        return self.graph.captured

    def _queue(self) -> None:
        for step in self._steps:
            step()

"""What share of the memory's speed sample and compose reach, against the card's own copy.

Many launches are captured into one graph, over pictures that together are larger than any cache, so that neither the
CPU nor a cache is measured. The pause between two kernels of a graph is part of the figures.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from vcam.bench.compose import coefficients
from vcam.bench.gpu_bytes import compose_bytes, picture_bytes, sample_bytes
from vcam.bench.gpu_room import GpuRoom, Weight, camera_format, target_format
from vcam.bench.report import Row, row
from vcam.compose.gpu_live import LiveBlock
from vcam.cuda.device import Device
from vcam.cuda.graph import Graph
from vcam.cuda.kernels import DeviceMatte, DevicePicture, Kernels
from vcam.frame import DevicePlane, Levels, Size, VideoFormat, plane_shapes
from vcam.scene.backdrops import SolidBackdrop
from vcam.stages import Scene

_GROUP = "bandwidth: bytes that must move, against the card's own copy"
_GIGA = 1e9
_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class _Set:
    """One of the pictures that the kernels go through in turns, with all that belongs to it."""

    source: DevicePicture
    background: DevicePicture
    target: DevicePicture
    matte: DeviceMatte
    src: int


def run(room: GpuRoom) -> Iterator[Row]:
    """The copy, then each kernel at each size."""
    weight = room.weight
    with Device(room.driver) as device, device.current():
        peak = _copy_speed(room, device)
        reference = 2 * weight.copied_bytes / float(np.median(peak))
        yield _row("copy within the GPU", peak, 2 * weight.copied_bytes, reference)
        kernels = Kernels(device, room.fatbin)
        for size in weight.sizes:
            with _Sets(device, size, weight) as sets:
                for name, moved, launch in _rivals(kernels, device, sets, size, weight):
                    seconds = _timed(device, launch, len(sets.all), weight.rounds)
                    yield _row(f"{name} {size.height}p", seconds, moved, reference)


def _row(name: str, seconds: list[float], moved: int, reference: float) -> Row:
    speed = moved / float(np.median(seconds))
    measured = row(
        name,
        seconds,
        bytes_mb=round(moved / 1e6, 3),
        gb_per_s=round(speed / _GIGA, 1),
        share_of_copy=round(speed / reference, 3),
    )
    return replace(measured, group=_GROUP)


def _rivals(
    kernels: Kernels, device: Device, sets: "_Sets", size: Size, weight: Weight
) -> Iterator[tuple[str, int, Callable[[], None]]]:
    """Name, bytes per launch, and what queues one launch for each set."""
    camera, target, stream = camera_format(size), target_format(size), device.cuda_stream

    def sample() -> None:
        for each in sets.all:
            kernels.sample(each.source, each.src, weight.internal, half=True, cuda_stream=stream)

    def compose() -> None:
        for each in sets.all:
            kernels.compose(each.source, each.matte, each.background, each.target, sets.flag, cuda_stream=stream)

    yield "sample", sample_bytes(camera, weight.internal, half=True), sample
    yield "compose", compose_bytes(camera, target, weight.internal, half=True), compose


class _Sets:
    """The pictures of one size, in one block of device memory while entered."""

    def __init__(self, device: Device, size: Size, weight: Weight) -> None:
        camera, target = camera_format(size), target_format(size)
        pixels = weight.internal.width * weight.internal.height
        parts = [_aligned(picture_bytes(camera)), *[_aligned(picture_bytes(target))] * 2]
        parts += [_aligned(4 * 2 * pixels)] * 2 + [_aligned(3 * 2 * pixels)]
        self._count = max(2, -(-weight.footprint_bytes // sum(parts)))
        self._device = device
        self._block = LiveBlock(device, weight.internal, Levels(), ())
        self._block.ask(size, Scene(SolidBackdrop((0, 0, 0))), pts_ns=0)
        self._block.queue()
        self._buffer = device.buffer(self._count * sum(parts) + _aligned(4))
        self.all = tuple(self._set(number * sum(parts), parts, size, weight) for number in range(self._count))
        self.flag = self._buffer.address + self._count * sum(parts)
        device.fill(self.flag, 0, 4, cuda_stream=device.cuda_stream)
        self._fill(parts, weight)

    def __enter__(self) -> "_Sets":
        return self

    def __exit__(self, *_: object) -> None:
        self._device.synchronize()
        self._buffer.release()

    def _set(self, offset: int, parts: list[int], size: Size, weight: Weight) -> _Set:
        ends = np.cumsum([self._buffer.address + offset, *parts]).tolist()
        source, background, target, a, b, src = ends[:-1]
        internal = weight.internal
        return _Set(
            _picture(source, camera_format(size)),
            _picture(background, target_format(size)),
            _picture(target, target_format(size)),
            DeviceMatte(a, b, internal, True, self._block.view(), self._block.live),
            src,
        )

    def _fill(self, parts: list[int], weight: Weight) -> None:
        """Noise for pictures, and a matte that is soft everywhere: nothing is settled, so everything is read."""
        noise = np.random.default_rng(0).integers(0, 256, sum(parts[:3]), np.uint8)
        a, b = (each.astype(np.float16).view(np.uint8).reshape(-1) for each in coefficients("soft", weight.internal))
        stream = self._device.cuda_stream
        for each in self.all:
            self._device.upload(each.source.planes[0].address, noise, cuda_stream=stream)
            self._device.upload(each.matte.a, a, cuda_stream=stream)
            self._device.upload(each.matte.b, b, cuda_stream=stream)
        self._device.synchronize()


def _picture(address: int, fmt: VideoFormat) -> DevicePicture:
    planes = []
    for rows, row_bytes in plane_shapes(fmt):
        planes.append(DevicePlane(address, row_bytes))
        address += rows * row_bytes
    return DevicePicture(fmt, tuple(planes))


def _copy_speed(room: GpuRoom, device: Device) -> list[float]:
    """Seconds of each copy of ``copied_bytes``."""
    nbytes = room.weight.copied_bytes
    source, target = device.buffer(nbytes), device.buffer(nbytes)
    device.fill(source.address, 1, nbytes, cuda_stream=device.cuda_stream)

    def copy() -> None:
        room.copy(target.address, source.address, nbytes, cuda_stream=device.cuda_stream)

    seconds = _timed(device, copy, 1, room.weight.rounds)
    source.release()
    target.release()
    return seconds


def _timed(device: Device, body: Callable[[], None], launches: int, rounds: int) -> list[float]:
    """Seconds per launch, once for each round of a graph of ``launches``, by events."""
    graph = Graph(device, body, cuda_stream=device.cuda_stream)
    graph.capture()
    began, ended = device.event(), device.event()
    seconds = []
    for number in range(rounds + _WARM_UP):
        began.record(cuda_stream=device.cuda_stream)
        graph.launch()
        ended.record(cuda_stream=device.cuda_stream)
        device.synchronize()
        if number >= _WARM_UP:
            seconds.append(ended.elapsed_s(began) / launches)
    for owned in (graph, began, ended):
        owned.release()
    return seconds


def _aligned(nbytes: int) -> int:
    return -(-nbytes // 256) * 256

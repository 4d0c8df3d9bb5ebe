"""libjpeg-turbo against nvJPEG: from JPEG bytes to planes in the GPU's memory, one frame at a time."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import cycle

from vcam.bench.clip import Clip, scene_clip
from vcam.bench.gpu_room import GpuRoom, not_measured
from vcam.bench.report import Row, interleaved, row
from vcam.cuda.device import Device, DeviceBuffer
from vcam.decode.nvjpeg import NvJpegDecoder
from vcam.decode.nvjpeg_library import Backend
from vcam.decode.turbo import TurboDecoder
from vcam.errors import VcamError
from vcam.frame import EncodedFrame, Stamp
from vcam.stages import Decoder

_PICTURES = 12
_SHARE = 4
"""A quarter of the frames tells enough of each of five rivals."""

_GROUP = "decode, into the GPU's memory"


def run(room: GpuRoom) -> Iterator[Row]:
    """For each size, one row for libjpeg-turbo with its upload and one for each of nvJPEG's ways that works here."""
    for size in room.weight.sizes:
        clip = scene_clip(size, frames=_PICTURES)
        count = max(2, room.weight.frames // _SHARE)
        with ExitStack() as stack:
            calls: dict[str, Callable[[], object]] = {"libjpeg-turbo and upload": _Turbo(room, clip, stack).frame}
            for backend in Backend:
                name = f"nvJPEG, {backend.name.lower()}"
                try:
                    decoder = NvJpegDecoder(partial(Device, room.driver), load=room.load_nvjpeg, backend=backend)
                    call = _player(stack.enter_context(decoder), clip)
                    call()
                except VcamError as error:
                    yield not_measured(f"{size.height}p: {name}", _GROUP, error)
                    continue
                calls[name] = call
            for name, seconds in interleaved(calls, count=count).items():
                yield replace(row(f"{size.height}p: {name}", seconds), group=_GROUP)


def _player(decoder: Decoder, clip: Clip) -> Callable[[], object]:
    jpegs = cycle(clip.jpegs)
    return lambda: decoder.decode(EncodedFrame(next(jpegs), clip.format, Stamp(0, 0)))


class _Turbo:
    """libjpeg-turbo into page-locked memory, and from there to the GPU, waited for."""

    def __init__(self, room: GpuRoom, clip: Clip, stack: ExitStack) -> None:
        self._device = stack.enter_context(Device(room.driver))
        decoder = stack.enter_context(TurboDecoder(allocate=lambda count: self._device.pinned(count).array))
        self._clip, self._jpegs, self._decoder = clip, cycle(clip.jpegs), decoder
        self._buffer: DeviceBuffer | None = None

    def frame(self) -> None:
        image = self._decoder.decode(EncodedFrame(next(self._jpegs), self._clip.format, Stamp(0, 0)))
        nbytes = sum(plane.size for plane in image.planes)
        if self._buffer is None:
            self._buffer = self._device.buffer(nbytes)
        address = self._buffer.address
        with self._device.current():
            for plane in image.planes:
                self._device.upload_rows(address, plane.shape[1], plane, cuda_stream=self._device.cuda_stream)
                address += plane.size
            self._device.synchronize()

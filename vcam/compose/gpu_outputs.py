"""The pictures that leave the GPU, and the flag that says whether they may."""

from collections.abc import Sequence
from functools import partial

from vcam.compose.gpu_layout import ALIGNMENT, aligned, packed, picture_at
from vcam.cuda.device import Device
from vcam.cuda.kernels import DevicePicture
from vcam.frame import Image, Planes, Stamp, VideoFormat, frame_bytes, split_planes

TURNS = 2

_UNWRITTEN = 0xFF
_FLAG_BYTES = 4


class Outputs:
    """One picture per format among the targets, in one block that one copy brings to the host, a flag before them.

    The host has two blocks, for frames in turns. Before each frame its flag is spoilt, so that pictures the GPU has not
    brought cannot be taken for pictures of this frame.
    """

    def __init__(self, device: Device, targets: Sequence[VideoFormat]) -> None:
        self._device = device
        self._targets = tuple(packed(target) for target in targets)
        offsets: dict[VideoFormat, int] = {}
        size = ALIGNMENT
        for target in self._targets:
            if target not in offsets:
                offsets[target] = size
                size += aligned(frame_bytes(target))
        self._size = size
        block = device.buffer(size)
        self._hosts = tuple(device.pinned(size).array for _ in range(TURNS))
        self._flags = tuple(host[:_FLAG_BYTES] for host in self._hosts)
        self.flag = block.address
        """Of a uint32: 0 as long as the matte is finite."""
        self.pictures: dict[VideoFormat, DevicePicture] = {
            target: picture_at(block.address + offset, target) for target, offset in offsets.items()
        }
        self._planes: tuple[dict[VideoFormat, Planes], ...] = tuple(
            {target: split_planes(host[offset:], target) for target, offset in offsets.items()} for host in self._hosts
        )

    def spoil(self, turn: int) -> None:
        """Make the host's flag one that no frame can have."""
        self._flags[turn].fill(_UNWRITTEN)

    def clear(self, *, cuda_stream: int) -> None:
        """Queue setting the GPU's flag to 0."""
        self._device.fill(self.flag, 0, _FLAG_BYTES, cuda_stream=cuda_stream)

    def download(self, turn: int, *, cuda_stream: int) -> None:
        """Queue the copy of all pictures and the flag."""
        self._device.download(self._hosts[turn], self.flag, cuda_stream=cuda_stream)

    def verdict(self, turn: int) -> int:
        """The flag that came with the pictures of this turn."""
        return int.from_bytes(self._flags[turn].tobytes(), "little")

    def images(self, turn: int, stamp: Stamp) -> list[Image]:
        """One per target, in their order; borrowed until this turn comes again."""
        make = partial(Image, stamp=stamp)
        planes = self._planes[turn]
        return [make(planes[target], target) for target in self._targets]

"""Setting a device up and moving frames: format, rate, buffers, events."""

import errno
import mmap
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vcam.frame import Size
from vcam.v4l2.abi import (
    EVENT_CLIENT_USAGE,
    EVENT_SEND_INITIAL,
    IOC,
    PRIV_MAGIC,
    BufferFlag,
    BufType,
    Field,
    Memory,
    fourcc_code,
    fourcc_text,
    raw,
)
from vcam.v4l2.colour import ColourFields
from vcam.v4l2.kernel import Descriptor
from vcam.v4l2.queries import fraction

_RATE_DENOMINATOR = 1001
_NOT_SUPPORTED = (errno.ENOTTY, errno.EINVAL)
_NS_PER_S, _NS_PER_US = 1_000_000_000, 1000


@dataclass(frozen=True, slots=True)
class PixFormat:
    """A single-planar format as the driver has it now. stride, size: in bytes."""

    fourcc: str
    size: Size
    stride: int
    image_bytes: int
    colours: ColourFields


def get_format(device: Descriptor, kind: BufType) -> PixFormat:
    """Raises OSError."""
    answer = raw.v4l2_format(type=kind)
    device.ioctl(IOC.G_FMT, answer)
    return _pix_format(answer)


def set_format(
    device: Descriptor, kind: BufType, fourcc: str, size: Size, colours: ColourFields | None = None
) -> PixFormat:
    """Ask for a format; returns what the driver made of it. Raises OSError."""
    question = raw.v4l2_format(type=kind)
    pix = question.fmt.pix
    pix.width, pix.height, pix.pixelformat = size.width, size.height, fourcc_code(fourcc)
    pix.field, pix.priv = Field.NONE, PRIV_MAGIC
    if colours is not None:
        pix.colorspace, pix.m1.ycbcr_enc = colours.colorspace, colours.ycbcr_enc
        pix.quantization, pix.xfer_func = colours.quantization, colours.xfer_func
    device.ioctl(IOC.S_FMT, question)
    return _pix_format(question)


def set_interval(device: Descriptor, kind: BufType, interval_s: Fraction) -> Fraction | None:
    """Ask for seconds per frame; returns what the driver made of it, None where it has no say in it."""
    question = raw.v4l2_streamparm(type=kind)
    parm = question.parm.output if kind == BufType.VIDEO_OUTPUT else question.parm.capture
    bounded = interval_s.limit_denominator(_RATE_DENOMINATOR * 1000)
    parm.timeperframe.numerator, parm.timeperframe.denominator = bounded.numerator, bounded.denominator
    try:
        device.ioctl(IOC.S_PARM, question)
    except OSError as error:
        if error.errno in _NOT_SUPPORTED:
            return None
        raise
    return fraction(parm.timeperframe)


def subscribe_client_usage(device: Descriptor) -> bool:
    """Ask v4l2loopback to tell how many readers stream, before its format is set; False where it cannot."""
    question = raw.v4l2_event_subscription(type=EVENT_CLIENT_USAGE, flags=EVENT_SEND_INITIAL)
    try:
        device.ioctl(IOC.SUBSCRIBE_EVENT, question)
    except OSError as error:
        if error.errno in _NOT_SUPPORTED:
            return False
        raise
    return True


def announce_producer(device: Descriptor) -> None:
    """Make v4l2loopback 0.12 know us as its producer: without it a device with exclusive_caps that was written with
    write(2) takes no producer again once we are gone. Newer ones do it on the first write, and may refuse this."""
    with suppress(OSError):
        device.ioctl(IOC.STREAMON, raw.cuint(BufType.VIDEO_OUTPUT))


def next_client_usage(device: Descriptor) -> int | None:
    """The newest number of readers if it was told since the last call, else None. The driver's queue is one deep."""
    answer = raw.v4l2_event()
    try:
        device.ioctl(IOC.DQEVENT, answer)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EAGAIN):
            return None
        raise
    return int.from_bytes(bytes(answer.u)[:4], "little") if answer.type == EVENT_CLIENT_USAGE else None


@dataclass(frozen=True, slots=True)
class Filled:
    """A buffer that the driver gave back. pts_ns: None when the driver's clock is not CLOCK_MONOTONIC."""

    index: int
    used_bytes: int
    sequence: int
    pts_ns: int | None
    corrupt: bool


class CaptureBuffers:
    """The driver's buffers, mapped and queued; ``close`` gives them back. Raises OSError."""

    def __init__(self, device: Descriptor, count: int) -> None:
        self._device = device
        self._maps: list[mmap.mmap] = []
        with ExitStack() as stack:
            stack.callback(self.close)
            granted = self._request(count)
            if not granted:
                raise OSError(errno.ENOMEM, "the driver grants no buffer")
            # Drivers grant more or less than was asked for; only those granted exist.
            for index in range(granted):
                buffer = _buffer(index)
                device.ioctl(IOC.QUERYBUF, buffer)
                self._maps.append(device.mmap(int(buffer.length), int(buffer.m.offset)))
            for index in range(granted):
                self.queue(index)
            device.ioctl(IOC.STREAMON, raw.cuint(BufType.VIDEO_CAPTURE))
            stack.pop_all()

    def __len__(self) -> int:
        return len(self._maps)

    def close(self) -> None:
        """Stop, unmap, free. Harmless when called again, and on a camera that is gone."""
        maps, self._maps = self._maps, []
        with ExitStack() as stack:
            stack.callback(self._quietly, self._free)
            for memory in maps:
                stack.callback(memory.close)
            stack.callback(self._quietly, self._stop)

    def queue(self, index: int) -> None:
        """Hand a buffer to the driver."""
        self._device.ioctl(IOC.QBUF, _buffer(index))

    def dequeue(self) -> Filled | None:
        """The oldest buffer that is full; None when none is."""
        buffer = _buffer(0)
        try:
            self._device.ioctl(IOC.DQBUF, buffer)
        except BlockingIOError:
            return None
        flags = BufferFlag(buffer.flags)
        monotonic = flags & BufferFlag.TIMESTAMP_MASK == BufferFlag.TIMESTAMP_MONOTONIC
        pts_ns = int(buffer.timestamp.secs) * _NS_PER_S + int(buffer.timestamp.usecs) * _NS_PER_US
        return Filled(
            index=int(buffer.index),
            used_bytes=int(buffer.bytesused),
            sequence=int(buffer.sequence),
            pts_ns=pts_ns if monotonic else None,
            corrupt=BufferFlag.ERROR in flags,
        )

    def copy(self, filled: Filled) -> bytes:
        """What is in a buffer, owned by the caller."""
        memory = self._maps[filled.index]
        return memory[: min(filled.used_bytes, len(memory))]

    def _request(self, count: int) -> int:
        question = raw.v4l2_requestbuffers(count=count, type=BufType.VIDEO_CAPTURE, memory=Memory.MMAP)
        self._device.ioctl(IOC.REQBUFS, question)
        return int(question.count)

    def _stop(self) -> None:
        self._device.ioctl(IOC.STREAMOFF, raw.cuint(BufType.VIDEO_CAPTURE))

    def _free(self) -> None:
        self._request(0)

    def _quietly(self, action: Any) -> None:
        with suppress(OSError):
            action()


def _buffer(index: int) -> Any:
    return raw.v4l2_buffer(index=index, type=BufType.VIDEO_CAPTURE, memory=Memory.MMAP)


def _pix_format(answer: Any) -> PixFormat:
    pix = answer.fmt.pix
    extended = pix.priv == PRIV_MAGIC
    colours = ColourFields(
        colorspace=int(pix.colorspace),
        ycbcr_enc=int(pix.m1.ycbcr_enc) if extended else 0,
        quantization=int(pix.quantization) if extended else 0,
        xfer_func=int(pix.xfer_func) if extended else 0,
    )
    return PixFormat(
        fourcc_text(pix.pixelformat), Size(int(pix.width), int(pix.height)), int(pix.bytesperline),
        int(pix.sizeimage), colours,
    )  # fmt: skip

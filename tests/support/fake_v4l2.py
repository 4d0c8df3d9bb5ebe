"""A fake kernel with fake drivers, behind ``vcam.v4l2.kernel.Kernel``: what vcam asks, real structures answer."""

import errno
import mmap
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linuxpy.video import raw
from linuxpy.video.raw import IOC, BufferFlag, BufType, Capability, Frmivaltypes, Frmsizetypes

from vcam.v4l2.abi import CID_TIMEOUT_IMAGE_IO, EVENT_CLIENT_USAGE, PRIV_MAGIC, fourcc_code, fourcc_text
from vcam.v4l2.kernel import POLL_FAILED, POLL_READ, Argument

PAGE = 4096
NS = 1_000_000_000


def fail(code: int) -> OSError:
    """The OSError (of the right subclass) of a failed system call."""
    return OSError(code, errno.errorcode[code])


class FakeClock:
    """CLOCK_MONOTONIC that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * NS

    def __call__(self) -> int:
        return self.now_ns


class FakeDevice:
    """A node that answers ioctls by a table of methods. failures: what to raise, by request."""

    def __init__(self, driver: str, card: str, capabilities: int) -> None:
        self.identity = (driver.encode(), card.encode(), b"fake:1")
        self.capabilities = capabilities
        self.failures: dict[int, int] = {}
        self.requests: list[int] = []
        self.answers: dict[int, Callable[[Any], None]] = {IOC.QUERYCAP: self._querycap}

    def ioctl(self, request: int, argument: Any) -> None:
        self.requests.append(request)
        if request in self.failures:
            raise fail(self.failures[request])
        answer = self.answers.get(request)
        if answer is None:
            raise fail(errno.ENOTTY)
        answer(argument)

    def opened(self) -> None:
        """A descriptor was opened."""

    def closed(self) -> None:
        """A descriptor was closed."""

    def mmap(self, length: int, offset: int) -> mmap.mmap:
        raise fail(errno.EINVAL)

    def poll(self, events: int) -> int:
        return 0

    def write(self, data: bytes) -> int:
        raise fail(errno.EINVAL)

    def _querycap(self, answer: Any) -> None:
        answer.driver, answer.card, answer.bus_info = self.identity
        answer.capabilities = Capability.DEVICE_CAPS | 0x7FFFFFFF & ~Capability.VIDEO_OUTPUT
        answer.device_caps = self.capabilities


class FakeKernel:
    """Devices by path, and a count of what is open, to find leaks."""

    def __init__(self, **devices: FakeDevice) -> None:
        self.devices: dict[Path, FakeDevice] = {Path("/dev") / name: device for name, device in devices.items()}
        self.open_errors: dict[Path, int] = {}
        self.clock = FakeClock()
        self.open_fds: dict[int, FakeDevice] = {}
        self.maps: list[mmap.mmap] = []
        self._next_fd = 100

    @property
    def leaks(self) -> int:
        """Descriptors and maps that are still open."""
        return len(self.open_fds) + sum(not memory.closed for memory in self.maps)

    def open(self, path: Path) -> int:
        if path in self.open_errors:
            raise fail(self.open_errors[path])
        if path not in self.devices:
            raise fail(errno.ENOENT)
        self._next_fd += 1
        self.open_fds[self._next_fd] = self.devices[path]
        self.devices[path].opened()
        return self._next_fd

    def close(self, fd: int) -> None:
        self.open_fds.pop(fd).closed()

    def ioctl(self, fd: int, request: int, argument: Argument) -> None:
        self.open_fds[fd].ioctl(request, argument)

    def mmap(self, fd: int, length: int, offset: int) -> mmap.mmap:
        memory = self.open_fds[fd].mmap(length, offset)
        self.maps.append(memory)
        return memory

    def poll(self, fd: int, events: int, timeout_s: float) -> int:
        happened = self.open_fds[fd].poll(events)
        if not happened:
            self.clock.now_ns += round(timeout_s * NS)
            happened = self.open_fds[fd].poll(events)
        return happened

    def write(self, fd: int, data: memoryview) -> int:
        return self.open_fds[fd].write(bytes(data))


@dataclass
class FakeFrame:
    """What the camera captures next. pts_ns: of the driver; its clock is ``timestamp``."""

    data: bytes
    pts_ns: int = 0
    sequence: int = 0
    flags: int = 0
    timestamp: int = int(BufferFlag.TIMESTAMP_MONOTONIC)


FakeMode = tuple[str, tuple[int, int], tuple[int, ...]]
"""fourcc, (width, height), frames per second."""


@dataclass
class PixExtra:
    """What the driver reports besides size and fourcc. granted: buffers, whatever is asked for (0: as asked)."""

    stride: int = 0
    colorspace: int = int(raw.Colorspace.SRGB)
    ycbcr_enc: int = 0
    quantization: int = 0
    granted: int = 0
    forced_fourcc: str | None = None
    sizes_by_range: tuple[int, ...] = ()


class FakeCamera(FakeDevice):
    """A webcam: discrete modes, memory-mapped buffers. ``capture`` fills buffers, ``unplug`` tears it out."""

    def __init__(self, *modes: FakeMode, extra: PixExtra | None = None) -> None:
        super().__init__("uvcvideo", "Fake Webcam", Capability.VIDEO_CAPTURE | Capability.STREAMING)
        self.modes = modes
        self.extra = extra or PixExtra()
        self.maps: list[mmap.mmap] = []
        self.queued: deque[int] = deque()
        self.done: deque[tuple[int, FakeFrame]] = deque()
        self.lost = 0
        self.streaming = False
        self.gone = False
        self.refused: dict[tuple[str, int, int], tuple[int, int]] = {}
        """The request that fails in a mode, and how."""
        self.format = (0, 0, 0)
        self.interval = (1, 30)
        self.on_poll: Callable[[], None] | None = None
        self.answers |= {
            IOC.ENUM_FMT: self._enum_fmt, IOC.ENUM_FRAMESIZES: self._enum_sizes,
            IOC.ENUM_FRAMEINTERVALS: self._enum_intervals, IOC.S_FMT: self._s_fmt, IOC.S_PARM: self._s_parm,
            IOC.REQBUFS: self._reqbufs, IOC.QUERYBUF: self._querybuf, IOC.QBUF: self._qbuf, IOC.DQBUF: self._dqbuf,
            IOC.STREAMON: self._stream_on, IOC.STREAMOFF: self._stream_off,
        }  # fmt: skip

    def capture(self, frame: FakeFrame) -> None:
        """Put a frame into the next queued buffer; lost where there is none, as in a real driver."""
        if not self.queued or not self.streaming:
            self.lost += 1
            return
        index = self.queued.popleft()
        self.maps[index][: len(frame.data)] = frame.data
        self.done.append((index, frame))

    def unplug(self) -> None:
        self.gone = True

    def ioctl(self, request: int, argument: Any) -> None:
        if self.gone:
            raise fail(errno.ENODEV)
        super().ioctl(request, argument)

    def mmap(self, length: int, offset: int) -> mmap.mmap:
        memory = mmap.mmap(-1, length)
        assert offset == len(self.maps) * PAGE
        self.maps.append(memory)
        return memory

    def poll(self, events: int) -> int:
        if self.on_poll is not None:
            self.on_poll()
        if self.gone:
            return POLL_FAILED
        return events & POLL_READ if self.done else 0

    def closed(self) -> None:
        self.streaming = False

    def _fourccs(self) -> list[str]:
        return list(dict.fromkeys(mode[0] for mode in self.modes))

    def _enum_fmt(self, answer: Any) -> None:
        assert answer.type == BufType.VIDEO_CAPTURE
        answer.pixelformat = fourcc_code(_at(self._fourccs(), answer.index))

    def _enum_sizes(self, answer: Any) -> None:
        if self.extra.sizes_by_range:
            _at([0], answer.index)
            answer.type = Frmsizetypes.STEPWISE
            low_w, high_w, step_w, low_h, high_h, step_h = self.extra.sizes_by_range
            step = answer.stepwise
            step.min_width, step.max_width, step.step_width = low_w, high_w, step_w
            step.min_height, step.max_height, step.step_height = low_h, high_h, step_h
            return
        sizes = [size for fourcc, size, _ in self.modes if fourcc_code(fourcc) == answer.pixel_format]
        answer.discrete.width, answer.discrete.height = _at(sizes, answer.index)
        answer.type = Frmsizetypes.DISCRETE

    def _enum_intervals(self, answer: Any) -> None:
        wanted = (answer.pixel_format, (answer.width, answer.height))
        rates = [rate for fourcc, size, fps in self.modes if (fourcc_code(fourcc), size) == wanted for rate in fps]
        answer.type = Frmivaltypes.DISCRETE
        answer.discrete.numerator, answer.discrete.denominator = 1, _at(rates, answer.index)

    def _s_fmt(self, argument: Any) -> None:
        assert argument.type == BufType.VIDEO_CAPTURE
        pix, extra = argument.fmt.pix, self.extra
        if extra.forced_fourcc:
            pix.pixelformat = fourcc_code(extra.forced_fourcc)
        compressed = pix.pixelformat == fourcc_code("MJPG")
        pix.bytesperline = 0 if compressed else extra.stride or pix.width * 2
        pix.sizeimage = (pix.bytesperline or pix.width * 2) * pix.height * 2
        pix.colorspace, pix.m1.ycbcr_enc, pix.quantization = extra.colorspace, extra.ycbcr_enc, extra.quantization
        assert pix.priv == PRIV_MAGIC
        self.format = (pix.pixelformat, pix.width, pix.height)
        self.image_bytes = int(pix.sizeimage)
        self._refuse(IOC.S_FMT)

    def _refuse(self, request: int) -> None:
        code, width, height = self.format
        refused, error = self.refused.get((fourcc_text(code), width, height), (None, 0))
        if refused == request:
            raise fail(error)

    def _s_parm(self, argument: Any) -> None:
        period = argument.parm.capture.timeperframe
        self.interval = (period.numerator, period.denominator)

    def _reqbufs(self, argument: Any) -> None:
        if self.streaming:
            raise fail(errno.EBUSY)
        if argument.count and self.extra.granted:
            argument.count = self.extra.granted
        self.granted = argument.count
        self.maps.clear()
        self.queued.clear()
        self.done.clear()

    def _querybuf(self, argument: Any) -> None:
        if argument.index >= self.granted:
            raise fail(errno.EINVAL)
        argument.length, argument.m.offset = self.image_bytes, argument.index * PAGE

    def _qbuf(self, argument: Any) -> None:
        if argument.index >= self.granted or argument.index in self.queued:
            raise fail(errno.EINVAL)
        self.queued.append(argument.index)

    def _dqbuf(self, argument: Any) -> None:
        if not self.done:
            raise fail(errno.EAGAIN)
        argument.index, frame = self.done.popleft()
        argument.bytesused, argument.sequence = len(frame.data), frame.sequence
        argument.flags = frame.flags | frame.timestamp
        argument.timestamp.secs, rest_ns = divmod(frame.pts_ns, NS)
        argument.timestamp.usecs = rest_ns // 1000

    def _stream_on(self, argument: Any) -> None:
        assert argument.value == BufType.VIDEO_CAPTURE
        self._refuse(IOC.STREAMON)
        self.streaming = True

    def _stream_off(self, argument: Any) -> None:
        self.streaming = False


class KeptMemory(mmap.mmap):
    """What was in it when it was unmapped stays in ``kept``."""

    kept = b""

    def close(self) -> None:
        if not self.closed:
            self.kept = self[:]
        super().close()


@dataclass
class Loopback:
    """How the fake v4l2loopback behaves. stride: its bytes per line (0: packed); forced: (width, height, fourcc)."""

    tells_readers: bool = True
    readers: int = 0
    stride: int = 0
    forced: tuple[int, int, str] | None = None
    most_bytes: int | None = None
    busy_writes: int = 0
    capture_only: bool = False
    needs_announcement: bool = False
    another_is_quicker: bool = False
    owned_buffers: bool = False
    colours: list[tuple[int, int, int, int]] = field(default_factory=list)


class FakeLoopback(FakeDevice):
    """v4l2loopback: keeps what is written in ``frames``; ``readers`` is told by its event."""

    def __init__(self, behaviour: Loopback | None = None, driver: str = "v4l2 loopback") -> None:
        self.behaviour = behaviour or Loopback()
        side = Capability.VIDEO_CAPTURE if self.behaviour.capture_only else Capability.VIDEO_OUTPUT
        super().__init__(driver, "AI-Camera", side | Capability.STREAMING | Capability.READWRITE)
        self.frames: list[bytes] = []
        self.format: tuple[str, int, int] | None = None
        self.events: deque[int] = deque(maxlen=1)
        self.subscribed = False
        self.formats_set = 0
        self.announced = False
        self.controls: dict[int, int] = {}
        self.silence: KeptMemory | None = None
        self.next_is_for_silence = self.image_io = False
        self.requested = self.streaming = False
        self.maps: list[mmap.mmap] = []
        self.stamps_ns: list[int] = []
        self.answers |= {
            IOC.S_FMT: self._s_fmt, IOC.G_FMT: self._g_fmt, IOC.S_PARM: self._s_parm,
            IOC.SUBSCRIBE_EVENT: self._subscribe, IOC.DQEVENT: self._dqevent, IOC.STREAMON: self._stream_on,
            IOC.S_CTRL: self._s_ctrl, IOC.REQBUFS: self._reqbufs, IOC.QUERYBUF: self._querybuf,
            IOC.QBUF: self._qbuf, IOC.DQBUF: self._dqbuf, IOC.STREAMOFF: self._stream_off,
        }  # fmt: skip

    def readers(self, count: int) -> None:
        """Readers came or went."""
        self.events.append(count)

    def write(self, data: bytes) -> int:
        if self.behaviour.busy_writes:
            self.behaviour.busy_writes -= 1
            raise fail(errno.EAGAIN)
        if IOC.QBUF in self.failures:
            raise fail(self.failures[IOC.QBUF])
        return self._take(data)

    def _take(self, data: bytes) -> int:
        taken = data if self.behaviour.most_bytes is None else data[: self.behaviour.most_bytes]
        self.frames.append(taken)
        return len(taken)

    def _s_fmt(self, argument: Any) -> None:
        assert argument.type == BufType.VIDEO_OUTPUT
        self.formats_set += 1
        pix = argument.fmt.pix
        if self.behaviour.forced:
            pix.width, pix.height = self.behaviour.forced[:2]
            pix.pixelformat = fourcc_code(self.behaviour.forced[2])
        assert pix.priv == PRIV_MAGIC
        per_pixel = {"YUYV": 2, "RGB3": 3}.get(pix.pixelformat.to_bytes(4, "little").decode(), 1)
        pix.bytesperline = self.behaviour.stride or pix.width * per_pixel
        pix.sizeimage = pix.bytesperline * pix.height * 2
        self.image_bytes = int(pix.sizeimage)
        self.behaviour.colours.append((pix.colorspace, pix.m1.ycbcr_enc, pix.quantization, pix.xfer_func))
        self.format = (pix.pixelformat.to_bytes(4, "little").decode(), pix.width, pix.height)

    def opened(self) -> None:
        mine = self.image_io and not self.behaviour.another_is_quicker
        self.next_is_for_silence, self.image_io, self.requested = mine, False, False

    def mmap(self, length: int, offset: int) -> mmap.mmap:
        if not self.next_is_for_silence:
            self.maps.append(mmap.mmap(-1, length))
            return self.maps[-1]
        self.silence = KeptMemory(-1, length)
        return self.silence

    def _s_ctrl(self, argument: Any) -> None:
        assert self.format is not None, "the picture's size is not known yet"
        if self.controls.get(argument.id) != argument.value:
            self.controls[argument.id] = argument.value
            self.image_io = bool(argument.value) if argument.id == CID_TIMEOUT_IMAGE_IO else self.image_io

    def _reqbufs(self, argument: Any) -> None:
        assert argument.type == BufType.VIDEO_OUTPUT
        assert self.next_is_for_silence or self.behaviour.owned_buffers, "a reader's buffers would be taken away"
        self.requested = True
        argument.count = min(argument.count, 2)

    def _querybuf(self, argument: Any) -> None:
        if self.behaviour.owned_buffers and not self.requested:
            raise fail(errno.EINVAL)
        argument.length, argument.m.offset = self.image_bytes, PAGE * (argument.index + 8 * self.next_is_for_silence)

    def _qbuf(self, argument: Any) -> None:
        assert self.streaming
        stamp = argument.timestamp
        self.stamps_ns.append(int(stamp.secs) * NS + int(stamp.usecs) * 1000)
        self._take(self.maps[argument.index][: argument.bytesused])

    def _dqbuf(self, argument: Any) -> None:
        argument.index = len(self.stamps_ns) % len(self.maps)

    def _stream_off(self, argument: Any) -> None:
        self.streaming = False

    def _stream_on(self, argument: Any) -> None:
        assert argument.value == BufType.VIDEO_OUTPUT
        if not self.behaviour.needs_announcement and not self.behaviour.owned_buffers:
            raise fail(errno.EINVAL)
        self.announced = self.streaming = True

    def closed(self) -> None:
        """v4l2loopback 0.12 with exclusive_caps forgets that it is an output, unless its producer made itself known."""
        if self.next_is_for_silence:
            self.next_is_for_silence = self.requested = False
            return
        if self.behaviour.needs_announcement and self.frames and not self.announced:
            self.capabilities = Capability.VIDEO_CAPTURE
        self.announced = False

    def _g_fmt(self, argument: Any) -> None:
        if self.format is None or argument.type != BufType.VIDEO_OUTPUT:
            raise fail(errno.EINVAL)
        pix = argument.fmt.pix
        pix.pixelformat = fourcc_code(self.format[0])
        pix.width, pix.height = self.format[1:]

    def _s_parm(self, argument: Any) -> None:
        period = argument.parm.output.timeperframe
        self.interval = (period.numerator, period.denominator)

    def _subscribe(self, argument: Any) -> None:
        if not self.behaviour.tells_readers or argument.type != EVENT_CLIENT_USAGE:
            raise fail(errno.EINVAL)
        self.subscribed = True
        if argument.flags & 1:
            self.events.append(self.behaviour.readers)

    def _dqevent(self, argument: Any) -> None:
        if not self.events:
            raise fail(errno.ENOENT)
        argument.type = EVENT_CLIENT_USAGE
        argument.u.data = self.events.popleft().to_bytes(4, "little")


def _at(items: list[Any], index: int) -> Any:
    if index >= len(items):
        raise fail(errno.EINVAL)
    return items[index]

"""A virtual camera as a sink: a V4L2 output device of v4l2loopback or akvcam."""

import errno
import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vcam.color import black
from vcam.errors import SinkError, SinkUnusableError
from vcam.frame import Image, Stamp, VideoFormat, plane_shapes
from vcam.sinks.packing import Packer
from vcam.v4l2.holders import Users
from vcam.v4l2.kernel import POLL_WRITE, Descriptor, Kernel, LinuxKernel

if TYPE_CHECKING:
    from vcam.v4l2.output import OutputBuffers
    from vcam.v4l2.readers import Readers
    from vcam.v4l2.streaming import PixFormat

log = logging.getLogger(__name__)

MODPROBE = "sudo modprobe v4l2loopback exclusive_caps=1 card_label=AI-Camera video_nr={number}"
_DEFAULT_NUMBER = "10"
_RATE_DENOMINATOR = 1001
_LOOPBACK = "loopback"
_NS_PER_US = 1000
_OLDEST_NS = 1_000_000_000
"""An older stamp is none of our clock: files and scenes have a time line of their own."""
_SILENCE_S, _SILENT_FRAMES = 2.0, 5
"""Readers see black after so long without a frame: vcam writes one at each interval, be it the card."""


@dataclass(slots=True)
class _Open:
    """What is there while the sink is open. buffers: None where write(2) is used; readers: None where nothing is known
    of them."""

    device: Descriptor
    packer: Packer
    buffers: "OutputBuffers | None"
    readers: "Readers | None"


class V4l2Sink:
    """One descriptor and one format for life.

    Mapped buffers where that harms no reader (v4l2loopback from 0.14 on): readers get the time at which a frame was
    taken. Else write(2), and the driver's time of writing. clock_ns: CLOCK_MONOTONIC.
    """

    def __init__(
        self,
        path: Path,
        fmt: VideoFormat,
        fps: float,
        *,
        kernel: Kernel | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sysfs: Path = Path("/sys"),
    ) -> None:
        self._path = path
        self._format = replace(fmt, stride=0)
        self._fps = fps
        self._kernel = kernel or LinuxKernel()
        self._clock_ns = clock_ns
        self._sysfs = sysfs
        self._last_pts_ns = 0
        self._users = Users(path)
        self._stack = ExitStack()
        self._opened: _Open | None = None

    def __enter__(self) -> Self:
        """Open the device and set its format, with its colours. Raises SinkError, SinkUnusableError."""
        with ExitStack() as stack:
            try:
                device = Descriptor(self._kernel, self._path)
                stack.callback(device.close)
                self._opened = self._start(device, stack)
            except OSError as error:
                raise self._translated(error) from error
            self._stack = stack.pop_all()
        self._users.forget()
        facts: dict[str, str | bool] = {"format": self._format.pixel_format.value}
        facts |= {"sink": self.name, "size": str(self._format.size)}
        facts |= {"knows_readers": self._opened.readers is not None, "keeps_stamps": self._opened.buffers is not None}
        log.info("sink.opened", extra=facts)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._opened = None
        self._stack.close()

    @property
    def name(self) -> str:
        return str(self._path)

    @property
    def format(self) -> VideoFormat:
        return self._format

    def write(self, image: Image) -> None:
        """Hand one frame to the driver, which copies it. Raises SinkError."""
        if self._opened is None:
            raise RuntimeError("V4l2Sink is used outside its with block")
        if (image.format.pixel_format, image.format.size) != (self._format.pixel_format, self._format.size):
            raise ValueError(f"{self.name} takes {self._format}, not {image.format}")
        data = self._opened.packer.pack(image)
        try:
            if self._opened.buffers is not None:
                taken = self._opened.buffers.write(data, self._taken_at_ns(image.stamp))
            else:
                taken = self._write_patiently(self._opened.device, data)
        except OSError as error:
            raise self._translated(error) from error
        if taken != data.nbytes:
            raise SinkError(
                f"{self.name} took {taken} of {data.nbytes} bytes",
                hint=f"Close the programs that read it (`fuser -v {self.name}`), then start `vcam run` again.",
                device=self.name,
            )

    def consumers(self) -> int | None:
        """How many applications read it, see vcam.v4l2.readers; None where that cannot be known."""
        if self._opened is None or self._opened.readers is None:
            return None
        try:
            return self._opened.readers.count()
        except OSError as error:
            raise self._translated(error) from error

    def _start(self, device: Descriptor, stack: ExitStack) -> _Open:
        from vcam.v4l2 import queries, streaming
        from vcam.v4l2.abi import BufType, Capability
        from vcam.v4l2.colour import declared
        from vcam.v4l2.readers import ToldReaders, openers

        identity = queries.identify(device)
        if Capability.VIDEO_OUTPUT not in identity.capabilities:
            raise self._no_output(identity.card, identity.driver)
        # v4l2loopback tells its readers only to who subscribed before the format was set.
        told = None
        if streaming.subscribe_client_usage(device):
            told = streaming.next_client_usage(device) or 0
        fmt = self._format
        given = streaming.set_format(device, BufType.VIDEO_OUTPUT, fmt.pixel_format.value, fmt.size, declared(fmt))
        loopback = _LOOPBACK in identity.driver
        self._check(given, pinned=bool(told) or (told is None and loopback))
        interval_s = Fraction(1 / self._fps).limit_denominator(_RATE_DENOMINATOR * 100)
        if streaming.set_interval(device, BufType.VIDEO_OUTPUT, interval_s) is None:
            log.info("sink.no_rate", extra={"sink": self.name})
        packer = Packer(replace(fmt, stride=given.stride))
        buffers = None
        if loopback:
            self._cover_silence(device, packer)
            buffers = self._buffers(device, stack)
        if told is not None:
            return _Open(device, packer, buffers, ToldReaders(device, told))
        if not loopback:
            return _Open(device, packer, buffers, None)
        streaming.announce_producer(device)
        return _Open(device, packer, buffers, openers(self._sysfs, self._clock_ns))

    def _buffers(self, device: Descriptor, stack: ExitStack) -> "OutputBuffers | None":
        from vcam.v4l2 import output

        if not output.owns_buffers(device):
            return None
        buffers = output.OutputBuffers(device)
        stack.callback(buffers.close)
        return buffers

    def _taken_at_ns(self, stamp: Stamp) -> int:
        """When the light fell on the sensor, if the source keeps our clock's time; else now. It never goes back."""
        now_ns = self._clock_ns()
        taken_ns = stamp.pts_ns if 0 <= now_ns - stamp.pts_ns < _OLDEST_NS else now_ns
        self._last_pts_ns = max(taken_ns, self._last_pts_ns + _NS_PER_US)
        return self._last_pts_ns

    def _cover_silence(self, device: Descriptor, packer: Packer) -> None:
        """Should this process die or hang, its readers see black, and not the last frame for ever."""
        from vcam.v4l2.silence import cover_silence

        picture = packer.pack(Image(black(self._format), self._format, Stamp(0, 0)))
        try:
            cover_silence(self._kernel, device, picture, max(_SILENCE_S, _SILENT_FRAMES / self._fps))
        except OSError as error:
            log.info("sink.silence_uncovered", extra={"sink": self.name, "problem": error.strerror or str(error)})

    def _check(self, given: "PixFormat", *, pinned: bool) -> None:
        wanted = self._format
        row_bytes = plane_shapes(wanted)[0][1]
        if (given.fourcc, given.size) != (wanted.pixel_format.value, wanted.size):
            # A reader of v4l2loopback pins the format until it goes; else the driver is of its opinion for good.
            raise (SinkError if pinned else SinkUnusableError)(
                f"{self.name} gives {given.fourcc} {given.size} instead of {wanted.pixel_format} {wanted.size}",
                hint=f"Close the programs that read it (`fuser -v {self.name}`), or write "
                f"--output {self.name},size={given.size},format={given.fourcc}.",
                device=self.name,
            )
        if 0 < given.stride < row_bytes:
            raise SinkUnusableError(
                f"{self.name} has lines of {given.stride} bytes, {wanted.pixel_format} {wanted.size} needs {row_bytes}",
                hint=f"Choose an even width: --output {self.name},size={wanted.width // 2 * 2}x{wanted.height}.",
                device=self.name,
            )

    def _write_patiently(self, device: Descriptor, data: memoryview) -> int:
        """A full driver gets one frame's time to make room."""
        try:
            return device.write(data)
        except BlockingIOError:
            device.poll(POLL_WRITE, 1.0 / self._fps)
            return device.write(data)

    def _no_output(self, card: str, driver: str) -> SinkError:
        if _LOOPBACK in driver:
            return SinkError(
                f"{self.name} ({card}) has another producer",
                hint=f"Stop it; `fuser -v {self.name}` names it. If nothing does, load the module again: "
                "`sudo modprobe -r v4l2loopback`, then `sudo modprobe v4l2loopback`.",
                device=self.name,
            )
        return SinkUnusableError(
            f"{self.name} ({card}) is a camera, not an output",
            hint="Write --output with a virtual camera that `vcam devices` lists; to make one: "
            f"`{MODPROBE.format(number=_DEFAULT_NUMBER)}`.",
            device=self.name,
        )

    def _translated(self, error: OSError) -> SinkError:
        """What an operator can do about a failed system call."""
        code, name = error.errno, self.name
        if code != errno.EBUSY:
            self._users.forget()
        if code in (errno.ENOENT, errno.ENXIO, errno.ENODEV):
            number = name.removeprefix("/dev/video")
            modprobe = MODPROBE.format(number=number if number.isdigit() else _DEFAULT_NUMBER)
            return SinkError(f"there is no {name}", hint=f"Make it: `{modprobe}`.", device=name)
        if code in (errno.EACCES, errno.EPERM):
            hint = "Run `sudo usermod -aG video $USER` and log in again; in a container, pass the device and its group."
            return SinkError(f"no permission to open {name}", hint=hint, device=name)
        if code == errno.EBUSY:
            others = self._users.names()
            hint = f"One producer at a time: close it; `fuser -v {name}` names it."
            return SinkError(f"{name} is in use by {others}", hint=hint, users=others)
        if code in (errno.ENOTTY, errno.EISDIR):
            hint = f"Write --output file:{name} to record into a file, or see `vcam devices`."
            return SinkUnusableError(f"{name} is no video device", hint=hint, device=name)
        if code == errno.EAGAIN:
            return SinkError(f"{name} takes no frames", hint=f"Close its readers, `fuser -v {name}`.", device=name)
        hint = "See `sudo dmesg | tail` for what the driver says."
        return SinkError(f"{name}: {error.strerror or error}", hint=hint, device=name)

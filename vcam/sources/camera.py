"""A V4L2 camera as a source: memory-mapped streaming, the newest frame wins."""

import errno
import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from vcam.errors import DeviceError, FormatRejectedError
from vcam.frame import EncodedFrame, PixelFormat, Size, Stamp, VideoFormat, plane_shapes
from vcam.sources.camera_errors import GONE, explained
from vcam.stages import Losses
from vcam.v4l2.holders import Users
from vcam.v4l2.kernel import POLL_FAILED, POLL_READ, Descriptor, Kernel, LinuxKernel
from vcam.v4l2.modes import READABLE, Mode, choose_mode
from vcam.v4l2.wanted_controls import WantedControls

if TYPE_CHECKING:
    from vcam.v4l2.streaming import CaptureBuffers, Filled, PixFormat

log = logging.getLogger(__name__)

_NS_PER_S = 1_000_000_000
_REFUSALS = (errno.EINVAL, errno.EIO, errno.EPIPE, errno.ENOSPC)
"""Another mode may do: a camera lists one that it does not have, or its USB bus has no room for that much (ENOSPC)."""

_SETTLE_S = 0.2
"""How long a camera that went away stays open. Linux tells its users first and takes its media device apart after that;
a thread that closes it meanwhile may be killed (NULL in __media_device_unregister_entity: 1 of some 350 unplugs)."""


@dataclass(frozen=True, slots=True)
class WantedMode:
    """What to ask a camera for; it gives its nearest. controls: set each time that it is opened."""

    size: Size
    fps: float
    controls: WantedControls = field(default_factory=WantedControls)


class CameraSource:
    """Reads MJPG, YUYV, NV12 or YU12. Each frame is copied before its buffer goes back to the driver.

    buffers: how many to ask for; the driver may grant another number. clock_ns: CLOCK_MONOTONIC. users: shared by those
    that are made for one camera in turn.
    """

    def __init__(
        self,
        path: Path,
        wanted: WantedMode,
        *,
        buffers: int = 3,
        kernel: Kernel | None = None,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        users: Users | None = None,
    ) -> None:
        self._path = path
        self._users = users or Users(path)
        self._wanted = wanted
        self._buffer_count = buffers
        self._kernel = kernel or LinuxKernel()
        self._clock_ns = clock_ns
        self._stack = ExitStack()
        self._stream: _Stream | None = None
        self._losses = Losses()

    def __enter__(self) -> Self:
        """Open, choose a mode, stream. Raises DeviceError, FormatRejectedError."""
        with ExitStack() as stack:
            try:
                device = Descriptor(self._kernel, self._path)
                stack.callback(device.close)
                self._stream = self._start(device, stack)
                self._restore(device)
            except OSError as error:
                raise self._failed(error, stack) from error
            self._stack = stack.pop_all()
        self._users.forget()
        fmt = self._stream.format
        facts = {"device": str(self._path), "format": fmt.pixel_format.value, "size": str(fmt.size)}
        log.info("camera.opened", extra={**facts, "fps": round(1.0 / self._stream.interval_s, 2)})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self._stream = None
        self._stack.close()

    @property
    def format(self) -> VideoFormat:
        return self._open_stream().format

    @property
    def frame_interval_s(self) -> float:
        return self._open_stream().interval_s

    @property
    def losses(self) -> Losses:
        return self._losses

    def read(self, timeout_s: float) -> EncodedFrame:
        """The newest frame. Raises DeviceError when none comes in time, or the camera goes away."""
        stream = self._open_stream()
        deadline_ns = self._clock_ns() + round(timeout_s * _NS_PER_S)
        try:
            while True:
                frame = self._newest(stream)
                if frame is not None:
                    return frame
                self._await(stream, (deadline_ns - self._clock_ns()) / _NS_PER_S, timeout_s)
        except OSError as error:
            raise self._failed(error, self._stack) from error

    def _failed(self, error: OSError, device: ExitStack) -> DeviceError:
        """What to raise. A camera that went away is no longer closed by ``device``, but later."""
        if error.errno in GONE:
            _close_later(device.pop_all())
        return explained(self._path, error, self._users)

    def _open_stream(self) -> "_Stream":
        if self._stream is None:
            raise RuntimeError("CameraSource is used outside its with block")
        return self._stream

    def _await(self, stream: "_Stream", left_s: float, timeout_s: float) -> None:
        events = stream.device.poll(POLL_READ, left_s) if left_s > 0 else 0
        if events & POLL_READ:
            return
        if events & POLL_FAILED:
            raise OSError(errno.ENODEV, "the stream has failed")
        raise DeviceError(
            f"{self._path} gave no frame for {timeout_s:g} s",
            hint="Plug the camera in again, or try another USB port; `vcam devices` shows what is there.",
            device=str(self._path),
        )

    def _newest(self, stream: "_Stream") -> EncodedFrame | None:
        """Take all that is ready, hand back all but the newest good frame, copy that."""
        newest: Filled | None = None
        stale = bad = 0
        for _ in range(len(stream.buffers)):
            filled = stream.buffers.dequeue()
            if filled is None:
                break
            if filled.corrupt or not filled.used_bytes:
                bad += 1
                stream.buffers.queue(filled.index)
                continue
            if newest is not None:
                stale += 1
                stream.buffers.queue(newest.index)
            newest = filled
        self._losses = Losses(self._losses.stale + stale, self._losses.corrupt + bad)
        if newest is None:
            return None
        data = stream.buffers.copy(newest)
        stream.buffers.queue(newest.index)
        return EncodedFrame(data, stream.format, Stamp(stream.clock.pts_ns(newest.pts_ns), newest.sequence))

    def _start(self, device: Descriptor, stack: ExitStack) -> "_Stream":
        """Stream in the best mode that the camera accepts. Raises OSError, DeviceError."""
        offered = self._offered(device)
        while True:
            mode = choose_mode(offered, self._wanted.size, self._wanted.fps)
            try:
                return self._stream_in(mode, device, stack)
            except OSError as error:
                if error.errno not in _REFUSALS:
                    raise
                offered.remove(mode)
                reason = error.strerror or str(error)
            log.info("camera.mode_refused", extra={"device": str(self._path), "mode": str(mode), "problem": reason})
            if not any(each.fourcc in READABLE for each in offered):
                raise DeviceError(
                    f"{self._path} refuses every mode ({reason})",
                    hint="Plug it into another USB port, without a hub; `sudo dmesg | tail` has what the driver says.",
                    device=str(self._path),
                )

    def _stream_in(self, mode: Mode, device: Descriptor, stack: ExitStack) -> "_Stream":
        # linuxpy's tables take a moment to load: only a process that opens a camera pays for them.
        from vcam.v4l2 import streaming
        from vcam.v4l2.abi import BufType

        pix = streaming.set_format(device, BufType.VIDEO_CAPTURE, mode.fourcc, mode.size)
        fmt = _video_format(self._path, pix)
        wanted_s = mode.interval_s or Fraction(1 / self._wanted.fps).limit_denominator(100_000)
        interval_s = streaming.set_interval(device, BufType.VIDEO_CAPTURE, wanted_s) or wanted_s
        buffers = streaming.CaptureBuffers(device, self._buffer_count)
        stack.callback(buffers.close)
        return _Stream(device, buffers, fmt, float(interval_s), _StampClock(self._clock_ns))

    def _restore(self, device: Descriptor) -> None:
        """What was set on this camera since vcam began. Raises OSError when it is gone."""
        from vcam.v4l2 import controls, queries

        if wanted := self._wanted.controls.of(queries.identify(device).card):
            controls.restore(device, wanted)

    def _offered(self, device: Descriptor) -> list[Mode]:
        from vcam.v4l2 import queries
        from vcam.v4l2.abi import Capability

        identity = queries.identify(device)
        if Capability.VIDEO_CAPTURE not in identity.capabilities or Capability.STREAMING not in identity.capabilities:
            raise DeviceError(
                f"{self._path} ({identity.card}) is no camera that vcam can read",
                hint="See `vcam devices` for the cameras; a virtual camera needs a running producer first.",
                device=str(self._path),
            )
        offered = queries.formats(device)
        readable = [fourcc for fourcc in offered if fourcc in READABLE]
        size, fps = self._wanted.size, self._wanted.fps
        unreadable = [Mode(fourcc, size, None) for fourcc in offered if fourcc not in READABLE]
        # A driver that lists no sizes takes any, or the one it has.
        found = queries.modes(device, readable, size, fps) or [Mode(fourcc, size, None) for fourcc in readable]
        return [*found, *unreadable]


@dataclass(frozen=True, slots=True)
class _Stream:
    """What is there while the source is open."""

    device: Descriptor
    buffers: "CaptureBuffers"
    format: VideoFormat
    interval_s: float
    clock: "_StampClock"


class _StampClock:
    """Drivers' stamps where they make sense: on our clock, not in the future, never back."""

    def __init__(self, clock_ns: Callable[[], int]) -> None:
        self._clock_ns = clock_ns
        self._last_ns = -1

    def pts_ns(self, driver_ns: int | None) -> int:
        now_ns = self._clock_ns()
        wanted_ns = now_ns if driver_ns is None else min(driver_ns, now_ns)
        self._last_ns = max(wanted_ns, self._last_ns + 1)
        return self._last_ns


def _video_format(path: Path, pix: "PixFormat") -> VideoFormat:
    from vcam.v4l2.colour import range_and_matrix

    pixel_format = READABLE.get(pix.fourcc)
    if pixel_format is None:
        raise FormatRejectedError(
            f"{path} insists on {pix.fourcc}, which vcam cannot read",
            hint="Close other programs that use the camera, or choose another, see `vcam devices`.",
            device=str(path),
        )
    range_, matrix = range_and_matrix(pixel_format, pix.colours)
    fmt = VideoFormat(pixel_format, pix.size.width, pix.size.height, range=range_, matrix=matrix)
    if pixel_format is PixelFormat.MJPG or pix.stride in (0, plane_shapes(fmt)[0][1]):
        return fmt
    return VideoFormat(pixel_format, pix.size.width, pix.size.height, pix.stride, range_, matrix)


def _close_later(device: ExitStack) -> None:
    """Close a camera that went away. In a thread of its own: whoever reads the next one must not be the one killed."""
    closing = threading.Timer(_SETTLE_S, device.close)
    closing.name = "vcam-capture-close"
    closing.daemon = True
    closing.start()

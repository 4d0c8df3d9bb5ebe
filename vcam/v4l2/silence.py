"""What readers of v4l2loopback get when its producer says nothing, having died or hung: a picture of our choice.

Without it they keep the last frame on their screens, for as long as they live. It is a matter of the device, not of the
descriptor: it stays when the producer is gone, which is its purpose.
"""

import errno
from contextlib import ExitStack
from pathlib import Path

from vcam.v4l2.abi import CID_TIMEOUT, CID_TIMEOUT_IMAGE_IO, IOC, BufType, Memory, raw
from vcam.v4l2.kernel import Descriptor, Kernel

_MS_PER_S = 1000.0


def cover_silence(kernel: Kernel, device: Descriptor, picture: memoryview, after_s: float) -> None:
    """Hand out ``picture``, in the format that is set, when no frame was written for so long.

    Raises OSError where the driver has no such thing (ENOTTY, EINVAL), or refuses it now.
    """
    for value in (0, 1):  # 0.12 is told nothing when it stays at 1; newer ones take either for yes
        _set(device, CID_TIMEOUT_IMAGE_IO, value)
    try:
        _fill(kernel, device.path, picture)
    finally:  # else the driver's own picture: zeros, which are green
        _set(device, CID_TIMEOUT, round(after_s * _MS_PER_S))


def _set(device: Descriptor, control: int, value: int) -> None:
    device.ioctl(IOC.S_CTRL, raw.v4l2_control(id=control, value=value))


def _fill(kernel: Kernel, path: Path, picture: memoryview) -> None:
    """The next descriptor is for the picture, unless another program was quicker: its frames are left alone."""
    with ExitStack() as stack:
        other = Descriptor(kernel, path)
        stack.callback(other.close)
        # Asked first without a request: 0.12's takes the buffers from who reads, if it is not for the picture.
        try:
            _place(other)
        except OSError as error:
            if error.errno != errno.EINVAL:  # which 0.15 says before the request
                raise
        other.ioctl(IOC.REQBUFS, raw.v4l2_requestbuffers(count=1, type=BufType.VIDEO_OUTPUT, memory=Memory.MMAP))
        length, offset = _place(other)
        memory = other.mmap(length, offset)
        stack.callback(memory.close)
        memory[: picture.nbytes] = picture.tobytes()


def _place(device: Descriptor) -> tuple[int, int]:
    """Length and offset of the picture's memory. Raises OSError, EBUSY where it is that of the frames."""
    buffer = raw.v4l2_buffer(index=0, type=BufType.VIDEO_OUTPUT, memory=Memory.MMAP)
    device.ioctl(IOC.QUERYBUF, buffer)
    if buffer.m.offset == 0:
        raise OSError(errno.EBUSY, "another program opened it first")
    return int(buffer.length), int(buffer.m.offset)

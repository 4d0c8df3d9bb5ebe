"""The real kernel through the seam, as far as that goes without a camera; and the numbers of the ABI."""

import errno
import os
from pathlib import Path

import pytest

from vcam.v4l2 import abi, queries
from vcam.v4l2.kernel import POLL_READ, POLL_WRITE, Descriptor, LinuxKernel


def test_a_node_that_is_no_video_device_says_so() -> None:
    device = Descriptor(LinuxKernel(), Path("/dev/null"))
    with pytest.raises(OSError, match="ioctl") as caught:
        queries.identify(device)
    assert caught.value.errno == errno.ENOTTY
    device.close()


def test_poll_and_write(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    device = Descriptor(LinuxKernel(), fifo)
    assert device.poll(POLL_READ, 0.0) == 0
    assert device.poll(POLL_WRITE, 1.0) == POLL_WRITE
    assert device.write(memoryview(b"abc")) == 3
    assert device.poll(POLL_READ, 1.0) == POLL_READ
    device.close()


def test_descriptors_are_not_inherited_and_close_once() -> None:
    device = Descriptor(LinuxKernel(), Path("/dev/null"))
    number = device._number()
    assert not os.get_inheritable(number)
    assert not os.get_blocking(number)
    device.close()
    device.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
    with pytest.raises(RuntimeError):
        device.poll(POLL_READ, 0.0)


@pytest.mark.parametrize("text", ["YUYV", "MJPG", "NV12", "Y16 ", "Y16 -BE"])
def test_fourcc_round_trip(text: str) -> None:
    assert abi.fourcc_text(abi.fourcc_code(text)) == text


def test_numbers_of_the_abi() -> None:
    """videodev2.h and v4l2loopback.h, as strace shows them."""
    assert abi.fourcc_code("YUYV") == 0x56595559
    assert abi.EVENT_CLIENT_USAGE == 0x10E00001
    assert int(abi.IOC.SUBSCRIBE_EVENT) & 0xFFFFFFFF == 0x4020565A
    assert int(abi.IOC.DQEVENT) & 0xFFFFFFFF == 0x80885659
    assert int(abi.IOC.S_FMT) & 0xFFFFFFFF == 0xC0D05605
    assert int(abi.IOC.DQBUF) & 0xFFFFFFFF == 0xC0585611

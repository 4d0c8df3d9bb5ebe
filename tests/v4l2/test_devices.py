"""The inventory, over a fake /dev and fake drivers."""

import errno
from fractions import Fraction
from pathlib import Path

import pytest
from linuxpy.video.raw import IOC, Capability

from tests.support.fake_v4l2 import FakeCamera, FakeDevice, FakeKernel, FakeLoopback, Loopback, PixExtra
from vcam.frame import Size
from vcam.v4l2.devices import Inventory, list_devices
from vcam.v4l2.modes import Mode


class Machine:
    """A root folder whose nodes are fakes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kernel = FakeKernel()
        (root / "dev/v4l/by-id").mkdir(parents=True)

    def add(self, number: int, device: FakeDevice, by_id: str = "") -> Path:
        path = self.root / f"dev/video{number}"
        path.touch()
        self.kernel.devices[path] = device
        if by_id:
            (self.root / "dev/v4l/by-id" / by_id).symlink_to(f"../../video{number}")
        return path

    def parameters(self, **values: str) -> None:
        folder = self.root / "sys/module/v4l2loopback/parameters"
        folder.mkdir(parents=True)
        for key, value in values.items():
            (folder / key).write_text(value + "\n")

    def inventory(self) -> Inventory:
        found = list_devices(root=self.root, kernel=self.kernel)
        assert self.kernel.leaks == 0
        return found


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_no_device_is_an_empty_inventory(tmp_path: Path) -> None:
    assert list_devices(root=tmp_path / "nowhere") == Inventory()


def test_cameras_come_by_number_with_modes_and_stable_names(machine: Machine) -> None:
    second = machine.add(10, FakeCamera(("GREY", (320, 240), (30,))))
    first = machine.add(2, FakeCamera(("MJPG", (1280, 720), (30, 15)), ("YUYV", (640, 480), (30,))), "usb-Fake-index0")
    cameras = machine.inventory().cameras
    assert [camera.path for camera in cameras] == [first, second]
    assert cameras[0].modes == (
        Mode("MJPG", Size(1280, 720), Fraction(1, 30)),
        Mode("MJPG", Size(1280, 720), Fraction(1, 15)),
        Mode("YUYV", Size(640, 480), Fraction(1, 30)),
    )
    assert cameras[0].by_id == (machine.root / "dev/v4l/by-id/usb-Fake-index0",)
    assert (cameras[0].card, cameras[0].driver) == ("Fake Webcam", "uvcvideo")
    assert [camera.readable for camera in cameras] == [True, False]


def test_sizes_given_as_a_range_are_shown_by_typical_members(machine: Machine) -> None:
    extra = PixExtra(sizes_by_range=(48, 1300, 4, 32, 1080, 2))
    machine.add(0, FakeCamera(("YUYV", (0, 0), ()), extra=extra))
    sizes = [str(mode.size) for mode in machine.inventory().cameras[0].modes]
    assert sizes == ["640x360", "640x480", "1280x720", "1300x1080"]


def test_nodes_that_are_no_cameras_are_left_out(machine: Machine) -> None:
    for number, capability in enumerate((Capability.META_CAPTURE, Capability.VIDEO_M2M, Capability.VBI_CAPTURE)):
        machine.add(number, FakeDevice("uvcvideo", "Other", capability | Capability.STREAMING))
    (machine.root / "dev/video-codec").touch()
    assert machine.inventory() == Inventory()


def test_multi_planar_cameras_and_locked_nodes_say_why(machine: Machine) -> None:
    machine.add(0, FakeDevice("rkisp1", "ISP", Capability.VIDEO_CAPTURE_MPLANE))
    locked = machine.add(1, FakeCamera())
    machine.kernel.open_errors[locked] = errno.EACCES
    broken = machine.add(2, FakeCamera(("YUYV", (640, 480), (30,))))
    machine.kernel.devices[broken].failures[IOC.ENUM_FMT] = errno.EIO
    reasons = {entry.path.name: entry.reason for entry in machine.inventory().unreadable}
    assert set(reasons) == {"video0", "video1", "video2"}
    assert "multi-planar" in reasons["video0"]
    assert reasons["video1"] == "EACCES"


def test_virtual_cameras_tell_format_readers_and_exclusive_caps(machine: Machine) -> None:
    machine.parameters(exclusive_caps="Y,N,N", video_nr="10,11,-1")
    busy = FakeLoopback(Loopback(readers=2))
    busy.format = ("YUYV", 1280, 720)
    machine.add(10, busy)
    machine.add(11, FakeLoopback(Loopback(tells_readers=False)))
    machine.add(12, FakeLoopback(Loopback(capture_only=True)))
    first, second, third = machine.inventory().virtual_cameras
    assert first.format is not None
    assert (first.format.fourcc, first.format.size, first.readers) == ("YUYV", Size(1280, 720), 2)
    assert (second.format, second.readers) == (None, None)
    assert [camera.exclusive_caps for camera in (first, second, third)] == [True, False, False]
    assert machine.inventory().cameras == ()


@pytest.mark.parametrize(("attribute", "expected"), [("", None), ("YUYV:1280x720@30/1\n", Size(1280, 720))])
def test_a_made_up_format_is_not_shown(machine: Machine, attribute: str, expected: Size | None) -> None:
    device = FakeLoopback()
    device.format = ("YUYV", 1280, 720)
    machine.add(10, device)
    folder = machine.root / "sys/class/video4linux/video10"
    folder.mkdir(parents=True)
    (folder / "format").write_text(attribute)
    shown = machine.inventory().virtual_cameras[0].format
    assert (shown.size if shown else None) == expected


def test_exclusive_caps_are_unknown_without_the_module(machine: Machine) -> None:
    machine.add(10, FakeLoopback())
    assert machine.inventory().virtual_cameras[0].exclusive_caps is None


def test_akvcam_shows_its_output_side(machine: Machine) -> None:
    machine.add(7, FakeLoopback(Loopback(tells_readers=False), driver="akvcam"))
    machine.add(8, FakeLoopback(Loopback(capture_only=True), driver="akvcam"))
    found = machine.inventory().virtual_cameras
    assert [camera.path.name for camera in found] == ["video7"]
    assert found[0].exclusive_caps is None

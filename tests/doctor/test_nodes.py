"""Virtual cameras, cameras, and who may open them."""

import errno
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from linuxpy.video.raw import IOC, Capability

from tests.doctor.conftest import Computer
from tests.support.fake_v4l2 import FakeCamera, FakeDevice, FakeLoopback, Loopback
from vcam.doctor.access import check_access
from vcam.doctor.cameras import check_cameras, check_input
from vcam.doctor.finding import Finding, Verdict
from vcam.doctor.outputs import check_exclusive_caps, check_outputs


def only(findings: Sequence[Finding]) -> Finding:
    (finding,) = findings
    return finding


def leave_no_descriptor(computer: Computer) -> None:
    assert computer.kernel.leaks == 0


# ---- outputs


def test_a_virtual_camera_that_takes_pictures(good: Computer) -> None:
    assert only(check_outputs(good.case)).verdict is Verdict.OK
    assert only(check_exclusive_caps(good.case)).facts == '/dev/video10 "AI-Camera" shows nothing yet, 0 reading'
    leave_no_descriptor(good)


def test_a_missing_one_is_made_or_replaced_by_one_that_is_there(good: Computer) -> None:
    good.settings["output"] = ("/dev/video33",)
    assert only(check_outputs(good.case)).remedy == "vcam run -o /dev/video10"
    good.kernel.devices.pop(good.root / "dev/video10")
    (good.root / "dev/video10").unlink()
    remedy = only(check_outputs(good.case)).remedy
    assert "sudo make install" in remedy
    assert "video_nr=33" in remedy


def test_without_exclusive_caps_browsers_are_told_of(good: Computer) -> None:
    good.load_module(exclusive_caps="N")
    finding = only(check_exclusive_caps(good.case))
    assert finding.verdict is Verdict.WARN
    assert "Chrome" in finding.facts
    assert "exclusive_caps=1 card_label=AI-Camera video_nr=10" in finding.remedy


def test_our_own_vcam_may_write_to_it(good: Computer) -> None:
    good.hold(good.root / "dev/video10", "vcam")
    finding = only(check_outputs(good.case))
    assert (finding.verdict, finding.facts) == (Verdict.OK, "/dev/video10 is written to by vcam (pid 4242)")


@pytest.fixture
def taken(good: Computer) -> Computer:
    """A producer has the virtual camera: it captures only."""
    good.add(10, FakeLoopback(Loopback(capture_only=True)))
    return good


def test_another_producer_is_named(taken: Computer) -> None:
    taken.hold(taken.root / "dev/video10", "obs")
    finding = only(check_outputs(taken.case))
    assert finding.verdict is Verdict.FAIL
    assert "obs (pid 4242)" in finding.facts


def test_a_producer_that_cannot_be_seen_is_the_vcam_that_answers(taken: Computer) -> None:
    taken.serve(9436)
    assert only(check_outputs(taken.case)).verdict is Verdict.OK


def test_one_that_nobody_writes_to_and_that_takes_nobody_is_stuck(taken: Computer) -> None:
    finding = only(check_outputs(taken.case))
    assert "stuck" in finding.facts
    assert finding.remedy == "sudo modprobe -r v4l2loopback && sudo modprobe v4l2loopback"


def test_a_camera_is_no_output(good: Computer) -> None:
    good.settings["output"] = ("/dev/video0",)
    finding = only(check_outputs(good.case))
    assert finding.verdict is Verdict.FAIL
    assert "is a camera" in finding.facts


def test_a_node_that_is_no_video_device(good: Computer) -> None:
    good.add(10, FakeDevice("x", "x", 0)).touch()
    good.kernel.devices[good.root / "dev/video10"].failures[IOC.QUERYCAP] = errno.ENOTTY
    assert "no video device" in only(check_outputs(good.case)).facts
    leave_no_descriptor(good)


@pytest.mark.parametrize("output", ["null:", "file:/tmp/out.mp4"])
def test_other_outputs_need_no_device(computer: Computer, output: str) -> None:
    computer.settings["output"] = (output,)
    assert only(check_outputs(computer.case)).verdict is Verdict.SKIP


# ---- permission


def shut(computer: Computer, number: int) -> Path:
    path = computer.root / f"dev/video{number}"
    computer.kernel.open_errors[path] = errno.EACCES
    return path


def belong_to_video(computer: Computer, node: Path) -> None:
    """The file's real group gets the name ``video`` on this computer."""
    computer.write("etc/group", f"video:x:{node.stat().st_gid}:bob,eve\n")


def test_who_is_not_in_the_group_is_told_to_join(good: Computer) -> None:
    belong_to_video(good, shut(good, 0))
    finding = only(check_access(good.case))
    assert finding.facts == "ada may not open /dev/video0"
    assert finding.remedy == "sudo usermod -aG video ada  # then log out and in again"
    assert finding.verdict is Verdict.FAIL


def test_who_has_joined_is_told_to_log_in_again(good: Computer) -> None:
    node = shut(good, 10)
    good.write("etc/group", f"video:x:{node.stat().st_gid}:bob,ada\n")
    assert only(check_access(good.case)).remedy.startswith("log out and in again")


@pytest.mark.parametrize(
    ("member", "permissions", "remedy"),
    [
        (False, 0o660, 'make up  # or in compose.yaml: group_add: ["{gid}"]'),
        (True, 0o600, "on the host: sudo chmod g+rw /dev/video0"),
        (True, 0o660, 'in compose.yaml: device_cgroup_rules: ["c 81:* rmw"]'),
    ],
)
def test_in_a_container_it_says_what_the_host_has_to_change(
    good: Computer, member: bool, permissions: int, remedy: str
) -> None:
    good.write("run/.containerenv")
    node = shut(good, 0)
    node.chmod(permissions)
    gid = node.stat().st_gid
    if member:
        good.identity = replace(good.identity, groups=frozenset({gid}))
    assert only(check_access(good.case)).remedy == remedy.format(gid=gid)


def test_closed_nodes_fail_as_input_and_output_too(good: Computer) -> None:
    belong_to_video(good, shut(good, 0))
    shut(good, 10)
    for finding in (*check_input(good.case), *check_outputs(good.case)):
        assert finding.verdict is Verdict.FAIL
        assert "usermod -aG video ada" in finding.remedy


def test_open_nodes_are_counted(good: Computer) -> None:
    assert only(check_access(good.case)).facts == "ada may open all 2 video nodes"


def test_without_nodes_there_is_nothing_to_open(computer: Computer) -> None:
    assert only(check_access(computer.case)).verdict is Verdict.SKIP


# ---- cameras


def test_a_camera_tells_its_mode_and_bus(good: Computer) -> None:
    finding = only(check_cameras(good.case))
    assert finding.verdict is Verdict.OK
    assert finding.facts == (
        '/dev/video0 "Fake Webcam" gives MJPG 1280x720 at 30 fps, USB 2 (uncompressed it would be 5 fps)'
    )


def test_the_five_fps_trap_has_a_way_out(computer: Computer) -> None:
    computer.plug_in(0, ("YUYV", (1280, 720), (5,)), ("YUYV", (640, 480), (30,)))
    finding = only(check_cameras(computer.case))
    assert finding.verdict is Verdict.WARN
    assert "less than the 30 fps asked for" in finding.facts
    assert finding.remedy == "vcam run -W 640 -H 480"


def test_a_camera_that_is_slow_everywhere_gets_its_own_rate(computer: Computer) -> None:
    computer.plug_in(0, ("YUYV", (1280, 720), (10,)))
    assert only(check_cameras(computer.case)).remedy == (
        "vcam run --fps 10; or a USB 3 port, if the camera is made for it"
    )


@pytest.mark.parametrize(("speed", "bus"), [("5000", "USB 3"), ("10000", "USB 3"), ("480", "USB 2"), ("12", "USB 1")])
def test_the_bus_is_told(computer: Computer, speed: str, bus: str) -> None:
    computer.plug_in(0, speed=speed)
    finding = only(check_cameras(computer.case))
    assert bus in finding.facts
    assert finding.verdict is (Verdict.WARN if bus == "USB 1" else Verdict.OK)


def test_a_camera_on_no_usb_has_no_bus(computer: Computer) -> None:
    computer.add(0, FakeCamera(("NV12", (1280, 720), (30,))))
    assert "USB" not in only(check_cameras(computer.case)).facts


def test_an_infrared_camera_is_of_no_use(computer: Computer) -> None:
    computer.plug_in(2, ("GREY", (640, 360), (30,)))
    finding = only(check_cameras(computer.case))
    assert finding.verdict is Verdict.WARN
    assert "GREY" in finding.facts


# ---- input


def test_a_free_camera_can_be_used_and_is_left_as_it_was(good: Computer) -> None:
    assert only(check_input(good.case)).verdict is Verdict.OK
    camera = good.kernel.devices[good.root / "dev/video0"]
    assert isinstance(camera, FakeCamera)
    assert (camera.granted, camera.streaming) == (0, False)
    leave_no_descriptor(good)


def test_a_missing_camera_is_replaced_by_one_that_is_there(good: Computer) -> None:
    (good.root / "dev/v4l/by-id").mkdir(parents=True)
    (good.root / "dev/v4l/by-id/usb-Fake-index0").symlink_to("../../video0")
    good.settings["input"] = "/dev/video7"
    finding = only(check_input(good.case))
    assert (finding.verdict, finding.facts) == (Verdict.FAIL, "there is no /dev/video7")
    assert finding.remedy == "vcam run -i /dev/v4l/by-id/usb-Fake-index0"


def test_without_any_camera_one_is_to_be_plugged_in(computer: Computer) -> None:
    assert only(check_input(computer.case)).remedy.startswith("plug a camera in")


@pytest.fixture
def busy(good: Computer) -> Computer:
    good.kernel.devices[good.root / "dev/video0"].failures[IOC.REQBUFS] = errno.EBUSY
    return good


def test_who_has_the_camera_is_named(busy: Computer) -> None:
    assert "another program" in only(check_input(busy.case)).facts
    busy.hold(busy.root / "dev/video0", "zoom")
    finding = only(check_input(busy.case))
    assert finding.verdict is Verdict.FAIL
    assert "zoom (pid 4242)" in finding.facts


def test_a_camera_that_is_open_but_not_used_is_free(good: Computer) -> None:
    good.hold(good.root / "dev/video0", "wireplumber")
    assert only(check_input(good.case)).verdict is Verdict.OK


def test_our_own_vcam_may_have_it(busy: Computer) -> None:
    busy.serve(9435)
    assert only(check_input(busy.case)).verdict is Verdict.OK
    busy.ports.clear()
    busy.hold(busy.root / "dev/video0", "vcam")
    assert only(check_input(busy.case)).facts == "/dev/video0 is read by vcam (pid 4242)"


def test_another_service_on_our_port_is_no_vcam(busy: Computer) -> None:
    busy.ports[9435] = '{"state": "fine"}'
    assert only(check_input(busy.case)).verdict is Verdict.FAIL


@pytest.mark.parametrize("code", [errno.EIO, errno.ENODEV])
def test_a_camera_that_does_not_answer(good: Computer, code: int) -> None:
    good.kernel.devices[good.root / "dev/video0"].failures[IOC.REQBUFS] = code
    assert only(check_input(good.case)).remedy == "plug the camera in again"
    leave_no_descriptor(good)


def test_a_virtual_camera_without_a_producer_is_no_input(good: Computer) -> None:
    good.settings["input"] = "/dev/video10"
    finding = only(check_input(good.case))
    assert finding.verdict is Verdict.FAIL
    assert "nobody writes to" in finding.facts


def test_a_metadata_node_is_no_input(good: Computer) -> None:
    good.add(1, FakeDevice("uvcvideo", "Fake Webcam", Capability.META_CAPTURE))
    good.settings["input"] = "/dev/video1"
    assert only(check_input(good.case)).verdict is Verdict.FAIL


def test_files_and_scenes_need_no_camera(computer: Computer) -> None:
    computer.settings["input"] = "test:640x360@30"
    assert only(check_input(computer.case)).verdict is Verdict.OK
    computer.settings["input"] = f"file:{computer.root}/clip.mp4"
    assert only(check_input(computer.case)).verdict is Verdict.FAIL
    computer.write("clip.mp4")
    assert only(check_input(computer.case)).verdict is Verdict.OK

"""The inventory as tables and as JSON."""

import io
import json
from fractions import Fraction
from pathlib import Path

from rich.console import Console

from vcam.cli.devices import as_json, show
from vcam.frame import Size
from vcam.v4l2.devices import Camera, Inventory, Unreadable, VirtualCamera
from vcam.v4l2.modes import Mode

WEBCAM = Camera(
    path=Path("/dev/video0"),
    card="HD Webcam",
    driver="uvcvideo",
    bus="usb-1",
    by_id=(Path("/dev/v4l/by-id/usb-HD-video-index0"),),
    modes=(
        Mode("MJPG", Size(1280, 720), Fraction(1, 30)),
        Mode("MJPG", Size(1280, 720), Fraction(1, 15)),
        Mode("H264", Size(1920, 1080), Fraction(1, 30)),
        Mode("YUYV", Size(640, 480), None),
    ),
)
DEPTH = Camera(Path("/dev/video2"), "Depth", "uvcvideo", "usb-2", (), (Mode("Z16 ", Size(640, 480), Fraction(1, 30)),))
LOOPBACK = VirtualCamera(Path("/dev/video10"), "AI-Camera", "v4l2 loopback", None, 2, exclusive_caps=False)


def text_of(inventory: Inventory) -> str:
    stream = io.StringIO()
    show(inventory, Console(file=stream, width=140))
    return stream.getvalue()


def test_cameras_are_shown_with_their_modes() -> None:
    text = text_of(Inventory(cameras=(WEBCAM, DEPTH)))
    assert "MJPG 1280x720 @ 30, 15" in text
    assert "YUYV 640x480 @ ?" in text
    assert "usb-HD-video-index0" in text
    assert "H264" not in text, "what vcam cannot read helps nobody"
    assert "none that vcam reads: Z16" in text


def test_virtual_cameras_are_shown_with_what_is_wrong_with_them() -> None:
    text = text_of(Inventory(virtual_cameras=(LOOPBACK,)))
    assert "none yet" in text
    assert "no: Chrome does not list it" in text


def test_nothing_found_says_what_to_do() -> None:
    text = text_of(Inventory(unreadable=(Unreadable(Path("/dev/video7"), "Permission denied"),)))
    assert "vcam demo" in text
    assert "modprobe v4l2loopback" in text
    assert "/dev/video7: Permission denied" in text


def test_json_holds_all_that_is_known() -> None:
    document = json.loads(as_json(Inventory((WEBCAM,), (LOOPBACK,), (Unreadable(Path("/dev/video7"), "no"),))))
    (camera,) = document["cameras"]
    assert (camera["path"], camera["readable"], camera["by_id"]) == (
        "/dev/video0",
        True,
        ["/dev/v4l/by-id/usb-HD-video-index0"],
    )
    assert camera["modes"][1] == {"fourcc": "MJPG", "width": 1280, "height": 720, "fps": 15.0}
    assert camera["modes"][3]["fps"] is None
    assert document["virtual_cameras"][0]["readers"] == 2
    assert document["unreadable"] == [{"path": "/dev/video7", "reason": "no"}]

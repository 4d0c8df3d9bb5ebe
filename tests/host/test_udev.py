"""Which devices start vcam, and under which name."""

from pathlib import Path

import pytest

from tests.support.udev_rules import UdevDevice, run_rules

RULES = Path(__file__).parents[2] / "udev/90-vcam.rules"


def usb_camera(model: str = "HD_Pro_Webcam_C920", serial: str = "5A3B6C7F", **changes: str) -> UdevDevice:
    """What 60-persistent-v4l.rules leaves of a webcam; changes: of its properties."""
    properties = {
        "ID_BUS": "usb",
        "ID_VENDOR_ID": "046d",
        "ID_MODEL_ID": "082d",
        "ID_MODEL": model,
        "ID_USB_INTERFACE_NUM": "00",
        "ID_V4L_CAPABILITIES": ":capture:",
        **({"ID_SERIAL_SHORT": serial} if serial else {}),
        **changes,
    }
    interface = ("usb", {"bInterfaceNumber": "00"})
    device = ("usb", {"busnum": "1", "devpath": "3.2", "idVendor": "046d"})
    return UdevDevice(
        attributes={"index": "0"}, parents=(interface, device, ("pci", {"vendor": "0x8086"})), properties=properties
    )


def name_of(device: UdevDevice) -> str | None:
    """The instance that the device starts."""
    wanted = run_rules(RULES, device).properties.get("SYSTEMD_WANTS")
    if wanted is None:
        assert not device.tags
        assert not device.links
        return None
    assert wanted == device.properties["SYSTEMD_USER_WANTS"]
    assert "systemd" in device.tags
    name = wanted.removeprefix("vcam@").removesuffix(".service")
    assert device.links == [f"vcam/{name}"], "the unit is bound to the device unit of this link"
    return name


def test_a_camera_starts_its_instance() -> None:
    assert name_of(usb_camera()) == "HD_Pro_Webcam_C920_5A3B6C7F_at_1.3.2"


@pytest.mark.parametrize("action", ["add", "change", "bind", "online", "move"])
def test_no_event_takes_the_tag_away_again(action: str) -> None:
    camera = usb_camera()
    camera.action = action
    assert name_of(camera) is not None


def test_a_removal_starts_nothing() -> None:
    camera = usb_camera()
    camera.action = "remove"
    assert name_of(camera) is None


@pytest.mark.parametrize(
    ("model", "serial", "name"),
    [
        ("HD_Webcam", "", "HD_Webcam_at_1.3.2"),
        ("USB2.0_PC_CAMERA", "", "USB2.0_PC_CAMERA_at_1.3.2"),
        ("HD-WebCam", "SN0001", "046d_082d_SN0001_at_1.3.2"),
        ("Caméra", "SN-1", "046d_082d_at_1.3.2"),
        (".hidden", "", "046d_082d_at_1.3.2"),
        ("", "", "046d_082d_at_1.3.2"),
        ("a;b$(c)", "a b", "046d_082d_at_1.3.2"),
    ],
)
def test_a_name_holds_nothing_that_systemd_would_escape(model: str, serial: str, name: str) -> None:
    assert name_of(usb_camera(model, serial)) == name


def test_cameras_of_the_same_make_have_two_names() -> None:
    first, second = usb_camera(serial="SN0001"), usb_camera(serial="SN0001")
    second.parents[1][1]["devpath"] = "4"
    assert name_of(first) != name_of(second)


@pytest.mark.parametrize("capabilities", [":", ":video_output:", "", ":vbi_capture:"])
def test_nodes_that_do_not_capture_start_nothing(capabilities: str) -> None:
    assert name_of(usb_camera(ID_V4L_CAPABILITIES=capabilities)) is None


def test_a_metadata_node_that_says_it_captures_starts_nothing() -> None:
    second = usb_camera()
    second.attributes["index"] = "1"
    assert name_of(second) is None


def test_nodes_without_an_index_start_nothing() -> None:
    old = usb_camera()
    del old.attributes["index"]
    assert name_of(old) == name_of(usb_camera()), "drivers without the attribute have one node"


def test_virtual_cameras_start_nothing() -> None:
    loopback = UdevDevice(
        kernel="video10",
        attributes={"index": "0", "name": "AI-Camera"},
        properties={"ID_V4L_PRODUCT": "AI-Camera", "ID_V4L_CAPABILITIES": ":capture:video_output:"},
    )
    assert name_of(loopback) is None


def test_other_subsystems_and_nodes_start_nothing() -> None:
    sound, radio = usb_camera(), usb_camera()
    sound.subsystem = "sound"
    radio.kernel = "radio0"
    assert name_of(sound) is None
    assert name_of(radio) is None


def test_the_first_function_of_a_camera_gets_the_link() -> None:
    colour, infrared = usb_camera(), usb_camera(ID_USB_INTERFACE_NUM="02")
    assert name_of(colour) == name_of(infrared), "one camera, one instance"
    assert (colour.options, infrared.options) == (["link_priority=10"], [])


def test_users_can_name_and_ignore_cameras() -> None:
    assert name_of(usb_camera(VCAM_NAME="desk")) == "desk"
    assert name_of(usb_camera(VCAM_NAME="my-desk")) is None, "systemd would not find that unit again"
    assert name_of(usb_camera(VCAM_IGNORE="1")) is None


def test_what_others_want_started_still_starts() -> None:
    camera = run_rules(RULES, usb_camera(SYSTEMD_WANTS="other.service"))
    assert camera.properties["SYSTEMD_WANTS"].split() == [
        "other.service",
        "vcam@HD_Pro_Webcam_C920_5A3B6C7F_at_1.3.2.service",
    ]


def test_udev_runs_no_program() -> None:
    rules = [line for line in RULES.read_text().splitlines() if not line.startswith("#")]
    assert not any(word in line for line in rules for word in ("RUN", "PROGRAM", "IMPORT"))

"""The camera's own controls, with a driver that is faked at its ioctls."""

import errno
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.control.rig import Control
from tests.support.fake_v4l2 import FakeCamera, FakeKernel, fail
from vcam.config import Config
from vcam.v4l2.abi import IOC, ControlFlag, CtrlType

EXPOSURE_AUTO, EXPOSURE, BALANCE_AUTO, BALANCE = 0x009A0901, 0x009A0902, 0x0098090C, 0x0098091A
GAIN, LINE, BUTTON, LOCKED, OWN, CLASS = 0x00980913, 0x00980918, 0x00980925, 0x00980926, 0x00981901, 0x009A0001
NODE = Path("/dev/video0")


@dataclass
class Knob:
    """One control of the fake driver. auto: the control, and its value, that leave this one to the user."""

    name: str
    kind: CtrlType
    range: tuple[int, int, int, int]
    value: int
    flags: int = 0
    menu: dict[int, str | int] = field(default_factory=dict)
    auto: tuple[int, int] | None = None


class KnobCamera(FakeCamera):
    """A webcam with controls."""

    def __init__(self) -> None:
        super().__init__(("MJPG", (640, 480), (30,)))
        modes = {1: "Manual Mode", 3: "Aperture Priority Mode"}
        self.knobs = {
            BALANCE_AUTO: Knob("White Balance, Automatic", CtrlType.BOOLEAN, (0, 1, 1, 1), 1),
            GAIN: Knob("Gain", CtrlType.INTEGER, (0, 255, 1, 64), 64),
            LINE: Knob("Power Line Frequency", CtrlType.INTEGER_MENU, (0, 2, 1, 1), 1, menu={0: 0, 1: 50, 2: 60}),
            BALANCE: Knob(
                "White Balance Temperature", CtrlType.INTEGER, (2800, 6501, 10, 4000), 4000, auto=(BALANCE_AUTO, 0)
            ),
            BUTTON: Knob("Reset", CtrlType.BUTTON, (0, 0, 0, 0), 0),
            LOCKED: Knob("Serial", CtrlType.INTEGER, (0, 9, 1, 0), 0, flags=ControlFlag.READ_ONLY),
            OWN: Knob("LED Mode", CtrlType.INTEGER, (0, 3, 1, 0), 0),
            CLASS: Knob("Camera Controls", CtrlType.CTRL_CLASS, (0, 0, 0, 0), 0, flags=ControlFlag.READ_ONLY),
            EXPOSURE_AUTO: Knob("Auto Exposure", CtrlType.MENU, (0, 3, 1, 3), 3, menu=dict(modes)),
            EXPOSURE: Knob(
                "Exposure Time, Absolute", CtrlType.INTEGER, (3, 2047, 1, 250), 250, auto=(EXPOSURE_AUTO, 1)
            ),
        }
        self.set: list[tuple[int, int]] = []
        self.answers |= {
            IOC.QUERYCTRL: self._query, IOC.QUERYMENU: self._menu, IOC.G_CTRL: self._get, IOC.S_CTRL: self._set,
        }  # fmt: skip

    def _query(self, answer: Any) -> None:
        assert answer.id & ControlFlag.NEXT_CTRL
        after = [number for number in sorted(self.knobs) if number > answer.id & ~ControlFlag.NEXT_CTRL]
        if not after:
            raise fail(errno.EINVAL)
        knob = self.knobs[after[0]]
        answer.id, answer.type, answer.name = after[0], knob.kind, knob.name.encode()
        answer.minimum, answer.maximum, answer.step, answer.default_value = knob.range
        held = knob.auto is not None and self.knobs[knob.auto[0]].value != knob.auto[1]
        answer.flags = knob.flags | (ControlFlag.INACTIVE if held else 0)

    def _menu(self, answer: Any) -> None:
        entry = self.knobs[answer.id].menu.get(answer.index)
        if entry is None:
            raise fail(errno.EINVAL)
        if isinstance(entry, int):
            answer.m1.value = entry
        else:
            answer.m1.name = entry.encode()

    def _get(self, answer: Any) -> None:
        answer.value = self.knobs[answer.id].value

    def _set(self, argument: Any) -> None:
        self.set.append((argument.id, argument.value))
        self.knobs[argument.id].value = argument.value


@pytest.fixture
def camera() -> KnobCamera:
    return KnobCamera()


@pytest.fixture
def kernel(camera: KnobCamera, monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    kernel = FakeKernel(video0=camera)
    monkeypatch.setattr("vcam.control.camera.LinuxKernel", lambda: kernel)
    return kernel


@pytest.fixture
def control(tmp_path: Path, kernel: FakeKernel) -> Control:
    return Control(tmp_path, config=Config(input=str(NODE), background="green"))


def told(answer: tuple[int, dict[str, object]]) -> dict[str, dict[str, object]]:
    """The controls by key."""
    status, view = answer
    assert status == 200
    assert view["camera"] == "Fake Webcam"
    assert isinstance(view["controls"], list)
    return {each["key"]: each for each in view["controls"]}


def test_what_a_user_may_set_is_told_with_its_limits(control: Control, kernel: FakeKernel) -> None:
    found = told(control.ask("GET", "/camera"))
    assert list(found) == [
        "white_balance_automatic",
        "gain",
        "power_line_frequency",
        "white_balance_temperature",
        "auto_exposure",
        "exposure_time_absolute",
    ]
    assert found["gain"] == {
        **{"key": "gain", "label": "Gain", "kind": "integer", "minimum": 0, "maximum": 255, "step": 1},
        **{"default": 64, "value": 64, "active": True, "choices": []},
    }
    assert found["auto_exposure"]["choices"] == [
        {"value": 1, "label": "Manual Mode"},
        {"value": 3, "label": "Aperture Priority Mode"},
    ]
    assert found["power_line_frequency"]["choices"] == [
        {"value": k, "label": str(n)} for k, n in enumerate((0, 50, 60))
    ]
    assert found["exposure_time_absolute"]["active"] is False
    assert kernel.leaks == 0


def test_values_are_set_and_moved_to_what_is_possible(control: Control, camera: KnobCamera) -> None:
    assert told(control.ask("PATCH", "/camera", {"gain": 999}))["gain"]["value"] == 255
    control.ask("PATCH", "/camera", {"white_balance_automatic": 0})
    for wanted, value in ((3333, 3330), (-5, 2800), (10**12, 6500)):
        found = told(control.ask("PATCH", "/camera", {"white_balance_temperature": wanted}))
        assert found["white_balance_temperature"]["value"] == value
    assert camera.knobs[GAIN].value == 255


def test_what_sets_a_control_by_itself_is_switched_off_first(control: Control, camera: KnobCamera) -> None:
    assert control.ask("PATCH", "/camera", {"exposure_time_absolute": 100})[0] == 409
    assert camera.set == []
    found = told(control.ask("PATCH", "/camera", {"exposure_time_absolute": 100, "auto_exposure": 1}))
    assert camera.set == [(EXPOSURE_AUTO, 1), (EXPOSURE, 100)]
    assert (found["exposure_time_absolute"]["value"], found["exposure_time_absolute"]["active"]) == (100, True)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"zoom": 3}, 404),
        ({"gain": 3, "zoom": 3}, 404),
        ({"serial": 3}, 404),
        ({"led_mode": 1}, 404),
        ({"auto_exposure": 2}, 422),
        ({"gain": "3"}, 422),
        ({"gain": 1.5}, 422),
        ({"gain": None}, 422),
        ({"GAIN": 3}, 422),
        ([], 422),
        ({f"k{n}": 0 for n in range(65)}, 422),
    ],
)
def test_what_cannot_be_is_refused(control: Control, camera: KnobCamera, change: object, status: int) -> None:
    assert control.ask("PATCH", "/camera", change)[0] == status
    assert camera.set == []


def test_a_camera_that_is_gone_or_refuses_is_told(control: Control, camera: KnobCamera, kernel: FakeKernel) -> None:
    camera.failures[IOC.S_CTRL] = errno.EBUSY
    status, problem = control.ask("PATCH", "/camera", {"gain": 3})
    assert (status, problem["problem"]) == (409, "the camera does not take this: EBUSY")
    camera.unplug()
    assert control.ask("GET", "/camera")[0] == 409
    kernel.open_errors[NODE] = errno.ENOENT
    assert control.ask("GET", "/camera")[0] == 409
    assert kernel.leaks == 0


def test_a_camera_without_controls_and_no_camera(tmp_path: Path, camera: KnobCamera, control: Control) -> None:
    camera.knobs.clear()
    assert told(control.ask("GET", "/camera")) == {}
    camera.failures[IOC.QUERYCTRL] = errno.ENOTTY
    assert told(control.ask("GET", "/camera")) == {}
    drawn = Control(tmp_path, config=Config(input="test:"))
    assert drawn.ask("GET", "/camera") == (200, {"camera": None, "controls": []})
    assert drawn.ask("PATCH", "/camera", {"gain": 3})[0] == 409

"""A fake webcam with controls, answered at its ioctls."""

import errno
from dataclasses import dataclass, field
from typing import Any

from tests.support.fake_v4l2 import FakeCamera, fail
from vcam.v4l2.abi import IOC, ControlFlag, CtrlType

EXPOSURE_AUTO, EXPOSURE, BALANCE_AUTO, BALANCE = 0x009A0901, 0x009A0902, 0x0098090C, 0x0098091A
GAIN, LINE, BUTTON, LOCKED, OWN, CLASS = 0x00980913, 0x00980918, 0x00980925, 0x00980926, 0x00981901, 0x009A0001


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

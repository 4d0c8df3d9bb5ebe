"""What a camera itself can be told: exposure, gain, focus, white balance, brightness and the like.

Asked with VIDIOC_QUERYCTRL and VIDIOC_QUERYMENU; a camera takes controls on any descriptor, also while another streams.
"""

import errno
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from vcam.v4l2.abi import IOC, ControlClass, ControlFlag, CtrlType, raw
from vcam.v4l2.kernel import Descriptor

_log = logging.getLogger(__name__)

_MOST = 256
_MOST_CHOICES = 64
_END = (errno.EINVAL, errno.ENOTTY)

_CLASS_MASK, _NUMBER_MASK = 0x0FFF0000, 0xFFFF
_CLASSES = (ControlClass.USER, ControlClass.CAMERA)
_DRIVERS_OWN = 0x900 + 0x1000
"""From here on each driver has its own (v4l2-controls.h, V4L2_CID_USER_BASE + 0x1000)."""
_NOT_FOR_USERS = ControlFlag.DISABLED | ControlFlag.READ_ONLY | ControlFlag.WRITE_ONLY


class ControlKind(StrEnum):
    """How a value is chosen."""

    INTEGER = "integer"
    BOOLEAN = "boolean"
    MENU = "menu"


_KINDS: Mapping[int, ControlKind] = MappingProxyType(
    {
        int(CtrlType.INTEGER): ControlKind.INTEGER,
        int(CtrlType.BOOLEAN): ControlKind.BOOLEAN,
        int(CtrlType.MENU): ControlKind.MENU,
        int(CtrlType.INTEGER_MENU): ControlKind.MENU,
    }
)
"""Others (buttons, texts, arrays) are left out."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An entry of a menu."""

    value: int
    label: str


@dataclass(frozen=True, slots=True)
class Control:
    """key: a name made of the driver's label. active: it can be set now; an automatic one may be in its way.

    choices: of a menu.
    """

    id: int
    key: str
    label: str
    kind: ControlKind
    minimum: int
    maximum: int
    step: int
    default: int
    value: int
    active: bool
    choices: tuple[Choice, ...] = ()

    def nearest(self, wanted: int) -> int | None:
        """The value that can be set; None where the menu has no such entry."""
        if self.kind is ControlKind.MENU:
            return wanted if any(choice.value == wanted for choice in self.choices) else None
        bounded = min(max(wanted, self.minimum), self.maximum)
        return min(self.minimum + round((bounded - self.minimum) / self.step) * self.step, self.maximum)


def controls(device: Descriptor) -> list[Control]:
    """Those for users, in the driver's order. Raises OSError."""
    return list(_each(device))


def set_control(device: Descriptor, control: Control, value: int) -> None:
    """Raises OSError."""
    device.ioctl(IOC.S_CTRL, raw.v4l2_control(id=control.id, value=value))


def in_order(device: Descriptor, keys: Iterable[str]) -> Iterator[Control]:
    """Those with these keys, each as it is at its turn: automatic modes come before the numbers that they hold.

    Raises OSError.
    """
    there = {control.key: control for control in controls(device)}
    for key in sorted(there.keys() & set(keys), key=lambda key: (there[key].kind is ControlKind.INTEGER, key)):
        yield {control.key: control for control in controls(device)}[key]


def restore(device: Descriptor, wanted: Mapping[str, int]) -> None:
    """Set values by key as far as that can be; what fails is told in the log, and the camera used as it is."""
    try:
        for control in in_order(device, wanted):
            value = control.nearest(wanted[control.key])
            if control.active and value is not None:
                _try_to_set(device, control, value)
    except OSError as error:
        _log.warning("camera.controls_lost", extra={"device": str(device.path), "problem": error.strerror})


def _try_to_set(device: Descriptor, control: Control, value: int) -> None:
    try:
        set_control(device, control, value)
    except OSError as error:
        facts = {"device": str(device.path), "control": control.key, "value": value, "problem": error.strerror}
        _log.warning("camera.control_refused", extra=facts)


def _each(device: Descriptor) -> Iterator[Control]:
    last = 0
    for _ in range(_MOST):
        answer = raw.v4l2_queryctrl(id=last | ControlFlag.NEXT_CTRL)
        try:
            device.ioctl(IOC.QUERYCTRL, answer)
        except OSError as error:
            if error.errno in _END:
                return
            raise
        last = int(answer.id)
        if _is_for_users(answer):
            yield _control(device, answer)


def _is_for_users(answer: Any) -> bool:
    public = (answer.id & _CLASS_MASK) in _CLASSES and answer.id & _NUMBER_MASK < _DRIVERS_OWN
    return public and answer.type in _KINDS and not answer.flags & _NOT_FOR_USERS


def _control(device: Descriptor, answer: Any) -> Control:
    label = bytes(answer.name).partition(b"\0")[0].decode(errors="replace").strip()
    now = raw.v4l2_control(id=answer.id)
    device.ioctl(IOC.G_CTRL, now)
    return Control(
        id=int(answer.id),
        key=re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_") or f"control_{answer.id:x}",
        label=label,
        kind=_KINDS[answer.type],
        minimum=int(answer.minimum),
        maximum=int(answer.maximum),
        step=max(1, int(answer.step)),
        default=int(answer.default_value),
        value=int(now.value),
        active=not answer.flags & (ControlFlag.INACTIVE | ControlFlag.GRABBED),
        choices=tuple(_choices(device, answer)) if _KINDS[answer.type] is ControlKind.MENU else (),
    )


def _choices(device: Descriptor, answer: Any) -> Iterator[Choice]:
    """Menus have gaps: an entry that cannot be had is no end."""
    for index in range(answer.minimum, min(answer.maximum, answer.minimum + _MOST_CHOICES) + 1):
        entry = raw.v4l2_querymenu(id=answer.id, index=index)
        try:
            device.ioctl(IOC.QUERYMENU, entry)
        except OSError as error:
            if error.errno in _END:
                continue
            raise
        if answer.type == CtrlType.INTEGER_MENU:
            yield Choice(index, str(entry.m1.value))
        else:
            yield Choice(index, bytes(entry.m1.name).partition(b"\0")[0].decode(errors="replace"))

"""What the camera itself can be told, while it is used: exposure, gain, focus, white balance and the like."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel

from vcam.control.refusal import conflict, not_found
from vcam.errors import ConfigError
from vcam.v4l2 import queries
from vcam.v4l2.controls import Control, ControlKind, controls, in_order, set_control
from vcam.v4l2.kernel import Descriptor, Kernel, LinuxKernel
from vcam.v4l2.wanted_controls import WantedControls

_MOST_AT_ONCE = 64
_KEY = r"^[a-z0-9_]{1,40}$"


_Wanted = Annotated[dict[Annotated[str, Field(pattern=_KEY)], int], Field(max_length=_MOST_AT_ONCE)]


class CameraChange(RootModel[_Wanted]):
    """Values by key, as `controls` has them; what is left out stays. A number is moved to the nearest possible one."""

    model_config = ConfigDict(strict=True, json_schema_extra={"additionalProperties": False})


class ChoiceView(BaseModel):
    """An entry of a menu."""

    model_config = ConfigDict(from_attributes=True)

    value: int
    label: str


class ControlView(BaseModel):
    """A control. active: it can be set now; while, say, exposure is automatic, its time cannot."""

    key: str
    label: str
    kind: ControlKind
    minimum: int
    maximum: int
    step: int
    default: int
    value: int
    active: bool
    choices: list[ChoiceView]


class CameraControlsView(BaseModel):
    """The camera that is used, by the name that it gives itself; null where pictures come from elsewhere."""

    camera: str | None
    controls: list[ControlView]


NO_CAMERA = CameraControlsView(camera=None, controls=[])


def look(path: Path, kernel: Kernel | None = None) -> CameraControlsView:
    """Raises RefusedError (409): it cannot be asked."""
    with _opened(path, kernel) as device:
        return _view(device)


def change(path: Path, wanted: CameraChange, kept: WantedControls, kernel: Kernel | None = None) -> CameraControlsView:
    """Set values; automatic modes before what they hold. Raises RefusedError, ConfigError: then the rest is not set.

    kept: what was set is added to it.
    """
    with _opened(path, kernel) as device:
        there = {control.key for control in controls(device)}
        for key in wanted.root:
            if key not in there:
                raise not_found("control of the camera", key, where="/api/v1/camera")
        card = queries.identify(device).card
        for control in in_order(device, wanted.root):
            value = _possible(control, wanted.root[control.key])
            set_control(device, control, value)
            kept.add(card, control.key, value)
        return _view(device)


def _possible(control: Control, value: int) -> int:
    if not control.active:
        raise conflict(
            f"{control.label} cannot be set now", hint="switch off what sets it by itself, or end what else uses it"
        )
    found = control.nearest(value)
    if found is None:
        choices = ", ".join(f"{choice.value} ({choice.label})" for choice in control.choices)
        raise ConfigError(f"{control.label} has no choice {value}", hint=f"take one of {choices}")
    return found


@contextmanager
def _opened(path: Path, kernel: Kernel | None) -> Iterator[Descriptor]:
    try:
        with closing(Descriptor(kernel or LinuxKernel(), path)) as device:
            yield device
    except OSError as error:
        raise conflict(
            f"the camera does not take this: {error.strerror}", hint="is it plugged in? vcam devices lists cameras"
        ) from error


def _view(device: Descriptor) -> CameraControlsView:
    return CameraControlsView(
        camera=queries.identify(device).card,
        controls=[ControlView.model_validate(each, from_attributes=True) for each in controls(device)],
    )

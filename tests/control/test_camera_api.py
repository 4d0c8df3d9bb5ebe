"""The camera's own controls, with a driver that is faked at its ioctls."""

import errno
import logging
from pathlib import Path

import pytest

from tests.control.rig import Control
from tests.support.fake_knobs import EXPOSURE, EXPOSURE_AUTO, GAIN, KnobCamera
from tests.support.fake_v4l2 import FakeKernel
from vcam.config import Config
from vcam.engine_names import EngineName
from vcam.pipeline.assemble import reload, wire
from vcam.pipeline.supervisor import Pipeline
from vcam.v4l2.abi import IOC

NODE = Path("/dev/video0")


@pytest.fixture
def camera() -> KnobCamera:
    return KnobCamera()


@pytest.fixture
def kernel(camera: KnobCamera, monkeypatch: pytest.MonkeyPatch) -> FakeKernel:
    kernel = FakeKernel(video0=camera)
    for place in ("control", "sources"):
        monkeypatch.setattr(f"vcam.{place}.camera.LinuxKernel", lambda: kernel)
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


SETTINGS = Config(input=str(NODE), output=("null:",), engine=EngineName.PLATE, background="green")


@pytest.fixture
def at_work(tmp_path: Path, kernel: FakeKernel) -> Control:
    """With what opens the camera as ``vcam run`` does."""
    return Control(tmp_path, Pipeline(wire(SETTINGS)), config=SETTINGS)


def opened_anew(control: Control, kernel: FakeKernel) -> KnobCamera:
    """Unplugged and plugged in again, it is as it was made."""
    kernel.devices[NODE] = fresh = KnobCamera()
    with control.pipeline._wiring.open_source():
        return fresh


def test_what_was_set_is_there_again_after_a_replug(at_work: Control, camera: KnobCamera, kernel: FakeKernel) -> None:
    assert opened_anew(at_work, kernel).set == [], "nobody has set anything"
    kernel.devices[NODE] = camera
    at_work.ask("PATCH", "/camera", {"gain": 999})
    at_work.ask("PATCH", "/camera", {"exposure_time_absolute": 100, "auto_exposure": 1})
    assert opened_anew(at_work, kernel).set == [(EXPOSURE_AUTO, 1), (EXPOSURE, 100), (GAIN, 255)]
    at_work.ask("PATCH", "/camera", {"auto_exposure": 3})
    again = opened_anew(at_work, kernel)
    assert again.set == [(EXPOSURE_AUTO, 3), (GAIN, 255)], "what is automatic now is left alone"
    assert kernel.leaks == 0


def test_what_was_refused_is_not_set_later(at_work: Control, camera: KnobCamera, kernel: FakeKernel) -> None:
    camera.failures[IOC.S_CTRL] = errno.EBUSY
    at_work.ask("PATCH", "/camera", {"gain": 3})
    assert opened_anew(at_work, kernel).set == []


def test_another_camera_gets_nothing(at_work: Control, camera: KnobCamera, kernel: FakeKernel) -> None:
    at_work.ask("PATCH", "/camera", {"gain": 3})
    other = kernel.devices[NODE] = KnobCamera()
    other.identity = (b"uvcvideo", b"Another Webcam", b"fake:2")
    with at_work.pipeline._wiring.open_source():
        assert other.set == []
    at_work.ask("PATCH", "/camera", {"auto_exposure": 1})
    assert opened_anew(at_work, kernel).set == [], "the first one is forgotten"


def test_a_camera_that_takes_them_no_more_is_used_as_it_is(
    at_work: Control, camera: KnobCamera, kernel: FakeKernel, caplog: pytest.LogCaptureFixture
) -> None:
    at_work.ask("PATCH", "/camera", {"gain": 3, "auto_exposure": 1})
    for request, events in (
        (IOC.S_CTRL, ["camera.control_refused"] * 2),
        (IOC.QUERYCTRL, ["camera.controls_lost"]),
    ):
        caplog.clear()
        kernel.devices[NODE] = fresh = KnobCamera()
        fresh.failures[request] = errno.EIO
        with at_work.pipeline._wiring.open_source() as source:
            assert source.format.width == 640
        told = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert [record.message for record in told] == events
        assert {record.__dict__["problem"] for record in told} == {"EIO"}


@pytest.mark.parametrize(("key", "value", "stays"), [("downsample", 0.2, True), ("input", "/dev/video1", False)])
def test_a_reload_keeps_them_for_the_same_input(at_work: Control, key: str, value: object, stays: bool) -> None:
    at_work.ask("PATCH", "/camera", {"gain": 3})
    reload(at_work.pipeline, SETTINGS, SETTINGS.model_copy(update={key: value}))
    assert at_work.pipeline.camera_controls.of("Fake Webcam") == ({"gain": 3} if stays else {})

"""Camera and engine: what there is, what can run, and nothing else can be chosen."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.control.rig import Control
from vcam.config import Config
from vcam.engine_names import EngineName
from vcam.engines.select import Availability
from vcam.frame import Size
from vcam.pipeline import offer
from vcam.v4l2.devices import Camera, Inventory
from vcam.v4l2.modes import Mode

BY_ID = Path("/dev/v4l/by-id/usb-Desk-index0")
DESK = Camera(Path("/dev/video0"), "Desk camera", "uvcvideo", "usb-1", (BY_ID,), (Mode("MJPG", Size(640, 480), None),))
OTHER = replace(DESK, path=Path("/dev/video2"), card="Other", by_id=())
DEPTH = replace(DESK, path=Path("/dev/video4"), card="Depth", by_id=(), modes=(Mode("Z16 ", Size(640, 480), None),))


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Control:
    monkeypatch.setattr("vcam.v4l2.devices.list_devices", lambda: Inventory(cameras=(DESK, OTHER, DEPTH)))
    monkeypatch.setattr(offer, "look", lambda *, model: Availability(model, frozenset({EngineName.OPENVINO})))
    monkeypatch.setattr(offer, "_has_network", lambda config: True)
    config = Config(input="/dev/video0", output=("null:",), background="green", models_dir=tmp_path)
    return Control(tmp_path, config=config)


def test_cameras_are_offered_by_names_that_last_and_engines_with_what_hinders_them(control: Control) -> None:
    status, told = control.ask("GET", "/setup")
    assert status == 200
    assert (told["input"], told["engine"], told["quality"]) == (str(BY_ID), "auto", "balanced")
    assert told["inputs"] == [
        {"input": str(BY_ID), "label": "Desk camera"},
        {"input": "/dev/video2", "label": "Other"},
        {"input": "test:1280x720@30", "label": "Drawn test picture"},
    ]
    assert isinstance(told["engines"], list)
    problems = {each["engine"]: each["problem"] for each in told["engines"]}
    assert list(problems) == [str(each) for each in EngineName]
    assert [name for name, problem in problems.items() if problem is None] == ["auto", "openvino", "plate"]
    assert "onnxruntime is not installed" in problems["onnxruntime"]


@pytest.mark.parametrize(
    "change",
    [
        {"input": "/dev/video2"},
        {"input": "test:1280x720@30"},
        {"engine": "plate"},
        {"quality": "fast", "engine": "openvino"},
        {"quality": "ultra", "input": None},
    ],
)
def test_a_choice_opens_the_stages_anew(
    control: Control, monkeypatch: pytest.MonkeyPatch, change: dict[str, object]
) -> None:
    reloaded: list[object] = []
    monkeypatch.setattr(control.pipeline, "reload", lambda wiring, **_: reloaded.append(wiring))
    status, told = control.ask("PATCH", "/setup", change)
    assert status == 200
    assert len(reloaded) == 1
    for key, value in change.items():
        assert value is None or told[key] == value == str(getattr(control.desk.config, key))


def test_what_is_chosen_already_interrupts_nothing(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    reloaded: list[object] = []
    monkeypatch.setattr(control.pipeline, "reload", lambda wiring, **_: reloaded.append(wiring))
    for same in ({}, {"input": str(BY_ID)}, {"input": "/dev/video0"}, {"engine": "auto", "quality": "balanced"}):
        assert control.ask("PATCH", "/setup", same)[0] == 200
    assert reloaded == []
    assert control.desk.config.input == "/dev/video0"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"input": "/dev/video4"}, 404),
        ({"input": "/dev/video9"}, 404),
        ({"input": "/dev/mem"}, 404),
        ({"input": "file:/etc/passwd"}, 404),
        ({"input": "test:8000x8000@240"}, 404),
        ({"input": "../../dev/video0"}, 404),
        ({"input": "x" * 301}, 422),
        ({"input": 3}, 422),
        ({"engine": "tensorrt"}, 409),
        ({"engine": "onnxruntime"}, 409),
        ({"engine": "magic"}, 422),
        ({"quality": "best"}, 422),
        ({"output": "file:/tmp/x"}, 422),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    control: Control, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], status: int
) -> None:
    monkeypatch.setattr(control.pipeline, "reload", None)
    before = control.desk.config
    assert control.ask("PATCH", "/setup", change)[0] == status
    assert control.desk.config is before


def test_the_operators_own_source_can_be_chosen_again(tmp_path: Path, control: Control) -> None:
    config = Config(input="test:640x480@10", output=("null:",), models_dir=tmp_path)
    other = Control(tmp_path / "b", config=config)
    assert other.ask("PATCH", "/setup", {"input": "/dev/video2"})[0] == 200
    told = other.ask("GET", "/setup")[1]
    assert isinstance(told["inputs"], list)
    assert {"input": "test:640x480@10", "label": "test:640x480@10"} in told["inputs"]
    assert other.ask("PATCH", "/setup", {"input": "test:640x480@10"})[0] == 200
    assert other.desk.config.input == "test:640x480@10"


def test_an_engine_without_its_network_is_not_offered(tmp_path: Path) -> None:
    """One that cannot fetch it either would end the process."""
    offers = {each.engine: each for each in offer.engine_offers(Config(models_dir=tmp_path / "none"))}
    assert offers[EngineName.PLATE].problem is None
    assert "network is not here" in str(offers[EngineName.OPENVINO].problem)
    assert offers[EngineName.OPENVINO].hint
    (tmp_path / "own.onnx").write_bytes(b"x")
    own = Config(models_dir=tmp_path / "none", model=str(tmp_path / "own.onnx"))
    assert "network is not here" not in str(
        {e.engine: e for e in offer.engine_offers(own)}[EngineName.OPENVINO].problem
    )


def test_a_camera_is_named_by_its_node_and_others_have_none() -> None:
    assert offer.camera_path(Config(input=str(BY_ID))) == BY_ID
    assert offer.camera_path(Config(input="test:")) is None
    assert offer.camera_path(Config(input="file:x.mp4")) is None

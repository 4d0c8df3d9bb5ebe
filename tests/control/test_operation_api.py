"""State, pause, reload, learning, devices, events; and the description of it all."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.control.rig import API, Control, running
from tests.pipeline import room
from tests.pipeline.rig import LIMIT_S, Rig, wait_until
from tests.pipeline.test_tap import LearningRig
from tests.support.clock import Clock
from vcam.config import Config
from vcam.control import events as events_module
from vcam.control.events import Events
from vcam.control.state import Teller
from vcam.errors import ConfigError
from vcam.pipeline.assemble import assemble
from vcam.pipeline.wiring import Wiring
from vcam.service.http import Address, HttpServer
from vcam.stages import Stage
from vcam.v4l2.devices import Inventory, Unreadable


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path)


def test_the_state_tells_what_viewers_see_and_how_fast(tmp_path: Path) -> None:
    rig = Rig()
    with running(tmp_path, rig) as control:
        rig.wait_live(3)
        status, told = control.ask("GET", "/state")
    assert status == 200
    assert (told["state"], told["safe_reason"], told["paused"], told["camera_up"]) == ("live", None, False, True)
    assert told["source"] == "fake"
    assert isinstance(told["engine"], dict)
    assert told["engine"]["reason"] == "a test"
    assert isinstance(told["times"], dict)
    assert {"latency", str(Stage.INFER)} <= set(told["times"])
    assert told["times"]["latency"]["p50_ms"] > 0
    assert isinstance(told["frames"], dict)
    assert told["frames"]["live"] >= 3
    assert told["scene"] == control.scene()


def test_before_the_first_frame_there_is_a_state_too(control: Control) -> None:
    told = control.ask("GET", "/state")[1]
    assert (told["state"], told["engine"], told["times"], told["last_live_age_s"]) == ("starting", None, {}, None)


def test_many_who_ask_get_one_answer_until_something_changes(control: Control) -> None:
    clock = Clock()
    teller = Teller(control.desk, clock=clock)
    first = teller.state()
    assert teller.state() is first
    control.pipeline.pause(paused=True)
    second = teller.state()
    assert second is not first
    assert second.paused
    clock.now_s += 0.3
    assert teller.state() is not second


def test_pause_and_resume(tmp_path: Path) -> None:
    rig = Rig()
    with running(tmp_path, rig) as control:
        rig.wait_live(1)
        status, told = control.ask("POST", "/pause")
        assert (status, told["paused"], told["state"], told["safe_reason"]) == (200, True, "safe", "paused")
        rig.wait_card()
        assert control.ask("POST", "/pause")[1]["paused"] is True
        assert control.ask("POST", "/resume")[1]["paused"] is False
        seen = len(rig.sink.pictures)
        assert rig.sink.wait_for(lambda all_: any(map(room.shows_person, all_[seen:])), LIMIT_S)


def test_reload_reads_the_settings_again(control: Control) -> None:
    control.ask("PATCH", "/scene", {"blur": 10})
    control.settings = Config(background="color:#010203", refine=0.5)
    status, told = control.ask("POST", "/reload")
    assert status == 200
    assert told["scene"] == control.scene()
    assert control.scene()["background"] == "color:#010203"
    assert control.pipeline.scene.matte.refine == 0.5


def test_what_was_changed_live_is_as_the_settings_say_after_a_reload(control: Control) -> None:
    control.ask("PUT", "/profiles/work", {"blur": 10})
    control.ask("POST", "/profiles/work/apply")
    control.ask("POST", "/reload")
    assert control.scene() == Control(control.folder).scene()


def test_what_only_a_restart_changes_is_told_until_it_is_as_before(control: Control) -> None:
    control.settings = Config(background="blur", fps=60, http_port=9999, output=("null:", "null:"))
    for _ in range(2):
        status, told = control.ask("POST", "/reload")
        assert (status, told["restart_needed"]) == (200, ["fps", "http_port", "output"])
    assert control.scene()["background"] == "blur", "all else is in effect"
    control.ask("PATCH", "/scene", {"background": "green"})
    assert control.ask("GET", "/state")[1]["restart_needed"] == ["fps", "http_port", "output"]
    control.settings = Config(background="blur")
    assert control.ask("POST", "/reload")[1]["restart_needed"] == []


def test_stages_are_opened_anew_at_the_rate_that_outputs_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here that of the scene, which the settings left open; it is also the rate that state and metrics tell."""
    config = Config(input="test:64x48@15", output=("null:",), background="green", models_dir=tmp_path)
    control = Control(tmp_path, assemble(config), config)
    reloaded: list[Wiring] = []
    monkeypatch.setattr(control.pipeline, "reload", lambda wiring, **_: reloaded.append(wiring))
    control.settings = Config(**{**config.model_dump(exclude_unset=True), "fps": 60, "width": 128, "threads": 1})
    assert control.ask("POST", "/reload")[1]["restart_needed"] == ["fps", "width"]
    control.ask("PATCH", "/setup", {"quality": "fast"})
    assert [wiring.policy.frame_interval_s for wiring in reloaded] == [1 / 15, 1 / 15]
    assert (control.desk.config.threads, control.desk.config.quality) == (1, "fast")


@pytest.mark.parametrize(
    "settings",
    [ConfigError("fps is wrong", hint="change it"), Config(background="image:/nowhere.png"), Config(background="huh")],
)
def test_settings_that_are_wrong_are_told_and_change_nothing(control: Control, settings: Config | ConfigError) -> None:
    before, scene = control.scene(), control.pipeline.scene
    control.settings = settings
    assert control.ask("POST", "/reload")[0] == 422
    assert (control.scene(), control.pipeline.scene) == (before, scene)


def test_changes_from_many_sides_at_once_are_all_in_effect(control: Control) -> None:
    keys = ("smoothing", "despill", "refine")

    def turn(key: str) -> None:
        for k in range(1, 41):
            control.desk.change_scene({key: k / 40})

    threads = [threading.Thread(target=turn, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
    assert [control.scene()[key] for key in keys] == [1.0, 1.0, 1.0]
    assert control.pipeline.scene.matte.smoothing == control.pipeline.scene.matte.refine == 1.0


def test_an_engine_that_learns_the_room_is_told_to(tmp_path: Path) -> None:
    rig = LearningRig()
    with running(tmp_path, rig) as control:
        rig.wait_live(1)
        assert control.ask("POST", "/learn-plate")[0] == 200
        wait_until(lambda: rig.taught == ["vcam-frame"])


def test_an_engine_that_learns_nothing_says_so(tmp_path: Path) -> None:
    rig = Rig()
    assert "no engine runs yet" in str(Control(tmp_path).ask("POST", "/learn-plate")[1]["problem"])
    with running(tmp_path, rig) as control:
        rig.wait_live(1)
        status, told = control.ask("POST", "/learn-plate")
    assert status == 409
    assert "learns no room" in str(told["problem"])
    assert "plate" in str(told["hint"])


def test_devices(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = Inventory(unreadable=(Unreadable(Path("/dev/video7"), "permission denied"),))
    monkeypatch.setattr("vcam.v4l2.devices.list_devices", lambda: inventory)
    assert control.ask("GET", "/devices") == (
        200,
        {
            "cameras": [],
            "virtual_cameras": [],
            "unreadable": [{"path": "/dev/video7", "reason": "permission denied"}],
        },
    )


def test_parameters_that_mean_nothing_are_refused(control: Control) -> None:
    assert control.ask("GET", "/state?x=1")[0] == 422
    assert control.ask("POST", "/pause?now=1")[0] == 422
    assert control.ask("GET", "/state")[1]["paused"] is False


async def _events(events: Events, count: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    texts: AsyncIterator[str] = events.texts()
    async for text in texts:
        head, data, *rest = text.split("\n")
        assert (head, rest) == ("event: state", ["", ""])
        found.append(json.loads(data.removeprefix("data: ")))
        if len(found) == count:
            break
    return found


def test_events_come_at_once_when_something_changes(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "EVERY_S", 3600.0)

    async def scenario() -> list[dict[str, object]]:
        listening = asyncio.create_task(_events(Events(Teller(control.desk)), 3))
        while not listening.done():
            control.pipeline.pause(paused=not control.pipeline.paused)
            await asyncio.wait([listening], timeout=0.5)
        return listening.result()

    paused = [each["paused"] for each in asyncio.run(scenario())]
    assert paused in ([True, False, True], [False, True, False])


def test_events_come_now_and_then_when_nothing_changes(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "EVERY_S", 0.05)
    told = asyncio.run(_events(Events(Teller(control.desk)), 3))
    assert [each["state"] for each in told] == ["starting"] * 3


def test_listeners_are_counted_however_they_end_and_have_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "MOST_LISTENERS", 1)
    control = Control(tmp_path)
    events = control.app.events
    before = threading.active_count()
    with HttpServer(control.app.asgi, Address("127.0.0.1", 0)) as server:
        line = HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
        line.request("GET", f"{API}/events")
        answer = line.getresponse()
        assert answer.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert answer.readline() == b"event: state\n"
        assert events.listeners == 1
        assert control.ask("GET", "/events")[0] == 429
        line.close()
        answer.close()
        wait_until(lambda: events.listeners == 0)
        line.request("GET", f"{API}/events")
        answer = line.getresponse()
        events.close()
        answer.read()  # to its end
        wait_until(lambda: events.listeners == 0)
        line.close()
    assert threading.active_count() == before

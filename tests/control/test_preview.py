"""The snapshot: what viewers see, never the room, one encode for all, none when nobody looks."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

from tests.control.rig import API, Control, pixels, running
from tests.pipeline import room
from tests.pipeline.rig import ENGINE_BROKE, LIMIT_S, Rig, raises, wait_until
from vcam.control import preview as preview_module
from vcam.frame import Image, Plane, Stamp, split_planes
from vcam.service.http import Address, HttpServer

STILL = Stamp(0, 0)


def marker() -> Plane:
    """A corner of the camera's own picture, as a snapshot would show it."""
    source = Image(split_planes(np.frombuffer(room.camera_picture(), np.uint8).copy(), room.CAMERA), room.CAMERA, STILL)
    return pixels(preview_module.picture_jpeg(source))[:8, :8]


def leaks(snapshot: Plane) -> bool:
    """Whether any pixel is nearer to the room's magenta than to green, grey or dark."""
    red, green, blue = (snapshot[..., k].astype(int) for k in range(3))
    return bool(np.any((red - green > 60) & (blue - green > 60)))


def snapshot(control: Control, query: str = "") -> Plane:
    answer = control.client.get(f"{API}/snapshot.jpg{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    return pixels(answer.content)


def test_the_check_would_see_the_room() -> None:
    assert leaks(marker())


def test_the_snapshot_is_what_viewers_see(tmp_path: Path) -> None:
    rig = Rig()
    with running(tmp_path, rig) as control:
        rig.wait_live(1)
        live = snapshot(control)
        assert live.shape == (room.OUTPUT.height, room.OUTPUT.width, 3)
        person, background = live[112, 160].astype(int), live[5, 5].astype(int)
        assert np.ptp(person) < 12
        assert background[1] - background[0] > 40
        control.ask("PATCH", "/scene", {"background": "color:#0000ff"})
        seen = len(rig.sink.pictures)
        wait_until(lambda: len(rig.sink.pictures) > seen + 3)
        blue = snapshot(control)[5, 5].astype(int)
        assert blue[2] - blue[0] > 200
        control.ask("POST", "/pause")
        rig.wait_card()
        wait_until(lambda: bool(np.ptp(snapshot(control), axis=(0, 1)).max() < 8))  # one colour: nobody is there


@pytest.mark.parametrize("trouble", ["none", "engine", "pause"])
def test_the_room_is_on_no_snapshot(tmp_path: Path, trouble: str) -> None:
    faults = {k: raises(ENGINE_BROKE) for k in range(5, 12)} if trouble == "engine" else {}
    rig = Rig(engine_faults=faults)
    with running(tmp_path, rig) as control:
        for turn in range(25):
            if trouble == "pause":
                control.ask("POST", "/pause" if turn % 2 else "/resume")
            assert not leaks(snapshot(control))
    rig.assert_closed()


def test_the_matte_is_white_where_the_person_is(tmp_path: Path) -> None:
    rig = Rig()
    with running(tmp_path, rig) as control:
        rig.wait_live(1)
        matte = snapshot(control, "?matte=1")
    assert matte.shape == (room.CAMERA.height, room.CAMERA.width)
    assert int(matte[112, 160]) > 250
    assert int(matte[5, 5]) < 5


def test_while_the_room_is_shown_there_is_no_snapshot(tmp_path: Path) -> None:
    rig = Rig()
    with running(tmp_path, rig) as control:
        rig.wait_live(1)
        control.ask("PATCH", "/scene", {"background": "none"})
        for path in ("/snapshot.jpg", "/snapshot.jpg?matte=1"):
            status, told = control.ask("GET", path)
            assert status == 409
            assert "room is shown" in str(told["problem"])
        control.ask("PATCH", "/scene", {"background": "green"})
        assert not leaks(snapshot(control))


def test_one_who_asked_before_the_room_was_shown_does_not_see_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_module, "WAIT_S", 0.2)
    rig = Rig()
    with running(tmp_path, rig) as control, HttpServer(control.app.asgi, Address("127.0.0.1", 0)) as server:
        rig.wait_live(1)
        for _ in range(10):
            with ThreadPoolExecutor() as threads:
                asked = [threads.submit(fetch, f"http://127.0.0.1:{server.port}{API}/snapshot.jpg") for _ in range(3)]
                control.ask("PATCH", "/scene", {"background": "none"})
                answers = [each.result(LIMIT_S) for each in asked]
            control.ask("PATCH", "/scene", {"background": "green"})
            assert not any(leaks(pixels(body)) for body in answers if body is not None)


@pytest.mark.parametrize("query", ["?matte=2", "?matte=", "?matte=1&matte=0", "?size=3"])
def test_another_question_is_refused(tmp_path: Path, query: str) -> None:
    assert Control(tmp_path).ask("GET", f"/snapshot.jpg{query}")[0] == 422


def test_where_no_picture_leaves_there_is_an_answer_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_module, "WAIT_S", 0.05)
    for path in ("/snapshot.jpg", "/snapshot.jpg?matte=1"):
        status, told = Control(tmp_path).ask("GET", path)
        assert status == 503
        assert "/api/v1/state" in str(told["hint"])


def test_nothing_is_encoded_while_nobody_looks_and_once_for_all_who_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[object] = []
    entered: list[object] = []
    gate = threading.Event()
    encode, jpeg = preview_module._jpeg, preview_module.Preview.jpeg

    def gated(levels: Plane) -> bytes:
        encoded.append(levels)
        assert gate.wait(LIMIT_S)
        return encode(levels)

    async def counted(self: preview_module.Preview, *, matte: bool) -> bytes:
        entered.append(self)
        return await jpeg(self, matte=matte)

    monkeypatch.setattr(preview_module, "_jpeg", gated)
    monkeypatch.setattr(preview_module.Preview, "jpeg", counted)
    rig = Rig()
    with running(tmp_path, rig) as control, HttpServer(control.app.asgi, Address("127.0.0.1", 0)) as server:
        rig.wait_live(5)
        control.ask("GET", "/state")
        assert encoded == []
        with ThreadPoolExecutor(6) as threads:
            asked = [threads.submit(fetch, f"http://127.0.0.1:{server.port}{API}/snapshot.jpg") for _ in range(6)]
            wait_until(lambda: len(entered) == 6 and len(encoded) == 1)
            gate.set()
            bodies = {each.result(LIMIT_S) for each in asked}
    assert len(bodies) == len(encoded) == 1


def fetch(url: str) -> bytes | None:
    """None where it is refused, as it may be while the room is shown."""
    try:
        with urlopen(url, timeout=LIMIT_S) as answer:
            body: bytes = answer.read()
    except HTTPError as error:
        if error.code in (409, 503):
            return None
        raise
    return body

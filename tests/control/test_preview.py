"""The snapshot: what viewers see, never the room, one encode for all, none when nobody looks."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import numpy as np
import pytest

from tests.control.rig import API, Control, pixels, running
from tests.pipeline import room
from tests.pipeline.rig import ENGINE_BROKE, LIMIT_S, POLICY, Rig, raises, wait_until
from vcam.config import Config
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

    def gated(levels: Plane, *_: object) -> bytes:
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


def parts(answer: HTTPResponse, count: int) -> list[bytes]:
    """The first JPEGs of a picture that moves."""
    found: list[bytes] = []
    assert answer.readline() == b"--vcam\r\n"
    while len(found) < count:
        assert answer.readline() == b"Content-Type: image/jpeg\r\n"
        length = int(answer.readline().removeprefix(b"Content-Length: "))
        assert answer.readline() == b"\r\n"
        found.append(answer.read(length))
        assert answer.read(2 + len(b"--vcam\r\n")) == b"\r\n--vcam\r\n", "a browser shows it at once"
    return found


def test_a_moving_picture_is_encoded_once_for_all_and_not_at_all_when_they_have_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bytes] = []
    encode = preview_module._jpeg

    def counted(*arguments: object) -> bytes:
        made.append(encode(*arguments))  # type: ignore[arg-type]  # passed through
        return made[-1]

    monkeypatch.setattr(preview_module, "_jpeg", counted)
    rig = Rig()
    with running(tmp_path, rig) as control, HttpServer(control.app.asgi, Address("127.0.0.1", 0)) as server:
        rig.wait_live(1)
        lines = [HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S) for _ in range(3)]
        seen: list[bytes] = []
        for line in lines:
            line.request("GET", f"{API}/preview.mjpg")
        answers = [line.getresponse() for line in lines]
        assert answers[0].getheader("content-type") == "multipart/x-mixed-replace; boundary=vcam"
        for answer in answers:
            seen += parts(answer, 4)
        assert control.app.preview.viewers == 3
        assert set(seen) <= set(made)
        assert not any(leaks(pixels(each)) for each in seen)
        for line, answer in zip(lines, answers, strict=True):
            answer.close()
            line.close()
        wait_until(lambda: control.app.preview.viewers == 0)
        after = len(rig.sink.pictures)
        wait_until(lambda: len(rig.sink.pictures) > after + 20)  # one may be on its way still
        done = len(made)
        wait_until(lambda: len(rig.sink.pictures) > after + 60)
        assert len(made) == done


def test_moving_pictures_have_a_rate_however_many_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_module, "_MOVING_EVERY_S", 0.05)

    async def scenario(control: Control) -> tuple[float, set[bytes]]:
        loop = asyncio.get_running_loop()
        shots = control.app.preview._moving[0]
        began_s, found = loop.time(), set()
        for _ in range(6):
            both = await asyncio.gather(shots.next(), shots.next())
            assert both[0] is both[1]
            found.add(both[0])
        return loop.time() - began_s, found

    rig = Rig()
    with running(tmp_path, rig) as control:
        rig.wait_live(1)
        took_s, _ = asyncio.run(scenario(control))
    assert took_s >= 5 * 0.05, "a rate is a lower limit of time, which no load can break"


def test_who_looks_at_the_matte_sees_the_matte_and_there_is_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview_module, "MOST_VIEWERS", 1)
    rig = Rig()
    with running(tmp_path, rig) as control, HttpServer(control.app.asgi, Address("127.0.0.1", 0)) as server:
        rig.wait_live(1)
        line = HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
        line.request("GET", f"{API}/preview.mjpg?matte=1")
        answer = line.getresponse()
        (matte,) = parts(answer, 1)
        assert pixels(matte).shape == (room.CAMERA.height, room.CAMERA.width)
        assert control.ask("GET", "/preview.mjpg")[0] == 429
        control.app.close()
        answer.read()  # to its end
        line.close()
        wait_until(lambda: control.app.preview.viewers == 0)


def test_the_room_is_no_moving_picture_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview_module, "WAIT_S", 0.05)
    rig = Rig()
    with running(tmp_path, rig) as control, HttpServer(control.app.asgi, Address("127.0.0.1", 0)) as server:
        rig.wait_live(1)
        line = HTTPConnection("127.0.0.1", server.port, timeout=LIMIT_S)
        line.request("GET", f"{API}/preview.mjpg")
        answer = line.getresponse()
        parts(answer, 1)
        control.ask("PATCH", "/scene", {"background": "none"})
        assert rig.sink.wait_for(lambda all_: any(map(room.leaks, all_)), LIMIT_S)
        assert control.ask("GET", "/preview.mjpg")[0] == 409
        shown = len(rig.sink.pictures)
        wait_until(lambda: len(rig.sink.pictures) > shown + 20)
        control.ask("PATCH", "/scene", {"background": "green"})
        rest = b"".join(answer.read(2000) for _ in range(40))
        line.close()
    for jpeg in rest.split(b"--vcam\r\n")[1:-1]:
        assert not leaks(pixels(jpeg.partition(b"\r\n\r\n")[2]))


def test_a_wide_picture_is_halved_for_looking_at() -> None:
    wide = preview_module._moving_matte(np.zeros((100, 2600), np.uint8))
    assert pixels(wide).shape == (34, 867)
    assert pixels(preview_module.matte_jpeg(np.zeros((100, 2600), np.uint8))).shape == (100, 2600)


def test_the_cameras_own_picture_is_given_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(policy=replace(POLICY, preview_source=False))
    with running(tmp_path, rig) as control:
        rig.wait_live(1)
        status, told = control.ask("GET", "/source.jpg")
        assert status == 403
        assert "preview_source" in str(told["hint"])
        monkeypatch.setattr(preview_module, "WAIT_S", 0.2)
        control.desk._config = Config(background="green", preview_source=True)
        assert control.ask("GET", "/source.jpg")[0] == 503, "the pipeline holds it back, whatever the API thinks"


def test_the_operator_may_let_the_cameras_own_picture_out(tmp_path: Path) -> None:
    rig = Rig(policy=replace(POLICY, preview_source=True))
    with running(tmp_path, rig) as control:
        rig.wait_live(1)
        control.desk._config = Config(background="green", preview_source=True)
        answer = control.client.get(f"{API}/source.jpg")
        assert answer.status_code == 200
        assert leaks(pixels(answer.content))
        assert not leaks(snapshot(control))
    rig.assert_closed()

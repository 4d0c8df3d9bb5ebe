"""The control server as a user gets it: on a port and a socket, with a token where one is needed."""

import json
import socket
import stat
import subprocess
import sys
import threading
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.control.rig import API, SECRET, Control
from vcam.config import Config
from vcam.control.start import Places, control_server
from vcam.errors import ConfigError
from vcam.installing import how_to_add

LOCAL = "127.0.0.1"


class SocketConnection(HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


def free_port() -> int:
    with socket.create_server((LOCAL, 0)) as probe:
        return int(probe.getsockname()[1])


def ask(line: HTTPConnection, method: str = "GET", path: str = "/scene", **headers: str) -> tuple[int, object]:
    try:
        line.request(method, API + path, headers=headers)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def control(folder: Path, **keys: object) -> Control:
    return Control(folder, config=Config.model_validate({"background": "green", **keys}))


def places(folder: Path) -> Places:
    return Places(folder / "run" / "control.sock", folder / "media", folder / "profiles")


def test_it_is_served_on_the_port_and_the_socket(tmp_path: Path) -> None:
    before, port = threading.active_count(), free_port()
    with control_server(control(tmp_path, control_port=port).desk, places(tmp_path)):
        path = tmp_path / "run" / "control.sock"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        for line in (HTTPConnection(LOCAL, port, timeout=20), SocketConnection(path)):
            status, told = ask(line)
            assert status == 200
            assert isinstance(told, dict)
            assert told["background"] == "green"
        assert ask(HTTPConnection(LOCAL, port, timeout=20), Host="evil.example")[0] == 403
        assert ask(SocketConnection(path), Host="anything")[0] == 200, "a browser cannot come this way"
        assert ask(SocketConnection(path), Origin="http://evil.example")[0] == 403
    assert not path.exists()
    assert threading.active_count() == before


def test_a_real_server_takes_dots_in_a_path_for_no_way_out(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "profiles").mkdir()
    (tmp_path / "vcam.toml").write_text('background = "blur"')
    with control_server(control(tmp_path, control_port=port).desk, places(tmp_path)):
        for path in ("/profiles/../vcam", "/profiles/..%2fvcam", "/backgrounds/..%2f..%2fetc%2fpasswd"):
            assert ask(HTTPConnection(LOCAL, port, timeout=20), path=path)[0] == 404


def test_other_computers_need_a_token_that_must_be_set_first(tmp_path: Path) -> None:
    with (
        pytest.raises(ConfigError, match=r"control_host 0\.0\.0\.0 lets other computers connect") as caught,
        control_server(control(tmp_path, control_host="0.0.0.0", control_port=free_port()).desk, places(tmp_path)),
    ):
        raise AssertionError("nothing is open")
    assert "control_token_file" in caught.value.hint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("host", ["::", "192.0.2.1", "no-such-host.invalid"])
def test_every_address_but_the_loopbacks_is_another_computers(tmp_path: Path, host: str) -> None:
    with (
        pytest.raises(ConfigError, match="lets other computers connect"),
        control_server(control(tmp_path, control_host=host, control_port=free_port()).desk, places(tmp_path)),
    ):
        raise AssertionError("nothing is open")


def test_with_a_token_other_addresses_are_served(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(SECRET + "\n")
    port = free_port()
    keys = {"control_host": "0.0.0.0", "control_port": port, "control_token_file": tmp_path / "token"}
    with control_server(control(tmp_path, **keys).desk, places(tmp_path)):
        assert ask(HTTPConnection(LOCAL, port, timeout=20))[0] == 200
        assert ask(HTTPConnection(LOCAL, port, timeout=20), Authorization="Bearer wrong")[0] == 401
        assert ask(HTTPConnection(LOCAL, port, timeout=20), Host=f"0.0.0.0:{port}")[0] == 403
        good = {"Authorization": f"Bearer {SECRET}", "Host": "vcam.example"}
        assert ask(HTTPConnection(LOCAL, port, timeout=20), **good)[0] == 200


def test_a_token_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    keys = {"control_port": free_port(), "control_token_file": tmp_path / "token"}
    with (
        pytest.raises(ConfigError, match="cannot be read"),
        control_server(control(tmp_path, **keys).desk, places(tmp_path)),
    ):
        raise AssertionError("nothing is open")


def test_a_port_that_was_asked_for_must_be_had(tmp_path: Path) -> None:
    with socket.create_server((LOCAL, 0)) as other:
        taken = other.getsockname()[1]
        with (
            pytest.raises(ConfigError, match=f"cannot listen on {LOCAL} port {taken}") as caught,
            control_server(control(tmp_path, control_port=taken).desk, places(tmp_path)),
        ):
            raise AssertionError("nothing is open")
    assert "control_host and control_port in vcam.toml" in caught.value.hint


def test_a_default_that_another_vcam_has_is_no_reason_to_stop(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    as_if_default = Config.model_construct(_fields_set=set(), background="green", control_port=free_port())
    first, second = (Control(tmp_path / name, config=as_if_default) for name in ("first", "second"))
    with control_server(first.desk, places(tmp_path)), control_server(second.desk, places(tmp_path)):
        told = [record for record in caplog.records if record.getMessage() == "http.not_listening"]
        assert len(told) == 2
        assert ask(SocketConnection(tmp_path / "run" / "control.sock"))[0] == 200


def test_both_can_be_off(tmp_path: Path) -> None:
    before = threading.active_count()
    with control_server(control(tmp_path, control_port=0, control_socket="none").desk, places(tmp_path)):
        assert threading.active_count() == before
    assert not (tmp_path / "run").exists()


def test_a_socket_that_was_named_is_the_one(tmp_path: Path) -> None:
    named = tmp_path / "named.sock"
    with control_server(control(tmp_path, control_port=0, control_socket=named).desk, places(tmp_path)):
        assert ask(SocketConnection(named))[0] == 200
    assert not (tmp_path / "run").exists()


def test_without_the_extra_vcam_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    desk = control(tmp_path).desk
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "starlette" else object())
    before = threading.active_count()
    with control_server(desk, places(tmp_path)):
        assert threading.active_count() == before
    (record,) = [each for each in caplog.records if each.getMessage() == "control.off"]
    assert how_to_add("service") in record.__dict__["hint"]


def test_settings_and_changes_need_no_web_library() -> None:
    code = "import sys, vcam.control.start; print([name for name in ('starlette', 'uvicorn') if name in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


def test_an_open_stream_of_events_does_not_hold_up_the_end(tmp_path: Path) -> None:
    port, before = free_port(), threading.active_count()
    line = HTTPConnection(LOCAL, port, timeout=20)
    with control_server(control(tmp_path, control_port=port).desk, places(tmp_path)):
        line.request("GET", f"{API}/events")
        answer = line.getresponse()
        assert answer.readline() == b"event: state\n"
    answer.read()
    line.close()
    assert threading.active_count() == before

"""The metrics port over real sockets: pages, health, start, stop, and a port that is taken."""

import json
import logging
import signal
import socket
import stat
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.service.snapshots import RUNNING, STARTING, observed, running
from vcam.errors import ConfigError
from vcam.installing import how_to_add
from vcam.pipeline.snapshot import SafeReason, Snapshot, State
from vcam.pipeline.statistics import Observed
from vcam.service.health import Health, make_app
from vcam.service.http import Address, HttpServer, SocketFile
from vcam.service.metrics import make_registry
from vcam.service.start import metrics_server

LOCAL = "127.0.0.1"


class Served:
    """A server whose snapshot and time a test sets."""

    def __init__(self) -> None:
        self.now: Snapshot = running()
        self.time_s = 50.0
        health = Health(self.snapshot, silence_limit_s=5.0, clock=lambda: self.time_s)
        self.server = HttpServer(make_app(health, make_registry(self.snapshot)), Address(LOCAL, 0))

    def snapshot(self) -> Snapshot:
        return self.now

    def get(self, path: str) -> tuple[int, str, str]:
        """Status, content type, body."""
        try:
            with urllib.request.urlopen(f"http://{LOCAL}:{self.server.port}{path}", timeout=10) as answer:
                return answer.status, answer.headers["content-type"], answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers["content-type"], error.read().decode()


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """One for all: stopping takes two tenths of a second."""
    served = Served()
    with served.server:
        yield served


@pytest.fixture
def served(server: Served) -> Iterator[Served]:
    """The server, with a snapshot and a time of this test's own."""
    before = server.now, server.time_s
    yield server
    server.now, server.time_s = before


def test_metrics_are_served_as_prometheus_reads_them(served: Served) -> None:
    status, kind, body = served.get("/metrics")
    assert status == 200
    assert kind.startswith("text/plain; version=")
    assert 'vcam_frames_total{outcome="live"} 3.0' in body
    assert "process_cpu_seconds_total" in body


def test_each_scrape_sees_the_present(served: Served) -> None:
    served.now = observed(replace(RUNNING, camera_up=False))
    assert "vcam_camera_up 0.0" in served.get("/metrics")[2]


def test_an_unknown_path_is_not_found(served: Served) -> None:
    assert served.get("/nothing")[0] == 404


@pytest.mark.parametrize(
    ("what", "healthy", "ready"),
    [
        (RUNNING, True, True),
        (replace(RUNNING, state=State.SAFE, safe_reason=SafeReason.CAMERA_LOST), True, False),
        (replace(RUNNING, last_write_age_s=5.1), False, True),
        (replace(RUNNING, state=State.IDLE, last_write_age_s=500.0), True, True),
        (STARTING, True, False),
    ],
    ids=["live", "safe", "silent", "idle", "starting"],
)
def test_health_and_readiness(served: Served, what: Observed, healthy: bool, ready: bool) -> None:
    served.now = observed(what)
    assert served.get("/healthz")[0] == (200 if healthy else 503)
    assert served.get("/readyz")[0] == (200 if ready else 503)


def test_a_start_without_any_picture_is_ill_after_a_while(served: Served) -> None:
    served.now = observed(STARTING)
    served.time_s += 5.1
    assert served.get("/healthz")[0] == 503


def test_health_says_why(served: Served) -> None:
    served.now = observed(replace(RUNNING, state=State.SAFE, safe_reason=SafeReason.LATE, last_write_age_s=9.0))
    status, kind, body = served.get("/healthz")
    told = json.loads(body)
    assert (status, kind) == (503, "application/json")
    assert (told["ok"], told["state"], told["safe_reason"], told["last_write_age_s"]) == (False, "safe", "late", 9.0)
    assert told["engine"] == "openvino"


def names() -> list[str]:
    """Of all threads."""
    return [thread.name for thread in threading.enumerate()]


def test_the_thread_has_a_name_and_ends() -> None:
    before = names().count("vcam-http")
    served = Served()
    with served.server:
        assert names().count("vcam-http") == before + 1
        served.get("/healthz")
    assert names().count("vcam-http") == before


def test_the_port_is_free_after_the_end_and_closing_twice_is_harmless() -> None:
    served = Served()
    with served.server:
        port = served.server.port
    served.server.__exit__(None, None, None)
    with socket.create_server((LOCAL, port)):
        pass


def test_a_stop_right_after_the_start_ends_the_thread() -> None:
    before = threading.active_count()
    for _ in range(5):
        with Served().server:
            pass
    assert threading.active_count() == before


def test_a_reader_that_never_finishes_does_not_hold_up_the_end() -> None:
    served, before = Served(), threading.active_count()
    with socket.socket() as reader:
        with served.server:
            reader.connect((LOCAL, served.server.port))
            reader.sendall(b"GET /metrics HTTP/1.1\r\n")
            served.get("/healthz")
        assert threading.active_count() == before


def test_no_signal_handler_and_no_log_handler_is_touched() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    handlers = [list(logging.getLogger(name).handlers) for name in ("", "uvicorn")]
    served = Served()
    with served.server:
        served.get("/healthz")
        assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
        assert [list(logging.getLogger(name).handlers) for name in ("", "uvicorn")] == handlers


def test_a_port_that_is_taken_is_a_clear_error() -> None:
    with socket.create_server((LOCAL, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            ConfigError, match=f"cannot listen on {LOCAL} port {port}: Address already in use"
        ) as caught:
            HttpServer(Served().server._app, Address(LOCAL, port)).__enter__()
    assert "http_port in vcam.toml" in caught.value.hint


def test_a_host_that_is_not_ours_is_a_clear_error() -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1 port 0"):
        HttpServer(Served().server._app, Address("192.0.2.1", 0)).__enter__()


def test_port_0_in_the_settings_means_off() -> None:
    before = threading.active_count()
    with metrics_server(running, LOCAL, 0):
        assert threading.active_count() == before


def test_without_the_extra_vcam_goes_on_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "starlette" else object())
    before = threading.active_count()
    with metrics_server(running, LOCAL, 9435):
        assert threading.active_count() == before
    (record,) = caplog.records
    assert (record.getMessage(), record.__dict__["missing"]) == ("metrics.off", "starlette")
    assert how_to_add("service") in record.__dict__["hint"]


def test_the_configured_port_is_served() -> None:
    with socket.create_server((LOCAL, 0)) as probe:
        port = probe.getsockname()[1]
    with (
        metrics_server(running, LOCAL, port),
        urllib.request.urlopen(f"http://{LOCAL}:{port}/readyz", timeout=10) as answer,
    ):
        assert answer.status == 200


def ask(path: Path) -> bytes:
    """Over a socket in the file system."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(str(path))
        line.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        return b"".join(iter(partial(line.recv, 4096), b""))


def test_a_socket_in_the_file_system_is_its_owners_only_and_goes_with_the_server(tmp_path: Path) -> None:
    path = tmp_path / "run" / "vcam.sock"
    app = Served().server._app
    with HttpServer(app, SocketFile(path), Address(LOCAL, 0)) as server:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert b"200 OK" in ask(path)
        with urllib.request.urlopen(f"http://{LOCAL}:{server.port}/healthz", timeout=10) as answer:
            assert answer.status == 200
            assert "server" not in answer.headers
    assert not path.exists()


def test_what_a_dead_process_left_is_replaced_and_a_living_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "vcam.sock"
    app = Served().server._app
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with HttpServer(app, SocketFile(path)):
        assert b"200 OK" in ask(path)
        with pytest.raises(ConfigError, match="Address already in use") as caught:
            HttpServer(app, SocketFile(path)).__enter__()
        assert "control_socket in vcam.toml" in caught.value.hint
        assert b"200 OK" in ask(path)


def test_what_is_no_socket_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("dear all")
    with pytest.raises(ConfigError, match="cannot listen on"):
        HttpServer(Served().server._app, SocketFile(path)).__enter__()
    assert path.read_text() == "dear all"


def test_an_address_that_is_only_wished_for_stops_nothing(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    app, path = Served().server._app, tmp_path / "vcam.sock"
    with socket.create_server((LOCAL, 0)) as other:
        taken = Address(LOCAL, other.getsockname()[1], optional=True)
        with HttpServer(app, taken, SocketFile(path)):
            assert b"200 OK" in ask(path)
        before = threading.active_count()
        with HttpServer(app, taken):
            assert threading.active_count() == before
    assert {record.getMessage() for record in caplog.records} == {"http.not_listening"}


def test_after_one_address_failed_none_is_open(tmp_path: Path) -> None:
    path = tmp_path / "vcam.sock"
    with pytest.raises(ConfigError):
        HttpServer(Served().server._app, SocketFile(path), Address("192.0.2.1", 0)).__enter__()
    assert not path.exists()

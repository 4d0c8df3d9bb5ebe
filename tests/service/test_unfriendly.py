"""Those who connect and say nothing, stop reading, come in masses, or ask under a name that is not ours."""

import asyncio
import socket
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from urllib.error import URLError

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.pipeline.rig import wait_until
from tests.service.snapshots import running
from vcam.service import connection
from vcam.service.health import Health, make_app
from vcam.service.hosts import LocalHosts
from vcam.service.http import Address, HttpServer
from vcam.service.metrics import make_registry
from vcam.service.start import metrics_server
from vcam.service.threads import in_thread

LOCAL = "127.0.0.1"


class Told:
    """Whether an answer without an end has ended."""

    def __init__(self) -> None:
        self.begun, self.ended = threading.Event(), threading.Event()

    async def pieces(self) -> AsyncIterator[bytes]:
        self.begun.set()
        try:
            while True:
                yield bytes(1 << 18)
                await asyncio.sleep(0)
        finally:
            self.ended.set()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def port(told: Told, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(connection, "PATIENCE_S", 0.2)

    async def good(_: Request) -> Response:
        return Response(b"good")

    async def whole(request: Request) -> Response:
        return Response(await request.body())

    async def endless(_: Request) -> Response:
        return StreamingResponse(told.pieces())

    routes = [Route("/", good), Route("/whole", whole, methods=["POST"]), Route("/endless", endless)]
    with HttpServer(Starlette(routes=routes), Address(LOCAL, 0)) as server:
        yield server.port


def line(port: int) -> socket.socket:
    return socket.create_connection((LOCAL, port), timeout=20)


def is_closed(end: socket.socket) -> bool:
    """By the other side; waits for it."""
    try:
        return end.recv(1) == b""
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX: "])
def test_who_does_not_ask_is_let_go(port: int, said: bytes) -> None:
    with line(port) as end:
        end.sendall(said)
        assert is_closed(end)


def test_who_asks_slowly_a_second_time_is_let_go(port: int) -> None:
    with line(port) as end:
        end.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        while not answer.endswith(b"good"):
            answer += end.recv(4096)
        end.sendall(b"GET / HT")
        assert is_closed(end)


def test_a_body_that_takes_longer_is_waited_for(port: int) -> None:
    """A limit of its own holds for that; see vcam.control.answers."""
    with line(port) as end, line(port) as silent:
        end.sendall(b"POST /whole HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab")
        assert is_closed(silent), "as long as that"
        end.sendall(b"cd")
        assert b"".join(iter(lambda: end.recv(4096), b"")).endswith(b"abcd")


def test_who_stops_reading_is_let_go(port: int, told: Told) -> None:
    with socket.socket() as end:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        end.settimeout(20)
        end.connect((LOCAL, port))
        end.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert told.begun.wait(20)
        assert told.ended.wait(20)


def test_there_is_an_end_to_connections_and_who_asks_comes_first(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "MOST_CONNECTIONS", 4)
    monkeypatch.setattr(connection, "PATIENCE_S", 60.0)
    with ExitStack() as stack:
        first, *_ = [stack.enter_context(line(port)) for _ in range(4)]
        wait_until(lambda: is_answered(port))
        assert is_closed(first), "who has said nothing for longest"


def is_answered(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{LOCAL}:{port}/", timeout=20) as answer:
            return bool(answer.read() == b"good")
    except (URLError, ConnectionError):
        return False


def test_work_in_a_thread_does_not_hold_up_the_end() -> None:
    begun, gate = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        gate.wait(60)

    async def slow(_: Request) -> Response:
        await in_thread(work)
        return Response(b"done")

    try:
        with HttpServer(Starlette(routes=[Route("/", slow)]), Address(LOCAL, 0)) as server, line(server.port) as end:
            end.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert begun.wait(20)
        assert not gate.is_set(), "it was not waited for"
        working = [thread for thread in threading.enumerate() if thread.name == "vcam-request"]
        assert working
        assert all(thread.daemon for thread in working)
    finally:
        gate.set()


def test_what_a_thread_raises_arrives(port: int) -> None:
    shelf: dict[str, int] = {}

    async def bad(_: Request) -> Response:
        with pytest.raises(KeyError, match="lost"):
            await in_thread(shelf.__getitem__, "lost")
        return Response(str(await in_thread(int, "42")))

    assert TestClient(Starlette(routes=[Route("/", bad)])).get("/").text == "42"


def ask(port: int, host: str, path: str = "/metrics") -> int:
    end = HTTPConnection(LOCAL, port, timeout=20)
    try:
        end.request("GET", path, headers={"Host": host})
        return end.getresponse().status
    finally:
        end.close()


def test_the_metrics_port_tells_a_rebinding_page_nothing() -> None:
    with socket.create_server((LOCAL, 0)) as probe:
        port = probe.getsockname()[1]
    with metrics_server(running, LOCAL, port):
        for path in ("/metrics", "/healthz", "/readyz", "/nothing"):
            assert ask(port, "evil.example:9435", path) == 403
        assert ask(port, f"localhost:{port}") == 200


OURS = ["vcam:9435", "localhost", "LOCALHOST:9435", "127.0.0.1:9435", "[::1]:9435", "192.168.1.5:9435", "room-12", ""]
EVIL = ["evil.example", "evil.example:9435", "127.0.0.1.evil.example", "localhost.evil.example", "0.0.0.0:9435", "["]


def asked(peer: str, name: str, *, host: str = "", gateway: str | None = None) -> int:
    app = LocalHosts(make_app(Health(running), make_registry(running)), host=host, gateway=gateway)
    client = TestClient(app, base_url="http://x", client=(peer, 1))
    return client.get("/metrics", headers={"host": name}).status_code


def test_prometheus_asks_by_any_name_and_a_browser_here_by_ours() -> None:
    assert {host: asked("127.0.0.1", host) for host in OURS} == dict.fromkeys(OURS, 200)
    assert {host: asked("127.0.0.1", host) for host in EVIL} == dict.fromkeys(EVIL, 403)
    assert asked("::ffff:127.0.0.1", "evil.example") == 403
    assert asked("192.0.2.7", "room-12.example.net:9435") == 200, "a Prometheus elsewhere, where that was asked for"
    assert asked("127.0.0.1", "cam.example.net", host="cam.example.net") == 200


def test_in_a_container_its_gateway_is_this_computer() -> None:
    assert asked("172.18.0.1", "evil.example", gateway="172.18.0.1") == 403
    assert asked("172.18.0.1", "127.0.0.1:9435", gateway="172.18.0.1") == 200
    assert asked("172.18.0.3", "vcam:9435", gateway="172.18.0.1") == 200

"""The real computer behind the view: what the system calls make of it."""

import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from vcam.doctor.view import View, free_bytes, listen, page, run_program, whoami


def test_programs_answer() -> None:
    answer = run_program(("sh", "-c", "echo out; echo err >&2; exit 3"))
    assert answer is not None
    assert (answer.code, answer.text.split()) == (3, ["out", "err"])


def test_programs_that_are_not_there_have_no_answer() -> None:
    assert run_program(("vcam-no-such-program",)) is None


def test_programs_that_hang_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcam.doctor.view._PROGRAM_LIMIT_S", 0.05)
    answer = run_program(("sleep", "60"))
    assert answer is not None
    assert "no answer within" in answer.text


def test_who_runs_this() -> None:
    identity = whoami()
    assert identity.uid == os.getuid()
    assert os.getegid() in identity.groups


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    assert whoami().user == "4000000000"


def test_disk(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0


def test_ports() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listen("127.0.0.1", port) == "it is taken"
    assert listen("127.0.0.1", 0) is None
    assert listen("203.0.113.1", 0) not in (None, "it is taken")


@pytest.fixture
def served() -> Iterator[str]:
    """A page that is there, and others that are not well."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/good" else 503)
            self.end_headers()
            self.wfile.write(b"told")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_pages(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://203.0.113.1:1")
    assert page(f"{served}/good") == (200, "told")
    assert page(f"{served}/ill") == (503, "told")


def test_a_page_that_nobody_serves() -> None:
    assert page("http://127.0.0.1:1/healthz") is None


def test_names_and_paths(tmp_path: Path) -> None:
    view = View(root=tmp_path)
    assert view.name(view.path("/dev/video0")) == "/dev/video0"
    assert view.name(Path("/elsewhere")) == "/elsewhere"
    assert view.text("nothing") is None
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert view.text("binary") is None

"""Another host, for which a network namespace stands: it is refused without the token, whatever it says of itself."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.control.rig import API, SECRET, Control
from vcam.service.http import Address, HttpServer

OURS, THEIRS = "10.213.77.1", "10.213.77.2"
_ASK = """
import json, sys, urllib.error, urllib.request
method, url, headers = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
try:
    with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers), timeout=20) as answer:
        print(answer.status)
except urllib.error.HTTPError as error:
    print(error.code, json.loads(error.read())["problem"])
"""
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    """The name of a namespace with a cable to this one."""
    name, here, there = f"vcam-{os.getpid()}", f"vc{os.getpid() % 100_000}a", f"vc{os.getpid() % 100_000}b"
    try:
        if os.geteuid() or shutil.which("ip") is None:
            raise PermissionError("needs root, and ip of iproute2")
        ip("netns", "add", name)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"no network namespace can be made here: {error}"
        if "netns" in os.environ.get("VCAM_REQUIRE", "").split(","):
            pytest.fail(reason)
        pytest.skip(reason)
    try:
        ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
        ip("addr", "add", f"{OURS}/30", "dev", here)
        ip("link", "set", here, "up")
        ip("-n", name, "addr", "add", f"{THEIRS}/30", "dev", there)
        ip("-n", name, "link", "set", there, "up")
        yield name
    finally:
        ip("netns", "del", name)  # and both ends of the cable with it


class Afar:
    """Asks from the other host."""

    def __init__(self, namespace: str, port: int) -> None:
        self._namespace = namespace
        self._port = port

    def __call__(self, path: str, headers: Mapping[str, str] = _NO_HEADERS, method: str = "GET") -> str:
        url = f"http://{OURS}:{self._port}{path}"
        command = ["ip", "netns", "exec", self._namespace, sys.executable, "-c", _ASK, method, url]
        done = subprocess.run([*command, json.dumps(dict(headers))], capture_output=True, text=True, check=True)
        return done.stdout.strip()


@pytest.fixture
def afar(host: str, tmp_path: Path) -> Iterator[Afar]:
    with HttpServer(Control(tmp_path, token=SECRET).app.asgi, Address(OURS, 0)) as server:
        yield Afar(host, server.port)


RIGHT = {"Authorization": f"Bearer {SECRET}"}


@pytest.mark.parametrize("path", ["/", "/main.js", f"{API}/scene", f"{API}/snapshot.jpg", f"{API}/openapi.json"])
def test_another_host_is_refused_without_the_token(afar: Afar, path: str) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"Host": "127.0.0.1:9436"},
        {"Host": "localhost", "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"},
    ):
        assert afar(path, headers).startswith("401 ")
    assert afar(f"{API}/pause", method="POST").startswith("401 ")


def test_another_host_is_let_in_with_the_token_and_no_other_site(afar: Afar) -> None:
    password = base64.b64encode(f"ada:{SECRET}".encode()).decode()
    assert afar("/", {"Authorization": f"Basic {password}"}) == "200"
    assert afar(f"{API}/scene", RIGHT) == "200"
    assert afar(f"{API}/pause", RIGHT, "POST") == "200"
    assert afar(f"{API}/resume", {**RIGHT, "Origin": "http://evil.example"}, "POST").startswith("403 ")
    assert afar(f"{API}/resume", {**RIGHT, "Sec-Fetch-Site": "cross-site"}, "POST").startswith("403 ")


def test_where_no_token_is_set_no_other_host_is_let_in(host: str, tmp_path: Path) -> None:
    with HttpServer(Control(tmp_path).app.asgi, Address(OURS, 0)) as server:
        assert Afar(host, server.port)(f"{API}/scene", RIGHT).startswith("403 other computers are not admitted")

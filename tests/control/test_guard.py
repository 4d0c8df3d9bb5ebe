"""Who is let in: this computer, the socket's owner, whoever knows the token; no page of another site."""

import base64
from pathlib import Path

import pytest
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from tests.control.rig import AFAR, API, HERE, HOST, SECRET, Control
from tests.support.clock import Clock
from vcam.control import guard as guard_module
from vcam.control.guard import Token, read_token
from vcam.control.rates import Rate, Rates
from vcam.errors import ConfigError
from vcam.service.gateway import gateway

RIGHT = {"authorization": f"Bearer {SECRET}"}


@pytest.fixture
def control(tmp_path: Path) -> Control:
    return Control(tmp_path, token=SECRET)


def status(
    control: Control, peer: tuple[str, int] = HERE, host: str = HOST, headers: dict[str, str] | None = None
) -> int:
    """Of a harmless question; refusals say what to do."""
    answer = control.client_at(peer, host).get(f"{API}/scene", headers=headers)
    if answer.status_code != 200:
        assert set(answer.json()) == {"problem", "hint"}
    return answer.status_code


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_this_computer_needs_no_token(control: Control, peer: str) -> None:
    assert status(control, (peer, 1)) == 200


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "fe80::1", "unknown", ""])
def test_another_computer_needs_the_token(control: Control, peer: str) -> None:
    assert status(control, (peer, 1)) == 401
    assert status(control, (peer, 1), headers=RIGHT) == 200


@pytest.mark.parametrize("token", [None, SECRET])
def test_the_gateway_of_a_container_is_this_computer_and_its_neighbours_are_not(
    tmp_path: Path, token: str | None
) -> None:
    control = Control(tmp_path, token=token, gateway="172.18.0.1")
    assert status(control, ("172.18.0.1", 1)) == 200
    assert status(control, ("::ffff:172.18.0.1", 1)) == 200
    assert status(control, ("172.18.0.2", 1)) == (403 if token is None else 401)
    assert control.client_at(("172.18.0.1", 1), "evil.example:9436").get(f"{API}/scene").status_code == 403


_NEAR = "eth0 000012AC 00000000 0001 0 0 0 0000FFFF 0 0 0"


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        (
            "eth0 00000000 010012AC 0003 0 0 0 00000000 0 0 0\neth0 000012AC 00000000 0001 0 0 0 0000FFFF 0 0 0",
            "172.18.0.1",
        ),
        ("eth0 000012AC 010012AC 0003 0 0 0 0000FFFF 0 0 0", None),
        ("eth0 00000000 00000000 0001 0 0 0 00000000 0 0 0", None),
        ("eth0 00000000", None),
        ("", None),
    ],
)
def test_the_gateway_is_that_of_the_default_route(tmp_path: Path, routes: str, found: str | None) -> None:
    (tmp_path / "route").write_text(
        f"Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n{routes}\n"
    )
    assert gateway(tmp_path / "route") == found
    assert gateway(tmp_path / "none") is None


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer 0123456789abcdeF",
        f"Bearer {SECRET}x",
        f"Bearer {SECRET[:-1]}",
        f"Basic {SECRET}",
        "Basic",
        "Basic !",
        f"Basic {base64.b64encode(SECRET.encode()).decode()}",
        f"Basic {base64.b64encode(f'{SECRET}:wrong'.encode()).decode()}",
        f"Basic {base64.b64encode(b':' + bytes([255])).decode()}",
        SECRET,
        "Bearer \xff\xfe",
    ],
)
def test_a_wrong_token_is_refused_from_anywhere(control: Control, header: str) -> None:
    for peer in (AFAR, HERE):
        client = control.client_at(peer)
        answer = client.get(f"{API}/scene", headers=[(b"authorization", header.encode("latin-1"))])
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert SECRET not in answer.text


@pytest.mark.parametrize("name", ["", "ada"])
def test_a_browser_sends_the_token_as_a_password(control: Control, name: str) -> None:
    password = base64.b64encode(f"{name}:{SECRET}".encode()).decode()
    assert status(control, AFAR, headers={"authorization": f"Basic {password}"}) == 200
    refused = control.client_at(AFAR).get("/")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic realm=")


def test_who_gives_no_token_has_guessed_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "_WRONG_TOKENS", Rate(burst=2, per_s=0.001))
    control = Control(tmp_path, token=SECRET)
    assert [status(control, AFAR) for _ in range(5)] == [401] * 5
    assert status(control, AFAR, headers=RIGHT) == 200


def test_a_peer_that_is_gone_is_not_taken_for_the_sockets_owner() -> None:
    """On a port uvicorn may not know who connected; on the socket it knows no port."""
    headers = Headers({"host": HOST})
    scope: Scope = {"type": "http", "client": None, "headers": headers.raw}
    for server, peer in ((("127.0.0.1", 9436), False), (None, False), (("run/control.sock", None), True)):
        assert guard_module._peer({**scope, "server": server}, None).here is peer


def test_without_a_token_nobody_from_afar_is_let_in(tmp_path: Path) -> None:
    control = Control(tmp_path)
    assert status(control, AFAR) == 403
    assert status(control, AFAR, headers=RIGHT) == 403
    assert status(control, HERE) == 200


def test_what_a_proxy_says_lets_nobody_in(control: Control) -> None:
    said = {"x-forwarded-for": "127.0.0.1", "forwarded": "for=127.0.0.1", "x-real-ip": "127.0.0.1"}
    assert status(control, AFAR, headers=said) == 401


def test_guessing_is_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "_WRONG_TOKENS", Rate(burst=3, per_s=0.001))
    control = Control(tmp_path, token=SECRET)
    wrong = {"authorization": "Bearer wrong"}
    assert [status(control, AFAR, headers=wrong) for _ in range(5)] == [401, 401, 401, 429, 429]
    assert status(control, AFAR, headers=RIGHT) == 429, "else the answer would tell that this one is right"
    assert status(control, ("192.0.2.8", 1), headers=RIGHT) == 200, "others are not held up"
    assert status(control, HERE) == 200


def test_floods_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_module, "_REQUESTS", Rate(burst=4, per_s=0.001))
    control = Control(tmp_path, token=SECRET)
    assert [status(control) for _ in range(6)] == [200] * 4 + [429] * 2
    answer = control.client.get(f"{API}/scene")
    assert int(answer.headers["retry-after"]) > 1
    assert status(control, AFAR, headers=RIGHT) == 200, "others are not held up"


@pytest.mark.parametrize("host", ["127.0.0.1:9436", "localhost:9436", "LOCALHOST", "[::1]:9436", "localhost:8080"])
def test_names_of_this_computer(control: Control, host: str) -> None:
    assert status(control, host="127.0.0.1", headers={"host": host}) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:9436", "0.0.0.0:9436", "192.0.2.9", "", "[::1", "a@127.0.0.1@b"]
)
def test_a_name_of_another_site_is_refused(control: Control, host: str) -> None:
    """DNS rebinding: the attacker's own name leads here, and the browser thinks that all is one site."""
    assert status(control, headers={"host": host}) == 403


def test_who_knows_the_token_may_use_any_name(control: Control) -> None:
    assert status(control, AFAR, headers={"host": "vcam.example:9436", **RIGHT}) == 200
    assert status(control, HERE, headers={"host": "vcam.example:9436", **RIGHT}) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9437"},
        {"origin": "http://localhost:9436"},
        {"origin": f"file://{HOST}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": f"http://{HOST}", "sec-fetch-site": "cross-site"},
    ],
)
@pytest.mark.parametrize("known", [False, True], ids=["stranger", "with the token"])
def test_a_page_of_another_site_is_refused(control: Control, headers: dict[str, str], known: bool) -> None:
    headers = {**headers, **(RIGHT if known else {})}
    assert status(control, headers=headers) == 403
    before = control.scene()
    answer = control.client.patch(f"{API}/scene", json={"background": "none"}, headers=headers)
    assert answer.status_code == 403
    assert control.client.post(f"{API}/pause", headers=headers).status_code == 403
    assert control.scene() == before


def test_a_page_of_ours_is_let_in(control: Control) -> None:
    assert status(control, headers={"origin": f"http://{HOST}", "sec-fetch-site": "same-origin"}) == 200
    assert status(control, headers={"sec-fetch-site": "none"}) == 200


@pytest.mark.parametrize("name", ["host", "origin", "authorization"])
def test_a_header_that_two_readers_could_read_differently_is_refused(control: Control, name: str) -> None:
    headers = [(name, "127.0.0.1"), (name, "evil.example")]
    assert control.client.get(f"{API}/scene", headers=headers).status_code == 400


@pytest.mark.parametrize("path", ["/scene", "/nothing", "/snapshot.jpg?x=1", "/openapi.json", "/backgrounds/a"])
@pytest.mark.parametrize("peer", [HERE, AFAR])
def test_every_answer_has_the_headers_of_safety(control: Control, path: str, peer: tuple[str, int]) -> None:
    headers = control.client_at(peer).get(API + path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cache-control"] == "no-store"
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "server" not in headers


def test_other_sites_get_no_leave_beforehand(control: Control) -> None:
    asked = {"origin": "http://evil.example", "access-control-request-method": "PATCH"}
    answer = control.client.options(f"{API}/scene", headers=asked)
    assert answer.status_code == 403
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_fault_is_told_without_its_traceback(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(control.pipeline, "snapshot", broken)
    answer = control.client_at(HERE, raises=False).get(f"{API}/state")
    assert answer.status_code == 500
    assert set(answer.json()) == {"problem", "hint"}
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("method", "path"), [("PUT", "/scene"), ("DELETE", "/state"), ("GET", "/pause")])
def test_another_method_is_told_which_there_are(control: Control, method: str, path: str) -> None:
    answer = control.client.request(method, API + path)
    assert answer.status_code == 405
    assert answer.headers["allow"]
    assert set(answer.json()) == {"problem", "hint"}


def test_anything_but_http_is_not_answered(control: Control) -> None:
    async def never(*_: object) -> None:
        raise AssertionError("nothing is read and nothing sent")

    scope: Scope = {"type": "websocket", "path": f"{API}/scene", "headers": []}
    receive: Receive = never  # type: ignore[assignment]  # takes nothing, gives nothing
    send: Send = never
    call = control.app.asgi(scope, receive, send)
    with pytest.raises(StopIteration):
        call.__await__().__next__()


def test_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"  {SECRET}\n")
    assert read_token(file).fits(SECRET)
    assert SECRET not in repr(vars(read_token(file)))


@pytest.mark.parametrize("text", ["", "short", "fifteen letters", "Schlüssel-mit-Umlaut"])
def test_a_token_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_text(text)
    with pytest.raises(ConfigError, match="token") as caught:
        read_token(file)
    assert "openssl" in caught.value.hint
    with pytest.raises(ConfigError, match="cannot be read"):
        read_token(tmp_path / "nothing")


def test_tokens_are_compared_by_digest() -> None:
    assert Token("a" * 16).fits("a" * 16)
    assert not Token("a" * 16).fits("a" * 17)
    assert not Token("a" * 16).fits("")


def test_a_bucket_fills_steadily_to_its_brim_and_no_further() -> None:
    clock = Clock()
    rates = Rates(Rate(burst=2, per_s=0.5), clock=clock)
    assert [rates.take("a"), rates.take("a"), rates.take("a")] == [0.0, 0.0, 2.0]
    assert rates.take("b") == 0.0
    clock.now_s += 1.0
    assert rates.wait_s("a") == 1.0
    clock.now_s += 100.0
    assert [rates.take("a"), rates.take("a"), rates.take("a")] == [0.0, 0.0, 2.0]


def test_a_thousand_peers_take_no_more_memory_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcam.control.rates._MOST_PEERS", 3)
    rates = Rates(Rate(burst=1, per_s=0.001), clock=Clock())
    for k in range(10):
        rates.take(str(k))
    assert len(rates._buckets) == 3
    assert rates.take("9") > 0
    assert rates.take("0") == 0.0, "forgotten"

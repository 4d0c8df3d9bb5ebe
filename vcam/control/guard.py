"""Who may ask: everything is refused here before any of it is looked at, and every answer gets the headers of safety.

On the socket in the file system its permissions decide. On a port: this computer needs no token, every other one does.
A page of another site that a browser shows can reach 127.0.0.1 too, so a browser's request must come from a page of
ours (Origin, Sec-Fetch-Site), under a name that is ours (Host: DNS rebinding), unless it knows the token. A browser
asks for the token as it asks for a password (Basic), with any name; programs send it as it is (Bearer).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vcam.control.answers import problem_response
from vcam.control.endpoint import PREFIX
from vcam.control.rates import Rate, Rates
from vcam.control.refusal import RefusedError, busy
from vcam.errors import ConfigError
from vcam.service.hosts import HINT, OwnNames, is_here

SHORTEST_TOKEN = 16

_REQUESTS = Rate(burst=300, per_s=100)
_WRONG_TOKENS = Rate(burst=10, per_s=0.2)
_OUR_SITES = frozenset({"same-origin", "none"})

_ALWAYS = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)


class Token:
    """A secret. Compared in constant time; its length does not show either."""

    def __init__(self, text: str) -> None:
        self._digest = hashlib.sha256(text.encode()).digest()

    def fits(self, text: str) -> bool:
        return hmac.compare_digest(self._digest, hashlib.sha256(text.encode()).digest())


def read_token(file: Path) -> Token:
    """Raises ConfigError."""
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"control_token_file {file} cannot be read: {error}", hint=f"openssl rand -hex 16 >{file}"
        ) from error
    if len(text) < SHORTEST_TOKEN:
        raise ConfigError(
            f"the token in {file} has {len(text)} characters, fewer than {SHORTEST_TOKEN}",
            hint=f"openssl rand -hex 16 >{file}",
        )
    if not text.isascii():
        raise ConfigError(f"the token in {file} is not plain ASCII", hint=f"openssl rand -hex 16 >{file}")
    return Token(text)


@dataclass(frozen=True, slots=True)
class _Peer:
    """Who asks. name: its address. here: this computer, or the socket's owner. socket: by the socket."""

    name: str
    here: bool
    socket: bool


@dataclass(frozen=True, slots=True)
class Admission:
    """Who is let in. token: None admits nobody from afar. names: hosts that are ours besides the loopback's.

    gateway: an address that stands for this computer, too: that of a container's network, where the port is published
    to this computer only.
    """

    token: Token | None = None
    names: Sequence[str] = ()
    gateway: str | None = None


class Guard:
    """Wraps the application."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._token = admission.token
        self._gateway = admission.gateway
        self._names = OwnNames(admission.names)
        self._requests = Rates(_REQUESTS)
        self._wrong_tokens = Rates(_WRONG_TOKENS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS:
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] != "http":
            return
        try:
            self._admit(scope)
        except RefusedError as error:
            await problem_response(error)(scope, receive, send_safely)
        else:
            await self._app(scope, receive, send_safely)

    def _admit(self, scope: Scope) -> None:
        """Raises RefusedError."""
        peer, headers = _peer(scope, self._gateway), Headers(scope=scope)
        wait_s = self._requests.take(peer.name)
        if wait_s:
            raise busy("too many requests", hint="ask less often; GET /api/v1/events tells every change", wait_s=wait_s)
        trusted = self._check_token(peer, headers, _challenge(scope))
        host = _only(headers, "host")
        if not (peer.socket or trusted or self._names.has(host, scope)):
            raise _forbidden(f"{host or 'nothing'} is no name of this server", HINT)
        _check_site(headers, host)

    def _check_token(self, peer: _Peer, headers: Headers, challenge: str) -> bool:
        """Whether the right one was given. A wrong one is refused even where none is needed."""
        header = _only(headers, "authorization")
        if not header and peer.here:
            return False
        if self._token is None and not peer.here:
            raise _forbidden("other computers are not admitted", "set control_token_file in vcam.toml")
        wait_s = self._wrong_tokens.wait_s(peer.name)
        if wait_s:
            raise busy("too many wrong tokens", hint="wait, then send the right one", wait_s=wait_s)
        given = _given(header)
        if self._token is None or given is None or not self._token.fits(given):
            if header:
                self._wrong_tokens.take(peer.name)
            raise RefusedError(
                HTTPStatus.UNAUTHORIZED,
                "the token is missing or wrong",
                hint="send the header Authorization: Bearer TOKEN, with the text of control_token_file",
                headers={"WWW-Authenticate": challenge},
            )
        return True


def _challenge(scope: Scope) -> str:
    """Who opens the page is asked by the browser; a program must not make one ask."""
    api = str(scope["path"]).startswith(f"{PREFIX}/")
    return "Bearer" if api else 'Basic realm="vcam: any name, and the token as the password", charset="UTF-8"'


def _given(header: str) -> str | None:
    """The token in it; None where it has none."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None


def _peer(scope: Scope, gateway: str | None) -> _Peer:
    """On a socket in the file system uvicorn knows no peer's address, and no port of ours."""
    client, server = scope.get("client"), scope.get("server")
    if client is None:
        socket = server is not None and server[1] is None
        return _Peer("socket" if socket else "unknown", here=socket, socket=socket)
    return _Peer(str(client[0]), here=is_here(str(client[0]), gateway), socket=False)


def _only(headers: Headers, name: str) -> str:
    """The header's value; one that is given twice is refused, because two readers may choose differently."""
    values = headers.getlist(name)
    if len(values) > 1:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"the header {name} is given twice", hint="give it once")
    return values[0] if values else ""


def _check_site(headers: Headers, host: str) -> None:
    """Raises RefusedError when a browser says that another site's page asks."""
    origin, site = _only(headers, "origin"), _only(headers, "sec-fetch-site")
    ours = not origin or (host and origin.lower() in (f"http://{host.lower()}", f"https://{host.lower()}"))
    if not ours or (site and site not in _OUR_SITES):
        raise _forbidden("a page of another site asks", "open this server's own address in the browser")


def _forbidden(problem: str, hint: str) -> RefusedError:
    return RefusedError(HTTPStatus.FORBIDDEN, problem, hint=hint)

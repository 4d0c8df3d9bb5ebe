"""Asking a running vcam: over its socket in the file system, or a URL. Standard library only."""

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlencode, urlsplit

from vcam.control.refusal import RefusedError
from vcam.errors import ConfigError, ControlError

_PREFIX = "/api/v1"
_TIMEOUT_S = 180.0
"""An upload is decoded before it is answered, after one that others sent."""

Json: TypeAlias = dict[str, object]


@dataclass(frozen=True, slots=True)
class Call:
    """A request. body: JSON, or the bytes of a file of that kind."""

    method: str
    path: str
    body: Json | bytes | None = None
    kind: str = "application/json"
    query: tuple[tuple[str, str], ...] = ()


class Client:
    """Asks the first place that answers. places: socket files or URLs. token: for other computers' vcam."""

    def __init__(self, places: Sequence[Path | str], token: str | None = None) -> None:
        self._places = places
        self._token = token

    def ask(self, call: Call) -> bytes:
        """The answer's body. Raises RefusedError with the server's problem and hint, ControlError when none runs."""
        failures: list[str] = []
        for place in self._places:
            line = _connection(place)
            try:
                line.connect()
            except OSError as error:
                failures.append(f"{place}: {error.strerror or error}")
                continue
            try:
                return self._asked(line, call)
            except (OSError, HTTPException) as error:
                raise ControlError(
                    f"vcam at {place} gave no answer: {error}", hint="does it still run? Its log says why it ended"
                ) from error
            finally:
                line.close()
        tried = "; ".join(failures) or "there is no socket of one"
        raise ControlError(
            f"no vcam runs here that can be reached ({tried})",
            hint="start it: vcam run; or say where it is: --socket PATH, --url http://HOST:9436, --config FILE",
        )

    def json(self, call: Call) -> Json:
        """The answer as an object; empty where it has no body."""
        body = self.ask(call)
        told = json.loads(body) if body else {}
        if not isinstance(told, dict):
            raise ControlError("the answer is no vcam's", hint="is --url that of a vcam?")
        return told

    def _asked(self, line: HTTPConnection, call: Call) -> bytes:
        headers = {} if self._token is None else {"Authorization": f"Bearer {self._token}"}
        body = call.body if isinstance(call.body, bytes) or call.body is None else json.dumps(call.body).encode()
        if body is not None:
            headers["Content-Type"] = call.kind
        query = f"?{urlencode(call.query)}" if call.query else ""
        line.request(call.method, f"{_PREFIX}{call.path}{query}", body, headers)
        answer = line.getresponse()
        told = answer.read()
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise _refused(HTTPStatus(answer.status), told)
        return told


class _SocketFileConnection(HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_TIMEOUT_S)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise


def _connection(place: Path | str) -> HTTPConnection:
    """Raises ConfigError when a URL is none."""
    if isinstance(place, Path):
        return _SocketFileConnection(place)
    wrong = ConfigError(f"{place!r} is no address of a vcam", hint="write --url http://HOST:9436")
    try:
        parts = urlsplit(place)
        port = parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise wrong
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(parts.hostname, port, timeout=_TIMEOUT_S)


def _refused(status: HTTPStatus, body: bytes) -> ControlError:
    try:
        told = json.loads(body)
        return RefusedError(status, str(told["problem"]), hint=str(told["hint"]))
    except (ValueError, KeyError, TypeError):
        return ControlError(
            f"the answer was {status.value} {status.phrase}, which is no vcam's", hint="is --url that of a vcam?"
        )

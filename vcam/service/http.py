"""An ASGI application in a thread of its own: the port is bound on entering, the thread ends within a second.

The thread only ever reads immutable snapshots; nothing of the pipeline waits for it.
"""

import logging
import socket
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from vcam.errors import ConfigError

_log = logging.getLogger(__name__)

_STOP_LIMIT_S = 0.9
_OPEN_REQUESTS_LIMIT_S = 1
"""uvicorn's own limit for requests that are still being answered; ours is shorter and comes first."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 takes any free one. settings: the keys a user would change, for the error's hint."""

    host: str
    port: int
    settings: str = "http_host and http_port"


class HttpServer:
    """Serves ``app`` while entered."""

    def __init__(self, app: ASGIApp, address: Address, *, name: str = "vcam-http") -> None:
        self._app = app
        self._address = address
        self._name = name
        self._socket: socket.socket | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port in use; known once entered."""
        return self._address.port if self._socket is None else int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        """Listen. Raises ConfigError when the port is taken or the host is not ours."""
        self._socket = _listen(self._address)
        # The port is open from here on; log_config=None leaves logging as it is.
        config = uvicorn.Config(
            self._app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=_OPEN_REQUESTS_LIMIT_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name=self._name, daemon=False
        )
        self._thread.start()
        _log.info("http.listening", extra={"host": self._address.host, "port": self.port})
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_STOP_LIMIT_S)
            if self._thread.is_alive():
                self._server.force_exit = True
                self._thread.join()
        if self._socket is not None:
            self._socket.close()
        self._server = self._thread = self._socket = None


def _listen(address: Address) -> socket.socket:
    try:
        family = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((address.host, address.port), family=family)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {address.host} port {address.port}: {error.strerror or error}",
            hint=f"is another vcam running? Change {address.settings} in vcam.toml; port 0 turns it off",
        ) from error

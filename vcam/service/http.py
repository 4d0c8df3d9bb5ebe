"""An ASGI application in a thread of its own: what it listens on is bound on entering, the thread ends within a second.

The thread only ever reads immutable snapshots; nothing of the pipeline waits for it.
"""

import asyncio
import logging
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from vcam.errors import ConfigError
from vcam.service.connection import Connection

_log = logging.getLogger(__name__)

_STOP_LIMIT_S = 0.9
_OPEN_REQUESTS_LIMIT_S = 1
"""uvicorn's own limit for requests that are still being answered; ours is shorter and comes first."""

_ACCEPTED_AT_ONCE = 32
"""asyncio takes so many before it looks at one of them: a crowd must not take all descriptors meanwhile."""
_KNOCK_S = 1.0
_DATE_EVERY_S = 1.0
_OWNER_ONLY = 0o600
_OWNERS_FOLDER = 0o700


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen; port 0 takes any free one. settings: the keys a user would change, for the error's hint.

    optional: where it cannot be had, the log says so, and all else goes on.
    """

    host: str
    port: int
    settings: str = "http_host and http_port"
    optional: bool = False

    def __str__(self) -> str:
        return f"{self.host} port {self.port}"

    def listen(self) -> socket.socket:
        """Raises OSError."""
        family = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((self.host, self.port), family=family)


@dataclass(frozen=True, slots=True)
class SocketFile:
    """A socket in the file system that only its owner can open. One that a dead process left is replaced."""

    path: Path
    settings: str = "control_socket"
    optional: bool = False

    def __str__(self) -> str:
        return str(self.path)

    def listen(self) -> socket.socket:
        """Raises OSError."""
        self.path.parent.mkdir(mode=_OWNERS_FOLDER, parents=True, exist_ok=True)
        self._remove_dead()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self.path))
            self.path.chmod(_OWNER_ONLY)  # nobody can connect before listen()
            listener.listen()
        except OSError:
            listener.close()
            raise
        return listener

    def remove(self) -> None:
        with suppress(OSError):
            self.path.unlink()

    def _remove_dead(self) -> None:
        if not self.path.is_socket():
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as knock:
            knock.settimeout(_KNOCK_S)
            try:
                knock.connect(str(self.path))
            except ConnectionRefusedError:
                self.remove()


class _Server(uvicorn.Server):
    """uvicorn's looks ten times a second whether it is to end; this one is told, and sleeps meanwhile."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not await self.on_tick(0):  # which writes the date that answers bear
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _DATE_EVERY_S)

    def end(self) -> None:
        """Ask it to end. Any thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._told.set)


def _option(settings: str) -> str:
    """Of the last key, on the command line."""
    return "--" + settings.split()[-1].replace("_", "-")


class HttpServer:
    """Serves ``app`` while entered, on every address."""

    def __init__(self, app: ASGIApp, *addresses: Address | SocketFile, name: str = "vcam-http") -> None:
        self._app = app
        self._addresses = addresses
        self._name = name
        self._sockets: dict[Address | SocketFile, socket.socket] = {}
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port in use; known once entered."""
        for address, listener in self._sockets.items():
            if isinstance(address, Address):
                return int(listener.getsockname()[1])
        return next((each.port for each in self._addresses if isinstance(each, Address)), 0)

    def __enter__(self) -> Self:
        """Listen. Raises ConfigError when a port is taken or a host is not ours."""
        try:
            for address in self._addresses:
                self._listen(address)
        except ConfigError:
            self._close()
            raise
        if self._sockets:
            self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._thread is not None:
            self._server.end()
            self._thread.join(_STOP_LIMIT_S)
            if self._thread.is_alive():
                self._server.force_exit = True
                self._thread.join()
        self._close()
        self._server = self._thread = None

    def _listen(self, address: Address | SocketFile) -> None:
        try:
            self._sockets[address] = address.listen()
        except OSError as error:
            problem = f"cannot listen on {address}: {error.strerror or error}"
            off = f"{_option(address.settings)} {0 if isinstance(address, Address) else 'none'}"
            hint = f"is another vcam running? Change {address.settings} in vcam.toml; {off} does without"
            if not address.optional:
                raise ConfigError(problem, hint=hint) from error
            _log.warning("http.not_listening", extra={"problem": problem, "hint": hint})

    def _start(self) -> None:
        # The ports are open from here on; log_config=None leaves logging as it is.
        config = uvicorn.Config(
            self._app,
            loop="asyncio",
            http=Connection,
            backlog=_ACCEPTED_AT_ONCE,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # who asks is who connected, whatever is said
            timeout_graceful_shutdown=_OPEN_REQUESTS_LIMIT_S,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": list(self._sockets.values())}, name=self._name, daemon=False
        )
        self._thread.start()
        for address in self._sockets:
            if isinstance(address, Address):
                _log.info("http.listening", extra={"host": address.host, "port": self.port})
            else:
                _log.info("http.listening", extra={"path": str(address)})

    def _close(self) -> None:
        for address, listener in self._sockets.items():
            listener.close()
            if isinstance(address, SocketFile):
                address.remove()
        self._sockets.clear()

"""The control server, where it is wanted and its libraries are installed."""

import importlib.util
import ipaddress
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vcam.config import Config
from vcam.control.desk import Desk
from vcam.control.media import MediaFolder
from vcam.control.profiles import Profiles
from vcam.errors import ConfigError
from vcam.installing import how_to_add

if TYPE_CHECKING:
    from vcam.service.http import Address, SocketFile

_log = logging.getLogger(__name__)

_NEEDS = ("starlette", "uvicorn")


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are that the settings leave open. socket: None where no folder for it can be written."""

    socket: Path | None
    media: Path
    profiles: Path


@contextmanager
def control_server(desk: Desk, places: Places) -> Iterator[None]:
    """Serves the API while entered, on the port and the socket of the settings; nothing without the extra ``service``.

    An address that nobody set and that cannot be had is told in the log. Raises ConfigError: one that was set cannot be
    had, the token cannot be read, or one is needed and not there.
    """
    config = desk.config
    _check_host(config)
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        _log.warning("control.off", extra={"missing": ", ".join(missing), "hint": how_to_add("service")})
    addresses = [] if missing else _addresses(config, places.socket)
    if not addresses:
        yield
        return
    from vcam.control.app import ControlApp
    from vcam.control.guard import Admission, read_token
    from vcam.service.gateway import gateway
    from vcam.service.http import HttpServer

    token = None if config.control_token_file is None else read_token(config.control_token_file)
    neighbour = gateway() if config.control_trust_gateway else None
    admission = Admission(token, _own_names(config.control_host), neighbour)
    app = ControlApp(desk, *kept_in(config, places), admission)
    with HttpServer(app.asgi, *addresses, name="vcam-control"):
        try:
            yield
        finally:
            app.close()


def kept_in(config: Config, places: Places) -> tuple[MediaFolder, Profiles]:
    """Uploads and profiles, in the folders of the settings, else in the usual ones."""
    media = MediaFolder(config.media_dir or places.media)
    return media, Profiles(config.profiles_dir or places.profiles, media)


def _addresses(config: Config, default_socket: Path | None) -> "list[Address | SocketFile]":
    from vcam.service.http import Address, SocketFile

    found: list[Address | SocketFile] = []
    if config.control_port:
        chosen = not config.model_fields_set.isdisjoint({"control_host", "control_port"})
        keys = "control_host and control_port"
        found.append(Address(config.control_host, config.control_port, keys, optional=not chosen))
    if isinstance(config.control_socket, Path):
        found.append(SocketFile(config.control_socket))
    elif config.control_socket is None and default_socket is not None:
        found.append(SocketFile(default_socket, optional=True))
    return found


def _check_host(config: Config) -> None:
    """Raises ConfigError when other computers could connect without a token."""
    admits_some = config.control_token_file is not None or config.control_trust_gateway
    if config.control_port and not admits_some and not _is_loopback(config.control_host):
        raise ConfigError(
            f"control_host {config.control_host} lets other computers connect, and there is no token to ask them for",
            hint="openssl rand -hex 16 >token; then control_token_file = its path, or else control_host = 127.0.0.1",
        )


def _own_names(host: str) -> list[str]:
    """What the Host header may say. 0.0.0.0 is every address and no name: browsers let any page connect to it."""
    try:
        return [] if ipaddress.ip_address(host).is_unspecified else [host]
    except ValueError:
        return [host]


def _is_loopback(host: str) -> bool:
    """A name that cannot be resolved is not: listening will say why."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return False
    return all(ipaddress.ip_address(str(address)).is_loopback for address in found)

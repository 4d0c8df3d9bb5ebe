"""Under which names a server here is asked: DNS rebinding makes a page's own name lead to 127.0.0.1 (Host tells it)."""

import ipaddress
from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

IpAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
HINT = "use http://127.0.0.1 or http://localhost"


def address_of(text: str) -> IpAddress | None:
    """None: it is no address. An IPv4 address that is written as IPv6 is what it is."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def is_here(client: str, gateway: str | None) -> bool:
    """Whether that address is this computer's own. gateway: one that stands for it, too."""
    address = address_of(client)
    return address is not None and (address.is_loopback or str(address) == gateway)


def name_in(host: str) -> str | None:
    """The name or address in a Host header; None where it is none that can be understood."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return None


class OwnNames:
    """The loopback's names, and others that are ours."""

    def __init__(self, more: Sequence[str] = ()) -> None:
        self._names = _LOCAL_NAMES | {name.lower() for name in more}

    def has(self, host: str, scope: Scope) -> bool:
        """One of them, or the address that was connected to."""
        name = name_in(host)
        server = scope.get("server") or ("", None)
        return name in self._names or (name == str(server[0]).lower() and address_of(name) is not None)


class LocalHosts:
    """Wraps an application that tells everybody the same. Who sits at this computer asks by a name that no page of
    another site can have: ours, an address, or one without a dot, as containers have. Other computers ask by any name:
    they are there only where the operator chose such an address.

    host: where it listens. gateway: an address that stands for this computer, in a container.
    """

    def __init__(self, app: ASGIApp, *, host: str = "", gateway: str | None = None) -> None:
        self._app = app
        self._names = OwnNames([host] if host else [])
        self._gateway = gateway

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        host = ",".join(Headers(scope=scope).getlist("host"))
        if self._passes(host, scope):
            await self._app(scope, receive, send)
        else:
            told = {"problem": f"{host} is no name of this server", "hint": HINT}
            await JSONResponse(told, HTTPStatus.FORBIDDEN)(scope, receive, send)

    def _passes(self, host: str, scope: Scope) -> bool:
        client = scope.get("client")
        here = client is not None and is_here(str(client[0]), self._gateway)
        return not here or self._names.has(host, scope) or _no_site(host)


def _no_site(host: str) -> bool:
    name = name_in(host)
    if name is None:
        return False
    address = address_of(name)
    return "." not in name.rstrip(".") if address is None else not address.is_unspecified

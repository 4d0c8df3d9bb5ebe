"""Who this computer is, seen from inside a container: the gateway of its network."""

import ipaddress
from pathlib import Path

ROUTES = Path("/proc/net/route")
_DESTINATION, _GATEWAY, _MASK = 1, 2, 7
_ZERO = "00000000"


def gateway(routes: Path = ROUTES) -> str | None:
    """The address of the default route's gateway, IPv4; None where there is none. Linux tells it as bytes in hex."""
    try:
        lines = routes.read_text(encoding="ascii").splitlines()[1:]
    except (OSError, UnicodeDecodeError):
        return None
    for line in lines:
        fields = line.split()
        if len(fields) > _MASK and fields[_DESTINATION] == fields[_MASK] == _ZERO and fields[_GATEWAY] != _ZERO:
            return str(ipaddress.IPv4Address(bytes.fromhex(fields[_GATEWAY])[::-1]))
    return None

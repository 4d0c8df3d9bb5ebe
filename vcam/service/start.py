"""The metrics port, where it is wanted and its libraries are installed."""

import importlib.util
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from vcam.installing import how_to_add
from vcam.pipeline.snapshot import Snapshot

_log = logging.getLogger(__name__)

_NEEDS = ("prometheus_client", "starlette", "uvicorn")


def metrics_server(
    snapshot: Callable[[], Snapshot], host: str, port: int, *, optional: bool = False, trust_gateway: bool = False
) -> AbstractContextManager[object]:
    """Serves /metrics, /healthz and /readyz while entered; nothing for port 0 or without the extra ``service``.

    Entering raises ConfigError when it cannot listen there; ``optional``: the log says so, and that is all.
    trust_gateway: in a container, whose network's gateway is this computer.
    """
    if port == 0:
        return nullcontext()
    missing = [name for name in _NEEDS if importlib.util.find_spec(name) is None]
    if missing:
        _log.warning("metrics.off", extra={"missing": ", ".join(missing), "hint": how_to_add("service")})
        return nullcontext()
    from vcam.service.gateway import gateway
    from vcam.service.health import Health, make_app
    from vcam.service.hosts import LocalHosts
    from vcam.service.http import Address, HttpServer
    from vcam.service.metrics import make_registry

    app = make_app(Health(snapshot), make_registry(snapshot))
    guarded = LocalHosts(app, host=host, gateway=gateway() if trust_gateway else None)
    return HttpServer(guarded, Address(host, port, optional=optional))

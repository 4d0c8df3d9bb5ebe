"""The pages of the metrics port: /metrics for Prometheus, /healthz for restarts, /readyz for waiting."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from vcam.pipeline.snapshot import Snapshot, State
from vcam.service.liveness import SILENCE_LIMIT_S, Liveness

_OK, _UNAVAILABLE = 200, 503


class Health:
    """Judges snapshots. clock: seconds, monotonic."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        *,
        silence_limit_s: float = SILENCE_LIMIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._snapshot = snapshot
        self._liveness = Liveness(silence_limit_s=silence_limit_s, clock=clock)

    async def healthz(self, _request: Request) -> Response:
        """200 while pictures leave, or nobody watches; else 503. Start-up counts as silence until the first one."""
        now = self._snapshot()
        return _answer(now, good=self._liveness.well(now))

    async def readyz(self, _request: Request) -> Response:
        """200 while viewers see the person, or would if they looked."""
        now = self._snapshot()
        return _answer(now, good=now.state in (State.LIVE, State.IDLE))


def make_app(health: Health, registry: CollectorRegistry) -> Starlette:
    """The application behind the metrics port."""

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), media_type=content_type)

    return Starlette(
        routes=[Route("/metrics", metrics), Route("/healthz", health.healthz), Route("/readyz", health.readyz)]
    )


def _answer(now: Snapshot, *, good: bool) -> JSONResponse:
    body = {
        "ok": good,
        "state": now.state,
        "safe_reason": now.safe_reason,
        "last_write_age_s": _rounded(now.last_write_age_s),
        "last_live_age_s": _rounded(now.last_live_age_s),
        "fps": _rounded(now.fps),
        "engine": None if now.engine is None else now.engine.engine,
        "version": now.version,
    }
    return JSONResponse(body, status_code=_OK if good else _UNAVAILABLE)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)

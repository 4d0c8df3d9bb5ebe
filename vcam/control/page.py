"""The page in the browser: a handful of files, each by its own name, with a policy that lets nothing else run."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vcam.control.answers import query

_FOLDER = Path(__file__).with_name("page")
_KINDS: Mapping[str, str] = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
_INDEX = "index.html"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
)


def page_routes() -> list[Route]:
    """One for each file that is there now: a name that is asked for is never made a path of."""
    files = sorted(path for path in _FOLDER.iterdir() if path.suffix in _KINDS)
    return [_route(f"/{'' if path.name == _INDEX else path.name}", path) for path in files]


def _route(at: str, path: Path) -> Route:
    async def give(request: Request) -> Response:
        query(request)
        headers = {"Content-Security-Policy": _POLICY}
        return Response(path.read_bytes(), media_type=_KINDS[path.suffix], headers=headers)

    return Route(at, give)

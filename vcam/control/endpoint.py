"""One table of paths: what it makes the router of, it makes the description of, so that neither can lie."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeAlias

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PREFIX = "/api/v1"
JPEG, EVENT_STREAM, JSON = "image/jpeg", "text/event-stream", "application/json"
MOTION_JPEG = "multipart/x-mixed-replace"

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]
Schema: TypeAlias = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A method of a path.

    gives: a model, or the kinds of a body that is not JSON; None for no body. takes: a model, or kinds of uploads.
    query, names: parameters by name, with their schemas; all names in the path are needed. also: other good answers.
    """

    method: str
    path: str
    summary: str
    handle: Handler
    gives: type[BaseModel] | str | Sequence[str] | None
    takes: type[BaseModel] | Sequence[str] | None = None
    query: Mapping[str, Schema] = field(default_factory=dict)
    names: Mapping[str, Schema] = field(default_factory=dict)
    status: HTTPStatus = HTTPStatus.OK
    also: HTTPStatus | None = None


def merged(routes: Sequence[Endpoint]) -> list[Route]:
    """One route for each path, so that a method that is not there is told with those that are."""
    paths: dict[str, dict[str, Handler]] = {}
    for each in routes:
        paths.setdefault(PREFIX + each.path, {})[each.method] = each.handle
    return [Route(path, _by_method(handlers), methods=list(handlers)) for path, handlers in paths.items()]


def _by_method(handlers: Mapping[str, Handler]) -> Handler:
    async def handle(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await handlers[method](request)

    return handle

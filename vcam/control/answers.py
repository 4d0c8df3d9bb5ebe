"""Requests read with limits, and answers: what was asked for, or {problem, hint}. Never a traceback."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from http import HTTPStatus
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vcam.control.refusal import RefusedError, status_of
from vcam.errors import VcamError

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

MOST_JSON_BYTES = 65_536
_BODY_LIMIT_S = 60.0


class Problem(BaseModel):
    """Why something is not done, and what to do."""

    problem: str
    hint: str


def problem_response(error: VcamError) -> Response:
    """{problem, hint} with the status that fits."""
    headers = dict(error.headers) if isinstance(error, RefusedError) else None
    return JSONResponse({"problem": error.problem, "hint": error.hint}, status_of(error), headers=headers)


async def on_vcam_error(_: Request, error: Exception) -> Response:
    """For Starlette: what was raised on purpose."""
    if not isinstance(error, VcamError):
        raise error
    return problem_response(error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """For Starlette: no such path, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    hint = "GET /api/v1/openapi.json describes all there is"
    problem = f"{request.method} {request.url.path}: {error.detail.lower()}"
    return JSONResponse({"problem": problem, "hint": hint}, error.status_code, headers=error.headers)


async def on_gone(_: Request, _error: Exception) -> Response:
    """For Starlette: who asked went away in the middle of it. Nobody reads this."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)


async def on_fault(_: Request, _error: Exception) -> Response:
    """For Starlette: a fault in vcam, which uvicorn logs."""
    told = {"problem": "vcam has a fault here", "hint": "its log has the traceback; please report it"}
    return JSONResponse(told, HTTPStatus.INTERNAL_SERVER_ERROR)


def answer(model: BaseModel, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """The model as JSON."""
    return Response(model.model_dump_json(), status, media_type="application/json")


async def body(request: Request, model: type[M]) -> M:
    """The JSON body. Raises RefusedError: 413, 415, 422."""
    kind = content_type(request)
    if kind != "application/json":
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"the body is {kind or 'of no kind'}, not application/json",
            hint="send JSON with the header Content-Type: application/json",
        )
    data = await in_time(_whole(request))
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, _told(error), hint="GET /api/v1/openapi.json says what is possible"
        ) from None


def content_type(request: Request) -> str:
    """What the body says it is, without parameters; empty where it says nothing."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def chunks(request: Request, most_bytes: int) -> AsyncIterator[bytes]:
    """The body, piece by piece. Raises RefusedError (413)."""
    too_large = RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than {most_bytes} bytes",
        hint="send less: a smaller picture, a shorter video",
    )
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > most_bytes:
        raise too_large
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > most_bytes:
            raise too_large
        yield chunk


async def in_time(reading: Awaitable[T]) -> T:
    """What reads a body, with an end. Raises RefusedError (408)."""
    try:
        async with asyncio.timeout(_BODY_LIMIT_S):
            return await reading
    except TimeoutError:
        raise RefusedError(
            HTTPStatus.REQUEST_TIMEOUT, f"the body did not arrive in {_BODY_LIMIT_S:.0f} s", hint="send it faster"
        ) from None


async def _whole(request: Request) -> bytes:
    return b"".join([chunk async for chunk in chunks(request, MOST_JSON_BYTES)])


def query(request: Request, *known: str) -> dict[str, str]:
    """The parameters, each at most once. Raises RefusedError (422) on others."""
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    wrong = [name for name in names if name not in known or names.count(name) > 1]
    if wrong:
        may = f"one each of {', '.join(known)}" if known else "none"
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"the parameter {wrong[0]!r} is unknown or given twice",
            hint=f"this path takes {may}",
        )
    return dict(given)


def _told(error: ValidationError) -> str:
    """One sentence for each wrong value, without the value."""
    told = []
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        where = ".".join(map(str, one["loc"])) or "the body"
        pattern = one["type"] == "string_pattern_mismatch"
        what = "it has none of the forms that are possible" if pattern else one["msg"]
        told.append(f"{where}: {what[:1].lower()}{what[1:]}")
    return "; ".join(told)

"""Why a request is not done: what went wrong, what to do, and how HTTP calls it."""

import math
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

from vcam.errors import ConfigError, ControlError, MediaError, VcamError

_NONE: Mapping[str, str] = MappingProxyType({})


class RefusedError(ControlError):
    """Answered as {problem, hint} with ``status``. headers: of the answer."""

    def __init__(self, status: HTTPStatus, problem: str, *, hint: str, headers: Mapping[str, str] = _NONE) -> None:
        super().__init__(problem, hint=hint)
        self.status = status
        self.headers = headers


def not_found(what: str, name: str, *, where: str) -> RefusedError:
    """where: the path that lists those there are."""
    return RefusedError(HTTPStatus.NOT_FOUND, f"there is no {what} {name!r}", hint=f"GET {where} lists them")


def conflict(problem: str, *, hint: str) -> RefusedError:
    """What is asked for does not go with what is so now (409)."""
    return RefusedError(HTTPStatus.CONFLICT, problem, hint=hint)


def busy(problem: str, *, hint: str, wait_s: float) -> RefusedError:
    """Too much is asked for (429)."""
    headers = {"Retry-After": str(max(1, math.ceil(wait_s)))}
    return RefusedError(HTTPStatus.TOO_MANY_REQUESTS, problem, hint=hint, headers=headers)


def status_of(error: VcamError) -> HTTPStatus:
    """A setting or a picture that cannot be used is the asker's fault; all else is a state that may pass."""
    if isinstance(error, RefusedError):
        return error.status
    wrong = isinstance(error, ConfigError | MediaError)
    return HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.SERVICE_UNAVAILABLE

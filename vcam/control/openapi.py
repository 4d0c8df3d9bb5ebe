"""The description of the API (OpenAPI 3.1), made from the table of endpoints and the models that check requests."""

from collections.abc import Sequence
from http import HTTPStatus

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from vcam import __version__
from vcam.control.answers import Problem
from vcam.control.endpoint import EVENT_STREAM, JSON, PREFIX, Endpoint, Schema

_REF = "#/components/schemas/{model}"
_ABOUT = (
    "Live control of a running vcam. Every change is in effect between two frames; one that cannot be made changes "
    "nothing. From another computer every request needs `Authorization: Bearer TOKEN`."
)


def describe(endpoints: Sequence[Endpoint]) -> dict[str, object]:
    """The document, ready for JSON."""
    paths: dict[str, dict[str, object]] = {}
    for each in endpoints:
        paths.setdefault(PREFIX + each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "vcam", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": _schemas(endpoints),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _schemas(endpoints: Sequence[Endpoint]) -> object:
    taken = [each.takes for each in endpoints if isinstance(each.takes, type)]
    given = [each.gives for each in endpoints if isinstance(each.gives, type)]
    modes = dict.fromkeys([(model, "validation") for model in taken]) | dict.fromkeys(
        [(model, "serialization") for model in (*given, Problem)]
    )
    _, document = models_json_schema(list(modes), ref_template=_REF)  # type: ignore[arg-type]  # Literals, seen as str
    return document["$defs"]


def _operation(each: Endpoint) -> dict[str, object]:
    where = [("path", name, schema) for name, schema in each.names.items()]
    where += [("query", name, schema) for name, schema in each.query.items()]
    operation: dict[str, object] = {
        "summary": each.summary,
        "operationId": f"{each.method.lower()}{each.path.replace('/', '_').translate(_NO_BRACES)}",
        "parameters": [
            {"in": place, "name": name, "required": place == "path", "schema": schema} for place, name, schema in where
        ],
        "responses": {
            **{str(int(status)): _response(each.gives, status) for status in (each.status, each.also) if status},
            "default": {"description": "It is not done, and why.", "content": _content(Problem)},
        },
    }
    if each.takes is not None:
        operation["requestBody"] = {"required": True, "content": _content(each.takes)}
    return operation


_NO_BRACES = str.maketrans("{}.", "___")


def _response(gives: type[BaseModel] | str | Sequence[str] | None, status: HTTPStatus) -> Schema:
    return {"description": status.phrase, **({} if gives is None else {"content": _content(gives)})}


def _content(what: type[BaseModel] | str | Sequence[str]) -> dict[str, Schema]:
    if isinstance(what, type):
        return {JSON: {"schema": {"$ref": _REF.format(model=what.__name__)}}}
    if isinstance(what, str):
        return {what: {"schema": {"type": "string"}} if what == EVENT_STREAM else {}}
    return {kind: {"schema": {"type": "string", "format": "binary"}} for kind in what}

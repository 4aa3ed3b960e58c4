"""Makes the OpenAPI document say what every call may answer, whoever wrote the call. It changes nothing of what is answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api import examples, idempotency, segment_shapes
from api.problems import Problem, declared

_METHODS = ("get", "put", "post", "patch", "delete")
_WITHOUT_DATABASE = ("/healthz",)


def describe(app: FastAPI) -> None:
    """Give an app an OpenAPI document in which the answers of the layers around the calls stand too."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to do it


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags)
    components = document.setdefault("components", {})
    components.setdefault("securitySchemes", {})[segment_shapes.KEY_NAME] = segment_shapes.KEY
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for method, path, operation in _operations(document):
        if idempotency.takes_it(method, path, operation):
            operation.setdefault("parameters", []).append(idempotency.PARAMETER)
            operation["responses"].setdefault("409", declared(409))  # the first of two is still running
        for status in _around(path, operation):
            operation["responses"].setdefault(str(status), declared(status))
        if "422" in operation["responses"]:
            operation["responses"]["422"] = declared(422)
        for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
            example = examples.OTHERS.get(media_type, examples.BODIES.get(path))
            if example is not None:
                body["example"] = example
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield method, path, item[method]


def _around(path: str, operation: dict[str, Any]) -> Iterator[int]:
    """What the layers around a call, or what all calls of its kind share, may answer in its stead."""
    tags = operation.get("tags", ())
    if path not in _WITHOUT_DATABASE:
        yield 503
    if operation.get("security"):
        yield 401
    if "reactions" in tags:
        yield 404  # a token that is none of ours
    if "segment-compatible" in tags:
        yield from (400, 401, 413)
        return
    if operation.get("security"):
        yield 403  # a key of another scope
        yield 422  # a parameter that the call does not take
    if "requestBody" in operation:
        yield from (400, 413, 415, 422)

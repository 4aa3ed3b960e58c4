"""Makes the OpenAPI document say what every call may answer, whoever wrote the call. It changes nothing of what is answered."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from api.native_calls import STREAMED
from api.problems import Problem, declared

_METHODS = ("get", "put", "post", "patch", "delete")


def describe(app: FastAPI, other_formats: Collection[str]) -> None:
    """Give an app an OpenAPI document in which the answers of the layers around the calls stand too.

    `other_formats` are the paths whose bodies are not judged as JSON (api/native_calls.py).
    """

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app, STREAMED.union(other_formats))
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to do it


def _document(app: FastAPI, own_bodies: Collection[str]) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes, tags=app.openapi_tags)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    for path, operation in _operations(document):
        if path.startswith("/v1/"):
            for status in _around(operation, native=path not in own_bodies):
                operation["responses"].setdefault(str(status), declared(status))
        if "422" in operation["responses"]:
            operation["responses"]["422"] = declared(422)
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, item[method]


def _around(operation: dict[str, Any], *, native: bool) -> Iterator[int]:
    """What the layers around a call may answer in its stead."""
    yield 503
    if operation.get("security"):
        yield 401
    if "requestBody" not in operation:
        return
    yield 413
    if native:
        yield from (400, 415)

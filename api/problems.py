"""Makes of every error the problem document that is answered (RFC 9457), by one table. It knows no resource."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match, Route

from api.auth import ForbiddenScope, Unauthorized
from api.idempotency import StillRunning
from api.native_calls import NotJson
from journey import documents
from journey.errors import BadInput, Conflict, Invalid, NotFound, RenderError, RuleError, SojournError, Stale, Unavailable

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger("sojourn.api")

STATUSES: tuple[tuple[type[SojournError], int], ...] = (
    (Unauthorized, 401),
    (ForbiddenScope, 403),
    (NotFound, 404),
    (Stale, 412),
    (Conflict, 409),
    (NotJson, 415),
    (BadInput, 422),
    (RenderError, 422),
    (Unavailable, 503),
)
"""The first class that an error is one of gives its status."""

_BY_CODE = {"too_large": 413, "json_invalid": 400}
"""Errors of one class that HTTP tells apart."""
_AWAY = "The database cannot be reached or is busy; try again in a moment."
_RETRY_SECONDS = "5"
_AT_ONCE = {"Retry-After": "1"}


class Fault(BaseModel):
    """One thing wrong with what was sent: `where` is the path of the field, as `nodes.3.kind`."""

    where: str
    sentence: str


class FindingModel(BaseModel):
    """One finding of the validator."""

    code: str
    grade: str
    sentence: str
    node: str = ""
    field: str = ""


class Problem(BaseModel):
    """A problem document. `code` is stable; `detail` is a sentence that says what to do."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    faults: list[Fault] | None = None
    findings: list[FindingModel] | None = None
    where: str | None = None
    column: int | None = None
    scope: str | None = None


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an endpoint declares as `responses`: that it may answer problem documents with these statuses.

    What the layers around every call answer (401, 413, 415, 422, 503 and so on) is declared by api/openapi.py and need not be named.
    """
    return {status: declared(status) for status in statuses}


def declared(status: int) -> dict[str, Any]:
    """The OpenAPI of one problem answer."""
    return {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def problem(
    status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None, more: Mapping[str, Any] | None = None
) -> JSONResponse:
    """The answer itself; `more` are further fields of the document."""
    title = HTTPStatus(status).phrase
    document = {"type": f"urn:sojourn:problem:{code}", "title": title, "status": status, "detail": detail, "code": code, **(more or {})}
    return JSONResponse(document, status, dict(headers or {}), media_type=MEDIA_TYPE)


def of_ours(error: SojournError) -> JSONResponse:
    """The answer to an error of our tree."""
    status = _BY_CODE.get(error.code) or next((status for kind, status in STATUSES if isinstance(error, kind)), 500)
    headers: dict[str, str] = {}
    more: dict[str, Any] = {}
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = error.scheme
    if isinstance(error, ForbiddenScope):
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{error.needed}"'
        more["scope"] = error.needed
    if isinstance(error, Unavailable | StillRunning):
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, Invalid):
        more["findings"] = [asdict(finding) for finding in error.findings]
    if isinstance(error, BadInput) and error.where:
        more["where"] = error.where
    if isinstance(error, RuleError) and error.column:
        more["column"] = error.column
    return problem(status, error.code, error.sentence, headers=headers, more=more)


def install(app: FastAPI, calls: Sequence[BaseRoute]) -> None:
    """Give an app the handlers. What no handler expects is logged in full and answered with nothing of it.

    `calls` are all that the app serves, from which 405 says what an address takes.
    """
    app.state.calls = [call for call in calls if isinstance(call, Route)]
    app.add_exception_handler(SojournError, _ours)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(IntegrityError, _integrity)
    for away in (OperationalError, InterfaceError, PoolTimeout):
        app.add_exception_handler(away, _database_away)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _ours_to_mend)


def _ours(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SojournError)
    return of_ours(error)


def _not_understood(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if _calls(request, verbs=True):  # the address is a verb's, which the framework took for the id of a thing
        return _of_http(request, HTTPException(405))
    faults = list(_faults(error))
    named = " ".join(f"{fault['where']}: {fault['sentence']}" if fault["where"] else fault["sentence"] for fault in faults[:3])
    more = f" And {len(faults) - 3} more." if len(faults) > 3 else ""
    return problem(422, "bad_input", f"What was sent cannot be understood. {named}{more}", more={"faults": faults})


def _faults(error: RequestValidationError) -> Iterator[dict[str, str]]:
    """Those of the body by their path in it, those of the address by the name of the parameter."""
    in_body: list[Any] = []
    for one in error.errors():
        place, *inner = one["loc"]
        if place != "body":
            yield {"where": ".".join(str(part) for part in inner), "sentence": documents.sentence(one)}
        elif inner:
            in_body.append({**one, "loc": tuple(inner)})
        else:
            yield {"where": "", "sentence": "Send a JSON body." if one["type"] == "missing" else "The body is a JSON object."}
    for fault in documents.faults_of(in_body, error.body):
        yield {"where": fault.path, "sentence": fault.sentence}


def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    status = error.status_code
    headers = dict(error.headers or {})
    said = str(error.detail)
    if status == 404:
        said = f"There is nothing at {request.url.path}."
    if status == 405:
        headers["Allow"] = ", ".join(_methods(request))
        said = f"{request.url.path} takes {headers['Allow']}, not {request.method}."
    return problem(status, HTTPStatus(status).name.lower(), said, headers=headers)


def _methods(request: Request) -> list[str]:
    """What the address takes: the framework names only the methods of the first route that fits, and a path has a route a method."""
    fitting = _calls(request, verbs=True) or _calls(request, verbs=False)
    return sorted({method for call in fitting for method in call.methods or ()})


def _calls(request: Request, *, verbs: bool) -> list[Route]:
    """The calls of this address that have another method: of a thing, as `{id}`, or of a verb on it, as `{id}:close`."""
    calls: list[Route] = request.app.state.calls
    return [call for call in calls if call.matches(request.scope)[0] is Match.PARTIAL and (not verbs or "}:" in call.path)]


def _integrity(_request: Request, error: Exception) -> JSONResponse:
    _log.warning("Two calls collided in the database", exc_info=error)
    return problem(409, "conflict", "Another call changed the same thing at the same moment; read it again, then repeat.", headers=_AT_ONCE)


def _database_away(_request: Request, error: Exception) -> JSONResponse:
    _log.error("The database did not answer", exc_info=error)
    return problem(503, "unavailable", _AWAY, headers={"Retry-After": _RETRY_SECONDS})


def _gone(_request: Request, _error: Exception) -> JSONResponse:
    """Nobody reads this."""
    return problem(400, "disconnected", "The caller went away before the body had come.")


def _ours_to_mend(_request: Request, error: Exception) -> JSONResponse:
    return problem(500, "internal_error", "Something went wrong on our side. The log of the server says what; repeating does no harm.")

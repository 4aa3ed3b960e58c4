"""Takes the calls of Segment's libraries, at the paths they really post to. It knows the shapes through segment_wire.py.

Python, Node, Go and PHP post to /v1/batch; Java to /v1/import/, Ruby and .NET to /v1/import; analytics.js to /v1/t, /v1/i, ... and /v1/b,
as text/plain. 200 is said only after the commit: some of them take it as the one sign of success.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute

from api import problems, segment_shapes, segment_wire, strict_json, unpacking, write_keys
from api.auth import Unauthorized
from api.events import SetsOff, tell
from api.segment_wire import Aliased, Call, Identified, Refused, Tracked
from api.services import Services, With
from journey.errors import BadInput, Conflict, SojournError
from store import acceptance, identify
from store.acceptance import Policy
from store.work import Work

CALLS = {"track": "t", "identify": "i", "page": "p", "screen": "s", "group": "g", "alias": "a"}
"""The calls, and the letter that analytics.js posts each to."""
BATCHES = ("batch", "b", "import")
_PLAIN = frozenset(f"/v1/{path}" for path in (*CALLS, *CALLS.values(), *BATCHES, "m"))
PATHS = _PLAIN | {f"{path}/" for path in _PLAIN}
"""Every path of this file, each with a slash at its end too: the Java library sends one."""
MOST = 2500
"""Calls of one batch, as many as Segment takes."""
_AT_ONCE = 100


class SegmentRoute(APIRoute):
    """Answers with what the libraries understand: 400 for what cannot be read, which they do not send again."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except SojournError as error:
                return _refusal(error)

        return answer


router = APIRouter(tags=["segment-compatible"], route_class=SegmentRoute)


def _refusal(error: SojournError) -> Response:
    answer = problems.of_ours(error)
    status = 400 if answer.status_code in (413, 415, 422) else answer.status_code
    said = {"success": False, "message": error.sentence}  # beside `code`: what the Python library reads
    refused = problems.problem(status, error.code, error.sentence, more=said)
    for name in ("Retry-After",):
        if name in answer.headers:
            refused.headers[name] = answer.headers[name]
    return refused


async def _preflight() -> Response:
    return Response(status_code=204)


async def _single(kind: str, request: Request, services: Services, after: BackgroundTasks) -> JSONResponse:
    data = await unpacking.read_json(request)
    if not isinstance(data, dict):
        raise BadInput("A call is a JSON object.")
    namespace = await _namespace(request, services, data)
    call = segment_wire.read_call(data, namespace, kind=kind, now=services.database.clock.now())
    if isinstance(call, Refused) and call.code == "bad_item":
        raise BadInput(call.detail, code=call.code)
    return await _take(services, after, [call])


async def _batch(request: Request, services: With, after: BackgroundTasks) -> JSONResponse:
    """Many calls at once. One that cannot be read, or holds what could not be kept, is put on record as a discard; the others are taken."""
    body = await unpacking.read(request)
    try:
        data, judged = strict_json.read(body), True
    except strict_json.BadJson:
        data, judged = strict_json.read_leniently(body), False
    items = data.get("batch") if isinstance(data, dict) else None
    if not isinstance(items, list):
        raise BadInput("A batch is a JSON object with the list `batch`.")
    if len(items) > MOST:
        raise BadInput(f"There are {len(items)} calls in one batch: send at most {MOST} at once.", code="too_many")
    namespace = await _namespace(request, services, data, *items[:1])
    now = services.database.clock.now()
    read = partial(segment_wire.read_call, namespace=namespace, sent_at=data.get("sentAt"), now=now, judged=judged)
    return await _take(services, after, [read(item) for item in items])


async def _metrics(request: Request) -> Response:
    """What analytics.js reports about itself. It is about no person, and nothing of it is kept."""
    await request.body()
    return Response(status_code=204)


def _call(kind: str) -> Callable[..., Coroutine[Any, Any, JSONResponse]]:
    async def endpoint(request: Request, services: With, after: BackgroundTasks) -> JSONResponse:
        return await _single(kind, request, services, after)

    endpoint.__name__ = kind
    endpoint.__doc__ = f"Segment's `{kind}`: 200 after the commit. The write key is the user name of basic auth, or `writeKey` in the body."
    return endpoint


for _kind, _letter in CALLS.items():
    _endpoint = _call(_kind)
    router.add_api_route(f"/v1/{_kind}", _endpoint, methods=["POST"], openapi_extra=segment_shapes.of(_kind))
    for _path in (f"/v1/{_letter}", f"/v1/{_kind}/", f"/v1/{_letter}/"):
        router.add_api_route(_path, _endpoint, methods=["POST"], include_in_schema=False)
router.add_api_route("/v1/batch", _batch, methods=["POST"], name="batch", openapi_extra=segment_shapes.of("batch"))
for _path in (*(f"/v1/{path}" for path in BATCHES[1:]), *(f"/v1/{path}/" for path in BATCHES)):
    router.add_api_route(_path, _batch, methods=["POST"], include_in_schema=False)
for _path in ("/v1/m", "/v1/m/"):
    router.add_api_route(_path, _metrics, methods=["POST"], include_in_schema=False)
for _path in sorted(PATHS):
    router.add_api_route(_path, _preflight, methods=["OPTIONS"], include_in_schema=False)


async def _namespace(request: Request, services: Services, *bodies: Any) -> str:
    """The namespace of the write key: the user name of basic auth, else `writeKey` in the body or in a batch's first call."""
    given = _user_name(request.headers.get("authorization", ""))
    for body in bodies:
        found = body.get("writeKey") if isinstance(body, dict) else None
        given = given or (found if isinstance(found, str) else "")
    namespace = await write_keys.namespace(services, given)
    if namespace is not None:
        return namespace
    raise Unauthorized("Send a write key: the user name of basic auth, with no password, or `writeKey` in the body.", scheme="Basic")


def _user_name(header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode().partition(":")[0]
    except ValueError:  # no base64, or none of a text
        return ""


async def _take(services: Services, after: BackgroundTasks, calls: list[Call]) -> JSONResponse:
    """Commit all of them in their order, then say so."""
    policy = Policy(services.create_profiles, services.too_old_seconds)
    set_off: list[SetsOff] = []
    for start in range(0, len(calls), _AT_ONCE):
        part = calls[start : start + _AT_ONCE]
        done = await services.database.write_all([partial(_do, call=call, policy=policy) for call in part])
        for call, found in zip(part, done, strict=True):
            set_off += found if isinstance(found, tuple) else await _refused(services, call, found, policy)
    after.add_task(tell, services, set_off)
    return JSONResponse({"success": True}, background=after)


async def _refused(services: Services, call: Call, error: BaseException, policy: Policy) -> tuple[SetsOff, ...]:
    if not isinstance(error, Conflict):
        raise error
    refused = Refused(getattr(call, "message", ""), error.code, error.sentence)
    return await services.database.write(lambda work: _do(work, refused, policy))


def _do(work: Work, call: Call, policy: Policy) -> tuple[SetsOff, ...]:
    match call:
        case Tracked(arrived):
            return (acceptance.accept(work, arrived, policy),)
        case Identified(_, namespace, key, attributes, anonymous):
            if anonymous:
                identify.tie(work, segment_wire.ANONYMOUS, anonymous, namespace, key)
            return (identify.identify(work, namespace, key, attributes),)
        case Aliased(_, previous, namespace, key):
            identify.alias(work, (namespace, segment_wire.ANONYMOUS), previous, namespace, key)
        case Refused(message, code, detail):
            work.discard_once(code, segment_wire.SOURCE, message, detail)
    return ()

"""`Idempotency-Key`: a call that is sent again with the same key gets the first answer, and has no second effect. It knows no resource.

Who calls is judged before (auth.py), so nobody without a key of the API writes a row. The dependency `once` takes the key before the call
runs, and the middleware `Answering` keeps the answer before it is sent: whoever has an answer can have it again (docs/idempotency.md).
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.auth import By
from api.native_calls import STREAMED
from api.services import Services, With
from journey import gate
from journey.errors import BadInput, Conflict
from store import idempotency
from store.idempotency import Answer

NAME = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
LONGEST = 255
WITHOUT = STREAMED | {"/v1/keys"}
"""Calls that take no key: an import reads its body as it comes, and sent again writes the same; a secret is answered, and kept nowhere."""
PARAMETER: dict[str, Any] = {
    "name": NAME,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": "^[ -~]+$"},
    "description": "A text of your own, such as a UUID, that is new for each call. Sent again with the same key within 24 hours, the call "
    f"gets the first answer again, with the header {REPLAYED}: true, and has no second effect.",
}
_PASSING = frozenset({401, 403, 408, 413, 429})
"""Answers that say nothing of the call itself: a repeat runs."""
_OF_THE_CALL = frozenset({b"content-type", b"content-encoding", b"if-match"})
_HEADER = NAME.lower().encode()
_RUNNING = "sojourn.idempotent"
_log = logging.getLogger("sojourn.api")


class KeyReused(BadInput):
    """The key belongs to another call (HTTP 422)."""

    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """The first call with this key has not answered yet (HTTP 409); `retry_after` in seconds."""

    code = "still_running"

    def __init__(self, sentence: str, *, retry_after: int) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Replay(Exception):
    """There is an answer already."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class _Attempt:
    """A call with a key, on its way through. Until it has taken the key there is nothing to keep."""

    def __init__(self, send: Send) -> None:
        self.services: Services | None = None
        self.key = ""
        self.name = secrets.token_hex(8)
        self._send = send
        self._start: Message = {}
        self._parts: list[bytes] = []

    async def take(self, services: Services, key: str, call: str) -> None:
        """Raises Replay, KeyReused or StillRunning when the key is somebody's."""
        taken = await services.database.write(partial(idempotency.begin, key=key, call=call, attempt=self.name))
        if taken is None:
            self.services, self.key = services, key
            return
        if not taken.same:
            raise KeyReused(f"This {NAME} came with another call, or with another body: make a new key for each call.", where=NAME)
        if taken.answer is None:
            # As long again as it has run for, so that who obeys asks seldom, and no longer than until its lock is over.
            seconds = -(-min(taken.running, taken.left) // gate.MICROSECONDS)
            raise StillRunning(f"The first call with this {NAME} has not answered yet: try again.", retry_after=max(1, seconds))
        raise Replay(taken.answer)

    async def send(self, message: Message) -> None:
        if self.services is None:
            await self._send(message)
        elif message["type"] == "http.response.start":
            self._start = message
        else:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                body = b"".join(self._parts)
                await self._settle(body)
                await self._send(self._start)
                await self._send({"type": "http.response.body", "body": body})

    async def give_back(self) -> None:
        """Whoever repeats runs again."""
        await self._write(idempotency.give_back)

    async def _settle(self, body: bytes) -> None:
        status = self._start["status"]
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self._start["headers"])
        if status >= 500 or status in _PASSING or any(name == "retry-after" for name, _ in headers):
            await self.give_back()
        else:
            await self._write(idempotency.keep, answer=Answer(status, headers, body))

    async def _write(self, unit: Any, **more: Any) -> None:
        """What was done is done: its answer is sent also when it cannot be kept. Then a repeat waits for the lock, and runs."""
        services, self.services = self.services, None
        if services is None:
            return
        try:
            await services.database.write(partial(unit, key=self.key, attempt=self.name, **more))
        except Exception as error:
            _log.warning("An answer could not be kept for its %s: %s", NAME, type(error).__name__)


class Answering:
    """Middleware inside those that judge bodies: keeps the answer of a call that has taken its key. Calls without the header pass."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or all(name != _HEADER for name, _ in scope["headers"]):
            await self.app(scope, receive, send)
            return
        attempt = scope[_RUNNING] = _Attempt(send)
        try:
            await self.app(scope, receive, attempt.send)
        except Exception:  # a fault of ours, which is answered further out
            await attempt.give_back()
            raise


async def once(request: Request, services: With, by: By) -> None:
    """Takes the key of a call that carries one. Raises BadInput for a key that is none, Replay, KeyReused and StillRunning."""
    attempt: _Attempt | None = request.scope.get(_RUNNING)
    if attempt is None or request.method not in METHODS or request.url.path in WITHOUT:
        return
    given = [key.strip() for key in request.headers.getlist(NAME)]
    if len(given) != 1 or not 1 <= len(given[0]) <= LONGEST or not (given[0].isascii() and given[0].isprintable()):
        raise BadInput(f"{NAME} is one text of 1 to {LONGEST} printable ASCII characters, such as a UUID.", where=NAME)
    of_it = sorted(name + b":" + value for name, value in request.headers.raw if name in _OF_THE_CALL or name.startswith(b"ce-"))
    address = request.url.path.encode("utf-8", "surrogatepass"), request.scope["query_string"]
    call = _hash(request.method.encode(), *address, b"\n".join(of_it), await request.body())
    await attempt.take(services, _hash(by.key.encode("utf-8", "surrogatepass"), given[0].encode()), call)


def _hash(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8) + part)
    return found.hexdigest()


def install(app: FastAPI) -> None:
    """Give an app the way to answer again."""
    app.add_middleware(Answering)
    app.add_exception_handler(Replay, _again)


def _again(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Replay)
    answer = Response(error.answer.body, error.answer.status)
    answer.raw_headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in error.answer.headers]
    answer.headers[REPLAYED] = "true"
    return answer


def takes_it(method: str, path: str, operation: Mapping[str, Any]) -> bool:
    """Whether a call of the OpenAPI document takes a key."""
    native = operation.get("security") and "segment-compatible" not in operation.get("tags", ())
    return bool(native) and method.upper() in METHODS and path not in WITHOUT

"""Middleware that judges the body of a native call before anybody reads it: not too large, JSON, and sound. It knows no resource."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import strict_json
from journey.errors import SojournError

LARGEST = 1_048_576
"""Bytes of the body of a native call."""
_STILL_TAKEN = 32 * LARGEST
"""Bytes of the rest of a body that is refused for its size."""
_STILL_READ, _STILL_AWAITED = 30, 1
"""Seconds for all of that rest, and for its next piece."""
STREAMED = frozenset({"/v1/profiles:import"})
"""Calls that read their body as it comes, with limits of their own."""


class TooLarge(SojournError):
    """The body is larger than a call may be (HTTP 413)."""

    code = "too_large"


class NotJson(SojournError):
    """The body says that it is something else than plain JSON (HTTP 415)."""

    code = "not_json"


class NativeCalls:
    """Collects the body of a call, judges it, and hands it on.

    `refuse` makes the answer of an error. `other_formats` are the paths of calls that take other people's formats: their bodies are
    kept to the same size and are otherwise their own affair.
    """

    def __init__(self, app: ASGIApp, refuse: Callable[[SojournError], ASGIApp], other_formats: Collection[str]) -> None:
        self.app = app
        self.refuse = refuse
        self.other_formats = other_formats

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in STREAMED:
            await self.app(scope, receive, send)
            return
        try:
            body = await _collected(scope, receive)
            if body and scope["path"].startswith("/v1/") and scope["path"] not in self.other_formats:
                _judge(Headers(scope=scope), body)
        except SojournError as error:
            if isinstance(error, TooLarge):
                await _thrown_away(scope, receive)
            await self.refuse(error)(scope, receive, send)
            return
        if body is not None:  # else the caller has gone
            await self.app(scope, _handing_on(body, receive), send)


async def _collected(scope: Scope, receive: Receive) -> bytes | None:
    said = Headers(scope=scope).get("content-length", "")
    if said.isascii() and said.isdecimal() and int(said[:20]) > LARGEST:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST:
            raise _too_large()
        if not message.get("more_body", False):
            return b"".join(parts)


async def _thrown_away(scope: Scope, receive: Receive) -> None:
    """Take the rest of a body that is too large. Many clients read no answer before they have sent all, and a connection that is closed
    upon them tells nothing; who has asked whether to send it is not let begin."""
    left = 0 if "expect" in Headers(scope=scope) else _STILL_TAKEN
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_STILL_READ):
            while left > 0:
                message = await asyncio.wait_for(receive(), _STILL_AWAITED)
                left = left - len(message.get("body", b"")) if message.get("more_body", False) else 0


def _too_large() -> TooLarge:
    return TooLarge(f"The body is larger than {LARGEST // 1024} KB: send less at once.")


def _judge(headers: Headers, body: bytes) -> None:
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise NotJson("Send JSON, and with it the header Content-Type: application/json.")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise NotJson("Send the body as it is, without Content-Encoding.")
    strict_json.read(body)


def _handing_on(body: bytes, receive: Receive) -> Receive:
    waiting = [body]

    async def handed() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return handed

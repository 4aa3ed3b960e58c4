"""Push by one HTTP call to a push service. It knows no journey: what it gets is a push made out for one person.

Idempotent: the delivery's id travels as Idempotency-Key, and a service that has seen it answers without pushing again.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from journey.errors import BadInput
from journey.messages import Rendered, RenderedPush
from providers.http_answers import LONGEST_DETAIL, NONE_FREE, body_of, object_in, retry_after, words
from providers.port import Answer, Later, Refused, Took

_TRANSIENT = frozenset({401, 408, 409, 425, 429})


class HttpPushProvider:
    """POSTs each push as JSON to `url`: `{"delivery", "tokens", "title", "body", "url", "data", "opened_token"}`.

    A 2xx answer took it; it may say `{"id": TEXT, "unregistered": [TOKEN, ...]}`. Other answers may say `{"error": "UNREGISTERED"}`,
    which means all tokens of the push. `headers` go with every call, for instance an Authorization. Raises BadInput for another url.
    """

    channel = "push"
    name = "http"
    idempotent = True

    def __init__(self, url: str, *, headers: Mapping[str, str] | None = None, longest_call: float = 10.0, connections: int = 16) -> None:
        try:
            address = urlsplit(url)
        except ValueError:
            address = urlsplit("")
        if address.scheme not in ("http", "https") or not address.hostname:
            raise BadInput("The push service's address is not understood: write http:// or https:// and the rest.")
        self.longest_call = longest_call
        self._url = url
        self._free = asyncio.Semaphore(connections)  # httpx's own bound on waiting begins anew now and then
        self._client = httpx.AsyncClient(
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity", **(headers or {})},
            timeout=None,  # the bounds are below
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=20),
            trust_env=False,
        )

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        """Took when the service took it. Refused codes: no_token, unregistered, message_refused."""
        if not isinstance(message, RenderedPush):
            raise TypeError(f"{self.name} carries pushes, not {type(message).__name__}")
        if not message.tokens:
            return Refused("no_token", "there is no device to push to", asked=False)
        body = {
            "delivery": delivery, "tokens": message.tokens, "title": message.title, "body": message.body,
            "url": message.url, "data": message.data, "opened_token": message.opened_token,
        }  # fmt: skip
        over = asyncio.get_running_loop().time() + self.longest_call
        try:
            async with asyncio.timeout(self.longest_call / 3):  # the rest is the call's, however long it waited
                await self._free.acquire()
        except TimeoutError:
            return Later("no connection to the push service was free", NONE_FREE, asked=False)
        call = self._client.build_request("POST", self._url, content=json.dumps(body).encode(), headers={"Idempotency-Key": _key(delivery)})
        try:
            async with asyncio.timeout_at(over):
                answer = await self._client.send(call, stream=True)
                try:
                    return _read(answer, await body_of(answer), message.tokens)
                finally:
                    await answer.aclose()
        except TimeoutError:
            return Later(f"the push service did not answer within {self.longest_call:g} s", unanswered=True)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            return Later(f"the push service cannot be reached: {words(error)}")
        except httpx.HTTPError as error:  # also a break in the middle of an answer: asked again, the service says the same
            return Later(f"the push service cannot be reached: {words(error)}", unanswered=True)
        finally:
            self._free.release()

    async def close(self) -> None:
        await self._client.aclose()


def _key(delivery: str) -> str:
    """The id as a header can carry it."""
    return "".join(sign if " " <= sign <= "~" else f"\\x{ord(sign):02x}" for sign in delivery)


def _read(answer: httpx.Response, body: bytes, tokens: tuple[str, ...]) -> Answer:
    said = object_in(body)
    detail = f"{answer.status_code} {body.decode('utf-8', 'replace')}".strip()[:LONGEST_DETAIL]
    if answer.is_success:
        unregistered = said.get("unregistered")
        dead = tuple(token for token in tokens if token in unregistered) if isinstance(unregistered, list) else ()
        if len(dead) == len(tokens):
            return Refused("unregistered", "no device of this person has the app any more", dead)
        provider_id = said.get("id")
        return Took(provider_id if isinstance(provider_id, str) else "", dead)
    if answer.status_code in _TRANSIENT or answer.status_code >= 500:
        return Later(detail, retry_after(answer))
    if said.get("error") == "UNREGISTERED":
        return Refused("unregistered", "no device of this person has the app any more", tokens)
    return Refused("message_refused", detail)

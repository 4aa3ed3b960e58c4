"""Calls a webhook: one HTTP request, signed, to an address that was looked at first. It knows no journey: the call is made out already.

Idempotent: `webhook-id` and `Idempotency-Key` are the same on every attempt, and whoever is called knows a repeat by them.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

import httpx

from journey import calls, ids
from journey.calls import RenderedCall, Response
from journey.messages import Rendered
from providers import public_addresses, signing
from providers.http_answers import LONGEST_DETAIL, retry_after, words
from providers.port import Answer, Later, Refused, Took
from providers.public_addresses import Network

USER_AGENT = "Sojourn"
Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses to which a name leads now. Raises OSError when it leads nowhere."""
_IDLE = 20.0
"""Seconds that a connection is kept without a call."""


class WebhookProvider:
    """Carries calls. `secrets` are one or more, `whsec_` and base64; `private` are networks that may be called although they are not
    public; `at_once` is how many calls a host is given at a time by this process. `resolve` says where a name leads, `trusted` whose
    certificates are believed, when not the system does. Raises ValueError for a secret that is none.

    Redirects are not followed. The name is looked up for each call, and the connection is made to the address that was looked at.
    """

    channel = calls.CHANNEL
    name = "http"
    idempotent = True

    def __init__(
        self, secrets: Sequence[str], *, private: Sequence[Network] = (), longest_call: float = 10.0, at_once: int = 16,
        clock: Callable[[], float] = time.time, resolve: Resolve = public_addresses.resolved, trusted: ssl.SSLContext | None = None,
    ) -> None:  # fmt: skip
        self.longest_call = longest_call
        self._resolve, self._trusted = resolve, trusted or ssl.create_default_context()
        self._keys = [signing.key_of(secret) for secret in secrets]
        self._private, self._at_once, self._clock = tuple(private), at_once, clock
        self._clients: dict[str, httpx.AsyncClient] = {}

    async def deliver(self, delivery: str, message: Rendered) -> Answer:
        """Took for 2xx; Later for 408, 425, 429, 5xx, and when no whole answer came. Refused codes: call_refused, host_refused."""
        if not isinstance(message, RenderedCall):
            raise TypeError(f"{self.name} carries calls, not {type(message).__name__}")
        try:
            async with asyncio.timeout(self.longest_call):
                return await self._called(delivery, message)
        except TimeoutError:
            return Later(f"no answer came within {self.longest_call:g} s")
        except httpx.InvalidURL as error:
            return Refused("host_refused", words(error), asked=False)
        except httpx.PoolTimeout:
            return Later(f"{self._at_once} calls to this host are under way", asked=False)
        except (httpx.HTTPError, OSError) as error:  # also a break in the middle of an answer: asked again, the host says the same
            return Later(f"the host cannot be reached: {words(error)}")

    async def close(self) -> None:
        for client in list(self._clients.values()):
            await client.aclose()
        self._clients.clear()

    async def _called(self, delivery: str, call: RenderedCall) -> Answer:
        url = httpx.URL(call.url)
        if url.scheme not in ("http", "https") or not url.host:
            return Refused("host_refused", "it is no address of the web", asked=False)
        port = url.port or {"http": 80, "https": 443}[url.scheme]
        found = await self._resolve(url.host, port)
        addresses = [address for address in found if public_addresses.allowed(address, self._private)]
        if not addresses:
            said = f"{url.host} is {', '.join(found)}, of a private network: SOJOURN_WEBHOOK_PRIVATE allows it"
            return Refused("host_refused", said, asked=False)
        request = self._request(delivery, call, url)
        for last, address in zip((*[False] * (len(addresses) - 1), True), addresses, strict=True):
            try:
                return await self._sent(request, url, address)
            except httpx.ConnectError:
                if last:
                    raise
        raise AssertionError("there is an address")

    def _request(self, delivery: str, call: RenderedCall, url: httpx.URL) -> httpx.Request:
        body = call.body.encode()
        name = ids.webhook(delivery)
        headers = {name_.lower(): value for name_, value in call.headers.items()}
        headers |= signing.headers(self._keys, name, int(self._clock()), body)
        headers |= {"idempotency-key": name, "accept-encoding": "identity", "host": urlsplit(str(url)).netloc.rpartition("@")[2]}
        headers.setdefault("user-agent", USER_AGENT)
        raw = [(name_.encode(), value.encode()) for name_, value in headers.items()]
        return httpx.Request(call.method, url, headers=raw, content=body)

    async def _sent(self, request: httpx.Request, url: httpx.URL, address: str) -> Answer:
        """To this very address, whatever the name leads to by now; the certificate is looked at for the name."""
        pinned = httpx.Request(
            request.method, url.copy_with(host=address), headers=request.headers, content=request.content,
            extensions={"sni_hostname": url.host},
        )  # fmt: skip
        answer = await self._client(f"{url.scheme}://{url.netloc.decode()}").send(pinned, stream=True)
        try:
            body = await _body_of(answer)
        finally:
            await answer.aclose()
        return _read(answer, body)

    def _client(self, host: str) -> httpx.AsyncClient:
        """Connections to one host alone: none is used for another that happens to have the same address."""
        client = self._clients.get(host)
        if client is None:
            limits = httpx.Limits(max_connections=self._at_once, max_keepalive_connections=self._at_once, keepalive_expiry=_IDLE)
            timeout = httpx.Timeout(None, pool=self.longest_call / 2)  # the bound on the whole call is above
            client = self._clients[host] = httpx.AsyncClient(
                timeout=timeout, limits=limits, trust_env=False, follow_redirects=False, verify=self._trusted
            )
        return client


async def _body_of(answer: httpx.Response) -> bytes | None:
    """The body; None when it is larger than what is kept: it is not listened to any further."""
    read = b""
    async for piece in answer.aiter_raw():
        read += piece
        if len(read) > calls.LARGEST_BODY:
            return None
    return read


def _read(answer: httpx.Response, body: bytes | None) -> Answer:
    response = _response(answer.status_code, body)
    detail = f"{answer.status_code} {(body or b'').decode('utf-8', 'replace')}".strip()[:LONGEST_DETAIL]
    match calls.meaning(answer.status_code):
        case "took":
            return Took(str(answer.status_code), response=response)
        case "later":
            return Later(detail, retry_after(answer), response=response)
    return Refused("call_refused", detail, response=response)


def _response(status: int, body: bytes | None) -> Response:
    if body is None:
        return Response(status, left_out="too_large")
    if not body.strip():
        return Response(status)
    try:
        return Response(status, _kept(json.loads(body)))
    except (ValueError, RecursionError):
        return Response(status, left_out="not_json")


def _kept(value: object) -> object:
    """Raises ValueError for what no database keeps as JSON: NaN, NUL and half a surrogate pair."""
    written = json.dumps(value, allow_nan=False, ensure_ascii=False)
    if "\\u0000" in written or any("\ud800" <= sign <= "\udfff" for sign in written):
        raise ValueError("it holds a character that cannot be kept")
    return value

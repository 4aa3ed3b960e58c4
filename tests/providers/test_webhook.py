"""Calls of webhooks: signed so that the library of Standard Webhooks accepts them, to addresses that were looked at; answers are kept."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from demo.catchers import PushBehaviour
from journey import calls
from journey.calls import RenderedCall, Response
from providers import public_addresses, signing
from providers.port import Later, Refused, Took
from providers.webhook import WebhookProvider
from tests.hooks import HookCatcher
from tests.providers.conftest import Tls, nobody

NEW, OLD, OTHER = (signing.derived(name) for name in ("the new one", "the old one", "another one"))
LOOPBACK = [ip_network("127.0.0.0/8")]
DELIVERY = "small~c-42~1.2.webhook"


@pytest.fixture
async def catcher() -> AsyncIterator[HookCatcher]:
    async with HookCatcher() as opened:
        yield opened


@pytest.fixture
async def provider() -> AsyncIterator[WebhookProvider]:
    made = WebhookProvider([NEW, OLD], private=LOOPBACK, longest_call=5)
    yield made
    await made.close()


def call(catcher: HookCatcher, path: str = "/people/c-42?x=1", **changed: Any) -> RenderedCall:
    given: dict[str, Any] = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": '{"name": "Grüße"}'}
    return RenderedCall(f"http://{catcher.host}{path}", **(given | changed))


def verified(secret: str, headers: dict[str, str], body: bytes) -> Any:
    return Webhook(secret).verify(body, headers)


# ---- the signature ---------------------------------------------------------------------------------------------------------------


async def test_a_call_is_verified_by_the_library_with_the_new_secret_and_the_old_one(
    catcher: HookCatcher, provider: WebhookProvider
) -> None:  # fmt: skip
    assert isinstance(await provider.deliver(DELIVERY, call(catcher)), Took)
    (came,) = catcher.calls
    assert (came.method, came.path) == ("POST", "/people/c-42?x=1")
    for secret in (NEW, OLD):
        assert verified(secret, came.headers, came.body) == {"name": "Grüße"}
    with pytest.raises(WebhookVerificationError):
        verified(OTHER, came.headers, came.body)
    with pytest.raises(WebhookVerificationError):
        verified(NEW, came.headers, came.body + b" ")
    assert came.headers["host"] == catcher.host


async def test_the_id_is_the_same_on_every_attempt_and_the_timestamp_is_that_of_the_attempt(catcher: HookCatcher) -> None:
    seconds = iter([1_700_000_000.4, 1_700_000_060.9])
    provider = WebhookProvider([NEW], private=LOOPBACK, clock=lambda: next(seconds))
    for _ in range(2):
        await provider.deliver(DELIVERY, call(catcher))
    await provider.close()
    assert [(came.id, came.headers["idempotency-key"]) for came in catcher.calls] == [("small~c-42~1~2~webhook",) * 2] * 2
    assert [came.headers["webhook-timestamp"] for came in catcher.calls] == ["1700000000", "1700000060"]
    assert len({came.headers["webhook-signature"] for came in catcher.calls}) == 2


def test_a_signature_is_the_one_that_the_specification_gives() -> None:
    body = b'{"event_type":"ping","data":{"success":true}}'
    made = signing.headers([signing.key_of(NEW)], "msg_1", 1_700_000_000, body)
    assert made["webhook-signature"] == Webhook(NEW).sign("msg_1", datetime.fromtimestamp(1_700_000_000, UTC), body.decode())


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", NEW.removeprefix("whsec_")])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_ and 24 to 64 bytes"):
        WebhookProvider([secret])


# ---- what is answered ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "response"),
    [
        (PushBehaviour(body=b'{"score": 7}'), Response(200, {"score": 7})),
        (PushBehaviour(status=204, body=b""), Response(204)),
        (PushBehaviour(body=b"OK"), Response(200, None, "not_json")),
        (PushBehaviour(body=b"\xff\xfe"), Response(200, None, "not_json")),
        (PushBehaviour(body=b'{"a": NaN}'), Response(200, None, "not_json")),
        (PushBehaviour(body=json.dumps("a\0b").encode()), Response(200, None, "not_json")),
        (PushBehaviour(body=json.dumps("x" * calls.LARGEST_BODY).encode()), Response(200, None, "too_large")),
        (PushBehaviour(body=json.dumps("x" * (calls.LARGEST_BODY - 2)).encode()), Response(200, "x" * (calls.LARGEST_BODY - 2))),
    ],
)
async def test_an_answer_is_kept_where_it_is_json_of_a_size(
    catcher: HookCatcher, provider: WebhookProvider, behaviour: PushBehaviour, response: Response
) -> None:  # fmt: skip
    catcher.behave(behaviour)
    answer = await provider.deliver(DELIVERY, call(catcher))
    assert isinstance(answer, Took)
    assert answer.response == response
    catcher.behave()
    assert isinstance(await provider.deliver(DELIVERY, call(catcher)), Took), "a body that was cut off leaves the connection in order"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_transient_answer_is_later_with_its_retry_after(catcher: HookCatcher, provider: WebhookProvider, status: int) -> None:
    catcher.behave(PushBehaviour(status=status, headers={"Retry-After": "17"}, body=b'{"why": "busy"}'))
    answer = await provider.deliver(DELIVERY, call(catcher))
    assert type(answer) is Later
    assert (answer.retry_after, answer.response) == (17.0, Response(status, {"why": "busy"}))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
async def test_any_other_no_is_for_good(catcher: HookCatcher, provider: WebhookProvider, status: int) -> None:
    catcher.behave(PushBehaviour(status=status, body=b"{}"))
    answer = await provider.deliver(DELIVERY, call(catcher))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.response) == ("call_refused", Response(status, {}))


async def test_a_redirect_is_not_followed(catcher: HookCatcher, provider: WebhookProvider) -> None:
    catcher.behave(PushBehaviour(status=307, headers={"Location": f"http://{catcher.host}/elsewhere"}))
    answer = await provider.deliver(DELIVERY, call(catcher))
    assert isinstance(answer, Refused)
    assert [came.path for came in catcher.calls] == ["/people/c-42?x=1"]


async def test_a_get_without_a_body_is_signed_too(catcher: HookCatcher, provider: WebhookProvider) -> None:
    await provider.deliver(DELIVERY, call(catcher, method="GET", headers={}, body=""))
    (came,) = catcher.calls
    assert (came.method, came.body) == ("GET", b"")
    key = signing.key_of(NEW)
    assert (
        came.headers["webhook-signature"].split()[0]
        == (signing.headers([key], came.id, int(came.headers["webhook-timestamp"]), b"")["webhook-signature"])
    )


# ---- whom it may go to -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
     "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::a00:1",
     "nonsense"],
)  # fmt: skip
def test_what_is_not_public_is_not_called(address: str) -> None:
    assert not public_addresses.allowed(address, [])


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"])
def test_what_is_public_is(address: str) -> None:
    assert public_addresses.allowed(address, [])


def test_a_network_may_be_allowed_and_no_other_is() -> None:
    networks = [ip_network("10.1.0.0/16"), ip_network("::1")]
    assert [public_addresses.allowed(one, networks) for one in ("10.1.2.3", "10.2.0.1", "::1", "::ffff:10.1.2.3")] == [
        True,
        False,
        True,
        True,
    ]


async def test_a_private_host_is_refused_by_its_address_whatever_its_name(catcher: HookCatcher) -> None:
    provider = WebhookProvider([NEW])
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"):
        answer = await provider.deliver(DELIVERY, RenderedCall(f"http://{host}:{catcher.port}/x", "POST"))
        assert isinstance(answer, Refused), host
        assert answer.code == "host_refused"
    assert catcher.connections == 0
    await provider.close()


async def test_a_connection_goes_to_the_address_that_was_looked_at_and_to_no_other_that_the_name_has(catcher: HookCatcher) -> None:
    leads_to = [["10.0.0.1", "127.0.0.1"], ["10.0.0.1"]]

    async def names(host: str, port: int) -> list[str]:
        assert (host, port) == ("crm.example", catcher.port)
        return leads_to.pop(0)

    provider = WebhookProvider([NEW], private=LOOPBACK, resolve=names)
    url = f"http://crm.example:{catcher.port}/x"
    assert isinstance(await provider.deliver(DELIVERY, RenderedCall(url, "POST")), Took)
    assert [came.headers["host"] for came in catcher.calls] == [f"crm.example:{catcher.port}"]
    assert isinstance(await provider.deliver(DELIVERY, RenderedCall(url, "POST")), Refused), "the name leads elsewhere by now"
    assert len(catcher.calls) == 1
    await provider.close()


async def test_of_two_addresses_the_one_that_answers_is_called(catcher: HookCatcher) -> None:
    async def names(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]  # nobody listens at the first

    provider = WebhookProvider([NEW], private=LOOPBACK, resolve=names)
    assert isinstance(await provider.deliver(DELIVERY, RenderedCall(f"http://crm.example:{catcher.port}/x", "POST")), Took)
    await provider.close()


async def test_the_certificate_is_looked_at_for_the_name_and_not_for_the_address(tls: Tls) -> None:
    async def names(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    provider = WebhookProvider([NEW], private=LOOPBACK, resolve=names, trusted=tls.client)
    async with HookCatcher(tls=tls.server) as catcher:
        assert isinstance(await provider.deliver(DELIVERY, RenderedCall(f"https://localhost:{catcher.port}/x", "POST")), Took)
        other = await provider.deliver(DELIVERY, RenderedCall(f"https://crm.example:{catcher.port}/x", "POST"))
        assert type(other) is Later
        assert "certificate" in other.detail
        await provider.close()


@pytest.mark.parametrize("url", ["ftp://example.org/x", "http:///x", "https://[::1"])
async def test_what_is_no_address_is_refused(provider: WebhookProvider, url: str) -> None:
    assert isinstance(await provider.deliver(DELIVERY, RenderedCall(url, "POST")), Refused)


async def test_a_name_that_leads_nowhere_and_a_port_where_nobody_is_are_later(provider: WebhookProvider) -> None:
    with pytest.raises(socket.gaierror):
        await public_addresses.resolved("nobody.invalid", 80)
    assert type(await provider.deliver(DELIVERY, RenderedCall("http://nobody.invalid/x", "POST"))) is Later
    async with nobody() as port:
        assert type(await provider.deliver(DELIVERY, RenderedCall(f"http://127.0.0.1:{port}/x", "POST"))) is Later


# ---- how many at once ------------------------------------------------------------------------------------------------------------


async def test_one_that_finds_no_place_was_not_tried(catcher: HookCatcher) -> None:
    provider = WebhookProvider([NEW], private=LOOPBACK, longest_call=2, at_once=1)
    catcher.behave(PushBehaviour(delay=1.5))
    first = asyncio.create_task(provider.deliver(DELIVERY, call(catcher)))
    while not catcher.calls:
        await asyncio.sleep(0.01)
    second = await provider.deliver("small~c-43~1.2.webhook", call(catcher))
    assert isinstance(second, Later)
    assert not second.asked
    assert isinstance(await first, Took)
    assert [came.id for came in catcher.calls] == ["small~c-42~1~2~webhook"]
    await provider.close()


async def test_what_the_docs_say_of_verifying_a_call_is_so(catcher: HookCatcher, provider: WebhookProvider) -> None:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    shown: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(block.replace("whsec_…", NEW), shown)  # what the page shows is what is tried
    await provider.deliver(DELIVERY, call(catcher))
    (came,) = catcher.calls
    assert shown["called"](came.headers, came.body) == {"name": "Grüße"}
    assert shown["is_ours"](OLD, came.headers, came.body)
    assert not shown["is_ours"](OTHER, came.headers, came.body)
    assert not shown["is_ours"](OLD, came.headers | {"webhook-timestamp": "1700000000"}, came.body)

"""Push over HTTP: every answer there is, and what each means."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from demo.catchers import PushBehaviour, PushCatcher
from journey.errors import BadInput
from providers.port import Answer, Later, Refused, Took
from providers.push_http import HttpPushProvider
from tests.providers.conftest import PUSH


async def answer_to(behaviour: PushBehaviour) -> Answer:
    async with PushCatcher() as catcher:
        catcher.behave(behaviour)
        provider = HttpPushProvider(catcher.url)
        answer = await provider.deliver("d", PUSH)
        await provider.close()
        return answer


async def test_a_push_arrives_as_it_was_written() -> None:
    async with PushCatcher() as catcher:
        provider = HttpPushProvider(catcher.url, headers={"Authorization": "Bearer key"})
        assert await provider.deliver("thank-you~c-42~1.1.push", PUSH) == Took("caught")
        await provider.close()
    (push,) = catcher.pushes
    assert push.delivery == "thank-you~c-42~1.1.push"
    assert push.body == {
        "delivery": "thank-you~c-42~1.1.push",
        "tokens": ["t-1", "t-2"],
        "title": "Hello",
        "body": "Ann",
        "url": "shop://news",
        "data": {"a": "b"},
        "opened_token": "token",
    }
    assert (push.headers["authorization"], push.headers["content-type"]) == ("Bearer key", "application/json")


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"[1]", b'{"id": 5}', b'{"unregistered": "t-1"}', b"[" * 50_000, b"x" * 200_000])
async def test_a_yes_with_anything_in_it_is_a_yes(body: bytes) -> None:
    assert await answer_to(PushBehaviour(status=202, body=body)) == Took()


@pytest.mark.parametrize("status", [401, 408, 409, 425, 429, 500, 502, 503, 504, 599])
async def test_a_no_that_may_pass_is_later(status: int) -> None:
    answer = await answer_to(PushBehaviour(status=status, body=b"busy"))
    assert answer == Later(f"{status} busy")


@pytest.mark.parametrize("status", [301, 302, 400, 403, 404, 410, 413, 422])
async def test_a_no_that_stays_is_refused(status: int) -> None:
    assert await answer_to(PushBehaviour(status=status, body=b"no")) == Refused("message_refused", f"{status} no")


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7.0), ("0", 0.0), ("soon", None), ("-1", None), ("99999999999999", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)],
)
async def test_what_the_service_says_about_when_is_passed_on(said: str, seconds: float | None) -> None:
    answer = await answer_to(PushBehaviour(status=429, headers={"Retry-After": said}))
    assert isinstance(answer, Later)
    assert answer.retry_after == seconds


async def test_an_instant_to_come_back_at_becomes_seconds() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    answer = await answer_to(PushBehaviour(status=503, headers={"Retry-After": at}))
    assert isinstance(answer, Later)
    assert answer.retry_after is not None
    assert 30 < answer.retry_after <= 60


async def test_a_device_that_is_gone_is_named_and_the_others_got_it() -> None:
    answer = await answer_to(PushBehaviour(body=b'{"id": "p-1", "unregistered": ["t-2", "of somebody else"]}'))
    assert answer == Took("p-1", ("t-2",))


@pytest.mark.parametrize(
    "behaviour",
    [PushBehaviour(body=b'{"unregistered": ["t-1", "t-2"]}'), PushBehaviour(status=404, body=b'{"error": "UNREGISTERED"}')],
)
async def test_a_person_without_any_device_left_is_refused(behaviour: PushBehaviour) -> None:
    answer = await answer_to(behaviour)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.dead_tokens) == ("unregistered", ("t-1", "t-2"))


async def test_a_push_without_a_device_is_refused_without_a_call() -> None:
    async with PushCatcher() as catcher:
        provider = HttpPushProvider(catcher.url)
        answer = await provider.deliver("d", replace(PUSH, tokens=()))
        assert isinstance(answer, Refused)
        assert (answer.code, catcher.connections) == ("no_token", 0)
        await provider.close()


async def test_a_key_that_is_no_ascii_still_travels() -> None:
    async with PushCatcher() as catcher:
        provider = HttpPushProvider(catcher.url)
        assert isinstance(await provider.deliver("ü\r\nX: y", PUSH), Took)
        await provider.close()
    assert catcher.pushes[0].delivery == r"\xfc\x0d\x0aX: y"
    assert "x" not in catcher.pushes[0].headers


@pytest.mark.parametrize("url", ["", "push.example", "ftp://push.example", "http://[", "smtp://x"])
def test_another_address_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(BadInput, match="http"):
        HttpPushProvider(url)


async def test_a_call_that_nobody_answered_may_have_been_taken() -> None:
    async with PushCatcher() as catcher:
        provider = HttpPushProvider(catcher.url, longest_call=0.3)
        for behaviour in (PushBehaviour(delay=5), PushBehaviour(drop=True)):
            catcher.behave(behaviour)
            answer = await provider.deliver("d", PUSH)
            assert isinstance(answer, Later)
            assert (answer.asked, answer.unanswered) == (True, True)
        await provider.close()


async def test_whoever_finds_no_connection_free_has_not_asked() -> None:
    async with PushCatcher() as catcher:
        catcher.behave(PushBehaviour(delay=1.2))
        provider = HttpPushProvider(catcher.url, longest_call=1.5, connections=1)
        first = asyncio.create_task(provider.deliver("one", PUSH))
        while not catcher.pushes:
            await asyncio.sleep(0.01)
        assert await provider.deliver("two", PUSH) == Later("no connection to the push service was free", 5.0, asked=False)
        assert await first == Took("caught")
        assert [push.delivery for push in catcher.pushes] == ["one"]
        await provider.close()

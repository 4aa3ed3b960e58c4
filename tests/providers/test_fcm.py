"""Push through FCM: what a message becomes there, every answer there is and what each means, and the access token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from journey.messages import RenderedPush
from providers.fcm import FcmProvider
from providers.fcm_account import account_of
from providers.port import Answer, Later, Refused, Took, Uncertain
from tests.providers.conftest import PUSH, saying
from tests.providers.fcm_server import PROJECT, STATUS, FcmBehaviour, FcmServer, key_file

ONE = replace(PUSH, tokens=("t-1",))


def provider_for(server: FcmServer, *, longest_call: float = 10.0, **changed: Any) -> FcmProvider:
    return FcmProvider(account_of(key_file(server.port, **changed), Path("account.json")), longest_call=longest_call)


@asynccontextmanager
async def fcm(*, lasts: float = 3599, longest_call: float = 10.0, **changed: Any) -> AsyncIterator[tuple[FcmServer, FcmProvider]]:
    async with FcmServer(lasts=lasts) as server:
        provider = provider_for(server, longest_call=longest_call, **changed)
        yield server, provider
        await provider.close()


async def answer_to(behaviour: FcmBehaviour, message: RenderedPush = ONE) -> Answer:
    async with fcm() as (server, provider):
        server.behave(behaviour)
        return await provider.deliver("d", message)


async def test_a_push_becomes_a_message_for_each_device_and_is_one_delivery() -> None:
    async with fcm() as (server, provider):
        assert await provider.deliver("thank-you~c-42~1.1.push", PUSH) == Took(f"projects/{PROJECT}/messages/1")
    tag = server.messages[0]["android"]["notification"]["tag"]
    assert sorted(message.pop("token") for message in server.messages) == ["t-1", "t-2"]
    assert (
        server.messages
        == [
            {
                "notification": {"title": "Hello", "body": "Ann"},
                "data": {"a": "b", "url": "shop://news", "opened_token": "token"},
                "android": {"notification": {"tag": tag}},
                "apns": {"headers": {"apns-collapse-id": tag}},
                "webpush": {"notification": {"tag": tag}},
            }
        ]
        * 2
    )


async def test_a_browser_opens_the_url_when_it_is_one_that_fcm_takes() -> None:
    async with fcm() as (server, provider):
        for url in ("https://shop.example/news", "http://shop.example/news", ""):
            assert isinstance(await provider.deliver("d", replace(ONE, url=url)), Took)
    assert [message["webpush"].get("fcm_options") for message in server.messages] == [{"link": "https://shop.example/news"}, None, None]
    assert [message["data"].get("url") for message in server.messages] == ["https://shop.example/news", "http://shop.example/news", None]


async def test_two_deliveries_are_told_apart_and_two_attempts_at_one_are_not() -> None:
    async with fcm() as (server, provider):
        for delivery in ("d-1", "d-1", "d-2"):
            await provider.deliver(delivery, ONE)
    first, again, other = (message["apns"]["headers"]["apns-collapse-id"] for message in server.messages)
    assert first == again != other


async def test_a_push_of_the_most_bytes_is_taken_and_one_of_more_is_refused_without_a_call() -> None:
    rest = len("title") + len("Hello") + len("body") + len("a" + "b") + len("url" + "shop://news") + len("opened_token" + "token")
    fits = replace(ONE, body="ü" * ((4096 - rest) // 2) + "x" * ((4096 - rest) % 2))
    async with fcm() as (server, provider):
        assert isinstance(await provider.deliver("d", fits), Took)
        answer = await provider.deliver("d", replace(fits, body=fits.body + "x"))
    assert answer == Refused("too_large", "title, body, data and url come to 4097 bytes, and FCM takes 4096")
    assert len(server.messages) == 1


async def test_a_push_without_a_device_is_refused_without_a_call() -> None:
    async with fcm() as (server, provider):
        answer = await provider.deliver("d", replace(PUSH, tokens=()))
    assert isinstance(answer, Refused)
    assert (answer.code, server.connections) == ("no_token", 0)


async def test_a_device_that_is_gone_is_named_and_the_others_got_it() -> None:
    async with fcm() as (server, provider):
        server.devices["t-1"] = "UNREGISTERED"
        assert await provider.deliver("d", PUSH) == Took(f"projects/{PROJECT}/messages/1", ("t-1",))


async def test_a_person_without_any_device_left_is_refused() -> None:
    answer = await answer_to(FcmBehaviour(error="UNREGISTERED"), PUSH)
    assert isinstance(answer, Refused)
    assert (answer.code, answer.dead_tokens) == ("unregistered", ("t-1", "t-2"))


async def test_not_found_without_fcms_own_code_is_no_device_that_is_gone() -> None:
    async with fcm(project_id="of-somebody-else") as (_, provider):
        answer = await provider.deliver("d", PUSH)
    assert answer == Refused("message_refused", "404 NOT_FOUND: Requested entity was not found.")


async def test_a_code_that_is_not_fcms_own_is_no_device_that_is_gone() -> None:
    body = {"error": {"details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "errorCode": "UNREGISTERED"}]}}
    answer = await answer_to(FcmBehaviour(status=404, body=json.dumps(body).encode()))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.dead_tokens) == ("message_refused", ())


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("INVALID_ARGUMENT", "message_refused"),
        ("SENDER_ID_MISMATCH", "wrong_sender"),
        ("THIRD_PARTY_AUTH_ERROR", "platform_key_refused"),
    ],
)
async def test_a_no_that_stays_is_refused_and_no_device_is_taken_for_gone(error: str, code: str) -> None:
    assert await answer_to(FcmBehaviour(error=error), PUSH) == Refused(code, f"{STATUS[error][0]} {error}: No.")


async def test_a_key_that_apple_refuses_is_no_reason_for_another_access_token() -> None:
    async with fcm() as (server, provider):
        server.devices["t-1"] = "THIRD_PARTY_AUTH_ERROR"
        assert isinstance(await provider.deliver("d", ONE), Refused)
    assert len(server.granted) == 1


@pytest.mark.parametrize(("error", "pause"), [("UNAVAILABLE", None), ("INTERNAL", None), ("QUOTA_EXCEEDED", 60.0)])
async def test_a_no_that_may_pass_is_later(error: str, pause: float | None) -> None:
    assert await answer_to(FcmBehaviour(error=error), PUSH) == Later(f"{STATUS[error][0]} {error}: No.", pause)
    said = await answer_to(FcmBehaviour(error=error, headers={"Retry-After": "7"}), PUSH)
    assert said == Later(f"{STATUS[error][0]} {error}: No.", 7.0)


@pytest.mark.parametrize("status", [403, 408, 500, 502, 504])
async def test_words_that_are_not_fcms_are_judged_by_their_status(status: int) -> None:
    assert await answer_to(FcmBehaviour(status=status, body=b"<html>busy")) == Later(f"{status} <html>busy")


@pytest.mark.parametrize("body", [b'{"error": "no"}', b'{"error": {"details": "no"}}', b'{"error": {"details": [1, {}]}}', b"[" * 50_000])
async def test_a_no_with_anything_in_it_is_a_no(body: bytes) -> None:
    answer = await answer_to(FcmBehaviour(status=400, body=body))
    assert isinstance(answer, Refused)
    assert (answer.code, answer.detail[:3]) == ("message_refused", "400")


@pytest.mark.parametrize("body", [b"", b"<html>", b"null", b"{}", b'{"name": 5}', b"x" * 200_000])
async def test_a_yes_that_is_not_fcms_leaves_open_whether_it_was_taken(body: bytes) -> None:
    answer = await answer_to(FcmBehaviour(body=body))
    assert isinstance(answer, Uncertain)
    assert answer.detail.startswith("an answer that is none of FCM's")


async def test_a_break_after_the_message_went_out_leaves_open_whether_it_was_taken() -> None:
    assert isinstance(await answer_to(FcmBehaviour(drop=True)), Uncertain)


async def test_silence_after_the_message_went_out_leaves_open_whether_it_was_taken() -> None:
    async with fcm(longest_call=0.5) as (server, provider):
        server.behave(FcmBehaviour(delay=30))
        assert await provider.deliver("d", ONE) == Uncertain("FCM did not answer within 0.5 s")


@pytest.mark.parametrize("words", [b"What?\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{", b"x" * 200_000])
async def test_nonsense_after_the_message_went_out_leaves_open_whether_it_was_taken(words: bytes) -> None:
    async with FcmServer() as tokens, saying(words) as port:
        provider = provider_for(tokens, longest_call=1, fcm_url=f"http://127.0.0.1:{port}")
        assert isinstance(await provider.deliver("d", ONE), Uncertain)
        await provider.close()


async def test_what_one_device_took_is_sent_whatever_became_of_the_others() -> None:
    async with fcm(longest_call=1) as (server, provider):
        server.devices |= {"t-2": "UNAVAILABLE", "t-3": "INVALID_ARGUMENT", "t-4": "UNREGISTERED"}
        server.delays["t-5"] = 30
        answer = await provider.deliver("d", replace(PUSH, tokens=("t-1", "t-2", "t-3", "t-4", "t-5")))
    assert answer == Took(f"projects/{PROJECT}/messages/1", ("t-4",))


async def test_of_several_answers_an_open_question_counts_before_a_later_and_a_later_before_a_no() -> None:
    async with fcm(longest_call=1) as (server, provider):
        server.devices |= {"t-1": "INVALID_ARGUMENT", "t-2": "QUOTA_EXCEEDED", "t-3": "UNAVAILABLE", "t-4": "UNREGISTERED"}
        server.delays["t-5"] = 30
        everything = replace(PUSH, tokens=("t-1", "t-2", "t-3", "t-4", "t-5"))
        assert isinstance(await provider.deliver("d", everything), Uncertain)
        assert await provider.deliver("d", replace(PUSH, tokens=("t-1", "t-3", "t-2", "t-4"))) == Later("503 UNAVAILABLE: No.", 60.0)
        answer = await provider.deliver("d", replace(PUSH, tokens=("t-4", "t-1")))
    assert answer == Refused("message_refused", "400 INVALID_ARGUMENT: No.", ("t-4",))


async def test_an_access_token_is_asked_for_once_however_many_need_one() -> None:
    async with fcm() as (server, provider):
        answers = await asyncio.gather(*(provider.deliver(f"d-{n}", PUSH) for n in range(20)))
        assert [type(answer) for answer in answers] == [Took] * 20
        assert isinstance(await provider.deliver("d", ONE), Took)
    assert (len(server.messages), len(server.granted)) == (41, 1)


async def test_an_access_token_is_replaced_when_its_time_is_over() -> None:
    async with fcm(lasts=0) as (server, provider):
        for delivery in ("d-1", "d-2"):
            assert isinstance(await provider.deliver(delivery, ONE), Took)
    assert len(server.granted) == 2


async def test_an_access_token_that_was_withdrawn_is_replaced_and_nobody_notices() -> None:
    async with fcm() as (server, provider):
        assert isinstance(await provider.deliver("d-1", ONE), Took)
        server.revoke()
        assert isinstance(await provider.deliver("d-2", PUSH), Took)
    assert (len(server.messages), len(server.granted)) == (3, 2)


@pytest.mark.parametrize("fault", [FcmBehaviour("token", delay=30), FcmBehaviour("token", drop=True)], ids=["silence", "a break"])
async def test_what_fcm_sent_back_for_another_access_token_is_not_taken_if_there_is_none(fault: FcmBehaviour) -> None:
    async with fcm(longest_call=0.5) as (server, provider):
        assert isinstance(await provider.deliver("d-1", ONE), Took)
        server.revoke()
        server.behave(fault)
        assert type(await provider.deliver("d-2", ONE)) is Later


async def test_silence_after_the_message_went_out_with_another_access_token_leaves_open_whether_it_was_taken() -> None:
    async with fcm(longest_call=0.5) as (server, provider):
        assert isinstance(await provider.deliver("d-1", ONE), Took)
        server.revoke()
        server.delays["t-1"] = 30
        assert isinstance(await provider.deliver("d-2", ONE), Uncertain)


async def test_an_account_that_fcm_does_not_let_in_is_later_and_asked_for_no_more_than_twice() -> None:
    async with fcm() as (server, provider):
        server.behave(FcmBehaviour(status=401, body=b'{"error": {"status": "UNAUTHENTICATED", "message": "No."}}'))
        assert await provider.deliver("d", ONE) == Later("401 UNAUTHENTICATED: No.")
    assert len(server.granted) == 2


@pytest.mark.parametrize("changed", [{"name": "another"}, {"client_email": "else@kaya-coffee.iam.example"}, {"private_key_id": "key-2"}])
async def test_an_account_that_gets_no_access_token_is_later_with_the_words_of_the_other_side(changed: dict[str, Any]) -> None:
    async with fcm(**changed) as (server, provider):
        answer = await provider.deliver("d", ONE)
    assert type(answer) is Later
    assert answer.detail.startswith('no access token for FCM: 400 {"error": "invalid_grant"')
    assert (server.granted, server.messages) == ([], [])


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"access_token": 5}', b'{"access_token": "a\\nb"}', b'{"access_token": "a", "expires_in": "?"}']
)
async def test_an_answer_without_an_access_token_is_later_and_not_repeated_in_the_log(body: bytes) -> None:
    assert await answer_to(FcmBehaviour("token", body=body)) == Later("no access token for FCM: 200 an answer without one")


async def test_who_gives_access_tokens_out_may_say_when_to_come_back() -> None:
    answer = await answer_to(FcmBehaviour("token", status=503, body=b"busy", headers={"Retry-After": "9"}))
    assert answer == Later("no access token for FCM: 503 busy", 9.0)


@pytest.mark.parametrize(
    "message",
    [
        {"data": {"a": 1}, "token": "t"},
        {"data": {"from": "us"}, "token": "t"},
        {"data": {"google.x": "y"}, "token": "t"},
        {"notification": {"title": "x" * 4096}, "token": "t"},
        {"notification": {"headline": "x"}, "token": "t"},
        {"tokens": ["t"], "token": "t"},
        {"token": ""},
        {"token": "t", "topic": "news"},
        {"token": "t", "webpush": {"fcm_options": {"link": "http://shop.example"}}},
        {"token": "t", "apns": {"headers": {"apns-collapse-id": "x" * 65}}},
        {"token": "t", "android": {"tag": "x"}},
    ],
)
async def test_the_stand_in_refuses_what_fcm_refuses(message: dict[str, Any]) -> None:
    async with fcm() as (server, provider), httpx.AsyncClient() as client:
        assert isinstance(await provider.deliver("d", ONE), Took)
        url, access = (
            f"http://127.0.0.1:{server.port}/v1/projects/{PROJECT}/messages:send",
            {"Authorization": f"Bearer {server.granted[0]}"},
        )
        answer = await client.post(url, headers=access, json={"message": message})
        assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
        assert (await client.post(url, json={"message": {"token": "t"}})).status_code == 401
        assert (await client.post(url, headers=access, json={"message": {"token": "t"}})).status_code == 200

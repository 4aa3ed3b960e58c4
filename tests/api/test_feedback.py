"""What a provider says of messages later, as it comes in over HTTP: one, many, and what cannot be read."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from api.app import create_app
from api.services import Services
from journey import ids
from journey.contract import Happened
from store import profiles, suppressions
from store.database import Database
from tests.api import waiting
from tests.fakes import FakeWorkflows

ADDRESS = "ada@shop.example"


async def barred(database: Database) -> dict[str, str]:
    return {one.address: one.reason for one in await database.read(lambda c: suppressions.page(c, ("", ""), 100))}


async def test_a_hard_bounce_is_a_fact_and_suppresses_the_address(api: httpx.AsyncClient, database: Database) -> None:
    await waiting.for_an_open(database)
    said = {"kind": "hard_bounce", "delivery": waiting.FIRST_MAIL, "address": ADDRESS}
    answer = await api.post("/v1/feedback", json=said)
    assert answer.status_code == 202
    assert answer.json() == {
        "delivery": waiting.FIRST_MAIL, "duplicate": False, "suppressed": True, "code": "late",
        "detail": "Nobody waits for it any more.", "entrants": [],
    }  # fmt: skip
    assert await waiting.facts(database) == [("bounced", "email"), ("bounced_hard", "email")]
    assert await barred(database) == {ADDRESS: "hard_bounce"}
    again = (await api.post("/v1/feedback", json=said)).json()
    assert (again["duplicate"], again["suppressed"], again["code"]) == (True, False, "")


async def test_whoever_waits_for_it_is_told(api: httpx.AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    entrant = await waiting.for_an_open(database, "email.delivered")
    header = ids.message_id(waiting.FIRST_MAIL, "shop.example")
    verdict = (await api.post("/v1/feedback", json={"kind": "delivered", "message_id": header})).json()
    assert (verdict["delivery"], verdict["code"], verdict["entrants"]) == (waiting.FIRST_MAIL, "", [entrant])
    assert workflows.signals == [(entrant, Happened(1, "email-opened", "sojourn", f"{waiting.FIRST_MAIL}:delivered"))]


async def test_of_many_each_has_its_verdict(api: httpx.AsyncClient, database: Database) -> None:
    await waiting.for_an_open(database)
    answer = await api.post(
        "/v1/feedback",
        json=[
            {"kind": "complaint", "delivery": waiting.FIRST_MAIL, "address": ADDRESS},
            {"kind": "bounce", "delivery": waiting.FIRST_MAIL},
            {"kind": "delivered"},
            {"kind": "hard_bounce", "delivery": "thank-you~c-1~1.1.email"},
            {"kind": "unsubscribe", "address": "grace@shop.example"},
            "nonsense",
            {"kind": "complaint", "delivery": waiting.FIRST_MAIL, "address": ADDRESS},
        ],
    )
    assert answer.status_code == 207
    found = answer.json()
    assert [one["status"] for one in found] == [202, 422, 422, 202, 202, 422, 202]
    assert [one["code"] for one in found] == ["late", "bad_input", "bad_input", "unknown_delivery", "", "bad_input", ""]
    assert [one["suppressed"] for one in found] == [True, False, False, False, True, False, False]
    assert [one["duplicate"] for one in found] == [False] * 6 + [True]
    assert (found[1]["where"], found[2]["where"]) == ("[1].kind", "[2].delivery")
    assert await waiting.discards(database) == ["late", "unknown_delivery"]
    assert await barred(database) == {ADDRESS: "complaint", "grace@shop.example": "unsubscribe"}


async def test_more_than_a_thousand_are_refused_whole(api: httpx.AsyncClient, database: Database) -> None:
    answer = await api.post("/v1/feedback", json=[{"kind": "complaint", "address": ADDRESS}] * 1001)
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many")
    assert await barred(database) == {}


@pytest.mark.parametrize("body", ["7", "{", '{"kind": "hard_bounce", "address": " "}', '{"kind": "hard_bounce", "address": "a", "x": 1}'])
async def test_what_cannot_be_read_is_refused(api: httpx.AsyncClient, body: str) -> None:
    assert (await api.post("/v1/feedback", content=body)).status_code in (400, 422)


async def test_without_a_key_nothing_is_taken(anonymous: httpx.AsyncClient, database: Database) -> None:
    assert (await anonymous.post("/v1/feedback", json={"kind": "complaint", "address": ADDRESS})).status_code == 401
    assert await barred(database) == {}


async def test_the_setting_says_how_many_soft_bounces_suppress_an_address(services: Services, database: Database) -> None:
    transport = httpx.ASGITransport(create_app(replace(services, soft_bounces=2)))
    headers = {"Authorization": f"Bearer {services.admin_key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://sojourn.test", headers=headers) as api:
        said = [{"kind": "soft_bounce", "address": ADDRESS, "id": f"b{n}"} for n in (1, 1, 2)]
        verdicts = [(await api.post("/v1/feedback", json=one)).json() for one in said]
    assert [(one["duplicate"], one["suppressed"]) for one in verdicts] == [(False, False), (True, False), (False, True)]


async def test_something_pressed_in_a_push_counts_once(anonymous: httpx.AsyncClient, services: Services, database: Database) -> None:
    await waiting.for_an_open(database)
    for _ in range(2):
        answer = await anonymous.post("/v1/push/clicked", json={"token": services.signer.sign("p", waiting.FIRST_PUSH)})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert await waiting.facts(database) == [("clicked", "push")]
    assert (await anonymous.options("/v1/push/clicked")).status_code == 204
    refused = await anonymous.post("/v1/push/clicked", json={"token": "x"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (404, "*")


async def test_unsubscribing_decides_the_gate_of_whoever_is_waited_for(
    anonymous: httpx.AsyncClient, services: Services, database: Database, workflows: FakeWorkflows
) -> None:
    entrant = await waiting.for_an_open(database, "email.unsubscribed")
    answer = await anonymous.post(f"/u/{services.signer.sign('u', waiting.FIRST_MAIL)}")
    assert (answer.status_code, "You are unsubscribed" in answer.text) == (200, True)
    assert workflows.signals == [(entrant, Happened(1, "email-opened", "sojourn", f"{waiting.FIRST_MAIL}:unsubscribed"))]
    assert await waiting.facts(database) == [("unsubscribed", "email")]
    assert (await database.read(lambda c: profiles.get(c, "c-42"))).consents == {"email": False}


async def test_who_is_behind_a_number_is_listed_and_the_numbers_are_lines_for_who_wants_csv(
    api: httpx.AsyncClient, database: Database
) -> None:
    await waiting.for_an_open(database)
    await api.post("/v1/feedback", json={"kind": "soft_bounce", "delivery": waiting.FIRST_MAIL})
    for fact, found in (("bounced", [waiting.FIRST_MAIL]), ("bounced_hard", []), ("opened", [])):
        listed = (await api.get("/v1/deliveries", params={"fact": fact})).json()["items"]
        assert [one["id"] for one in listed] == found
    people = (await api.get("/v1/entrants", params={"fact": "bounced", "node": "first"})).json()["items"]
    assert [one["id"] for one in people] == [waiting.ENTRANT]
    assert (await api.get("/v1/entrants", params={"fact": "bounced", "node": "thanks"})).json()["items"] == []
    answer = await api.get("/v1/journeys/thank-you/report", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "first,message,email,bounced,1" in answer.text.splitlines()
    told = (await api.get("/v1/profiles/c-42/timeline")).json()["items"]
    assert [one["sentence"] for one in told if one["kind"] == "event"] == ["email.bounced of first (soft)."]

"""What is wrong gets an answer that says so, has no effect, and stops nobody's walk: over real HTTP, with somebody inside."""

from __future__ import annotations

import asyncio
import gzip
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from journey import ids
from journey.tracking import Signer
from tests.e2e.agreement import agrees
from tests.e2e.world import JOURNEY, PURCHASE, WRITE_KEY, World, world

GATE = ("push-opened", "email-opened")
OPENED_PUSH = ["first:next", "push-opened:next", "purchase:next", "thanks:next"]
OPENED_EMAIL = ["first:next", "email-opened:next", "purchase:next", "thanks:next"]
SALE = {"name": "sale", "namespace": "customer_id", "key": "c-42", "data": PURCHASE}


async def test_a_journey_that_is_not_valid_is_not_published_and_says_all_that_is_wrong_with_it(here: World) -> None:
    await here.set_up(journey={"id": JOURNEY, "namespace": "customer_id", "nodes": [
        {"id": "read", "kind": "read_segment", "segment": "nobody-made-this", "next": "first"},
        {"id": "first", "kind": "message", "message": "nobody-wrote-this", "next": ["opened", "also-opened"]},
        {"id": "opened", "kind": "reaction", "of": "first", "to": "email.opened", "next": "nowhere", "timeout": {"after": "P1M"}},
        {"id": "also-opened", "kind": "reaction", "of": "first", "to": "email.opened", "timeout": {"after": "P1D"}},
        {"id": "pause", "kind": "wait", "next": "shared"},
        {"id": "shared", "kind": "split", "shares": [{"id": "a", "percent": 60}]},
    ]})  # fmt: skip
    await here.person()
    refused = await here.api.post(f"/v1/journeys/{JOURNEY}:publish")

    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    found = {(one["code"], one["node"]) for one in refused.json()["findings"] if one["grade"] == "error"}
    assert found >= {
        ("unknown_segment", "read"), ("unknown_message", "first"), ("unknown_node", "opened"), ("duration_invalid", "opened"),
        ("field_missing", "pause"), ("shares_do_not_add_up", "shared"),
    }  # fmt: skip
    assert all(one["sentence"].endswith(".") for one in refused.json()["findings"])
    said = (await here.api.post(f"/v1/journeys/{JOURNEY}:validate")).json()
    assert (said["valid"], said["findings"]) == (False, refused.json()["findings"])
    assert (await here.api.get(f"/v1/journeys/{JOURNEY}/runs")).json()["items"] == []
    assert await here.story() == {}


async def test_what_has_not_the_shape_of_a_journey_is_refused_with_the_path(here: World) -> None:
    entry: Any = {"id": "read", "kind": "read_segment"}
    wrong: dict[str, dict[str, Any]] = {
        "nodes[0].segmnt": {"nodes": [entry | {"segmnt": "x"}]},
        "nodes[0]": {"nodes": [{"id": "read", "kind": "read"}]},
        "nodes[0].rate": {"nodes": [entry | {"rate": "fast"}]},
        "nodes[1].timeout.afer": {"nodes": [entry, {"id": "a", "kind": "event", "timeout": {"afer": "P1D"}}]},
        "nodes[0].id": {"nodes": [{"id": "A b", "kind": "end"}]},
        "colour": {"colour": "red"},
    }
    for where, part in wrong.items():
        refused = await here.api.put(f"/v1/journeys/{JOURNEY}", json={"id": JOURNEY, **part})
        assert (refused.status_code, refused.json()["where"]) == (422, where)
        assert where in refused.json()["detail"]
    assert (await here.api.get(f"/v1/journeys/{JOURNEY}")).status_code == 404


async def test_events_that_are_wrong_late_or_nobodys_stop_nobody(here: World) -> None:
    ada = await waiting(here)
    kept = {
        "nobody-waits": {**SALE, "id": "nobody-waits"},
        "no-definition": {**SALE, "id": "no-definition", "data": {"page": "home"}},
        "too-old": {**SALE, "id": "too-old", "time": "2020-01-01T00:00:00Z"},
        "no-key": {"id": "no-key", "name": "sale", "data": {"purchaseMessage": "thank you"}},
    }
    verdicts = {name: await here.api.post("/v1/events", json=event) for name, event in kept.items()}
    assert {name: (one.status_code, one.json()["code"]) for name, one in verdicts.items()} == {
        "nobody-waits": (202, "nobody_listening"), "no-definition": (202, "no_definition"),
        "too-old": (202, "too_old"), "no-key": (202, "no_key"),
    }  # fmt: skip
    again = await here.api.post("/v1/events", json=kept["nobody-waits"])
    assert (again.status_code, again.json()["duplicate"]) == (202, True)
    assert await here.discards() == {"nobody_listening": 1, "no_definition": 1, "too_old": 1, "no_key": 1}
    for wrong in ({**SALE, "colour": "red"}, {**SALE, "time": "yesterday"}, {**SALE, "data": []}, {"key": "c-42"}, "text", 7):
        assert (await here.api.post("/v1/events", json=wrong)).status_code == 422

    await here.opens_push()
    await here.waits_at("purchase")
    await here.buys()
    assert await here.ends() == "finished"
    assert await here.path() == OPENED_PUSH
    assert (await here.api.get(f"/v1/entrants/{ada}")).json()["path"][-1]["event"] == "buy-c-42"
    await agrees(here)


@pytest.mark.complaint(4)
async def test_the_same_purchase_many_times_at_once_thanks_once(here: World) -> None:
    await waiting(here)
    await here.opens_email()
    await here.waits_at("purchase")
    answers = await asyncio.gather(*(here.api.post("/v1/events", json={**SALE, "id": "once"}) for _ in range(12)))

    assert await here.ends() == "finished"
    assert [one.status_code for one in answers] == [202] * 12
    assert sorted(one.json()["duplicate"] for one in answers) == [False] + [True] * 11
    assert await here.path() == OPENED_EMAIL
    assert here.pushes() == ["A roast for Atlanta", "Thank you, Ada!"]
    assert await here.discards() == {}


async def test_forged_and_foreign_tokens_lead_nowhere_and_have_no_effect(here: World) -> None:
    ada = await waiting(here)
    delivery = ids.delivery(ada, 1, "email")
    ours, foreign = here.process.sending.signer, Signer("the secret of another installation")
    pixel = here.pixel().removesuffix(".gif").rpartition("/")[2]
    link = re.search(r'href="([^"]+/c/[^"]+)"', here.mail.messages[0].html)
    assert link is not None
    click = link[1].rpartition("/")[2]
    evil = "https://evil.example/"
    forged = [
        f"/o/{pixel[:-1]}x.gif", f"/o/{pixel}x.gif", f"/o/{click}.gif", "/o/nonsense.gif", f"/o/{foreign.sign('o', delivery)}.gif",
        f"/o/{ours.sign('o', ids.delivery(ada, 1, 'sms'))}.gif", f"/o/{ours.sign('o', 'nobody~x~1.1.email')}.gif",
        f"/c/{pixel}", f"/c/{click[:-1]}x", f"/c/{foreign.sign('c', delivery, evil)}",
        f"/c/{ours.sign('c', delivery, 'javascript:alert(1)')}",
        f"/c/{evil}", f"/u/{pixel}", f"/u/{foreign.sign('u', delivery)}",
    ]  # fmt: skip
    async with httpx.AsyncClient(base_url=here.process.settings.api_url, trust_env=False) as anonymous:
        for path in forged:
            answer = await anonymous.get(path)
            assert (answer.status_code, answer.headers.get("location")) == (404, None), path
        for body in ({"token": pixel}, {"token": foreign.sign("p", ids.delivery(ada, 1, "push"))}):
            assert (await anonymous.post("/v1/push/opened", json=body)).status_code == 404
        assert (await anonymous.post(f"/u/{foreign.sign('u', delivery)}")).status_code == 404
        assert (await anonymous.head(here.pixel())).status_code == 200, "who only looks has not opened it"
        followed = await anonymous.get(link[1])
        assert (followed.status_code, followed.headers["location"]) == (302, "https://shop.example/")

    await here.waits_at(*GATE)
    assert await here.discards() == {"late": 1}, "the click, for which nobody waits; the forged ones are not even on record"
    assert (await here.api.get("/v1/profiles/c-42")).json().get("consents", {}) == {}


async def test_bodies_that_cannot_be_read_are_refused_and_nothing_of_them_is_kept(here: World) -> None:
    await here.set_up()
    track = b'{"userId": "c-42", "event": "Order Completed", "messageId": "m-1"}'
    packed = gzip.compress(track)
    post, key = here.api.post, (WRITE_KEY, "")

    for content, headers in (
        (packed, {}), (track, {"Content-Encoding": "gzip"}), (packed[:-9], {"Content-Encoding": "gzip"}),
        (gzip.compress(b" " * 50_000_000), {"Content-Encoding": "gzip"}), (track, {"Content-Encoding": "br"}),
        (b"[" * 100_000, {}), (b"{", {}),
        (b"\xff\xfe", {}), (b"", {}), (b'{"a": NaN}', {}),
    ):  # fmt: skip
        for refused in (
            await post("/v1/track", content=content, headers={"Content-Type": "application/json"} | headers, auth=key),
            await post("/v1/events", content=content, headers={"Content-Type": "application/json"} | headers),
        ):
            assert 400 <= refused.status_code < 500, refused.text
            assert refused.headers["content-type"] == "application/problem+json"
    wrong_type = await here.api.put("/v1/profiles/c-42", content=b"id: c-42", headers={"Content-Type": "application/yaml"})
    assert wrong_type.status_code in (415, 422)
    assert await here.discards() == {}
    assert (await here.api.get("/v1/profiles/c-42")).status_code == 404
    taken = await post("/v1/track", content=packed, headers={"Content-Encoding": "gzip", "Content-Type": "text/plain"}, auth=key)
    assert taken.json() == {"success": True}


async def test_what_is_not_there_is_404_and_without_a_key_it_is_401(here: World) -> None:
    await here.set_up()
    for path in ("profiles/nobody", "entrants/thank-you~nobody~1", "journeys/none", "journeys/none/report", "segments/none"):
        answer = await here.api.get(f"/v1/{path}")
        assert (answer.status_code, answer.json()["status"]) == (404, 404), path
    for act in (":publish", ":close", ":stop", "/runs"):
        assert (await here.api.post(f"/v1/journeys/none{act}")).status_code == 404
    async with httpx.AsyncClient(base_url=here.process.settings.api_url, trust_env=False) as anonymous:
        assert (await anonymous.get("/v1/entrants")).status_code == 401
        assert (await anonymous.post("/v1/events", json=SALE)).status_code == 401
        assert (await anonymous.post("/v1/track", json={"userId": "c-42", "event": "x"}, auth=("wrong", ""))).status_code == 401


async def test_somebody_unknown_who_buys_is_made_and_is_in_no_journey(here: World) -> None:
    await waiting(here)
    await here.buys("stranger")

    assert (await here.api.get("/v1/profiles/stranger")).json()["identities"] == {"customer_id": "stranger"}
    assert await here.discards() == {"nobody_listening": 1}
    assert await here.story("stranger") == {}
    await here.waits_at(*GATE)


async def test_somebody_unknown_who_buys_is_on_record_where_nobody_is_to_be_made(tmp_path: Path) -> None:
    async with world(tmp_path, create_profiles=False) as here:
        await here.set_up()
        await here.buys("stranger")

        assert await here.discards() == {"unknown_profile": 1}
        assert (await here.api.get("/v1/profiles/stranger")).status_code == 404


async def test_who_opts_out_between_the_first_message_and_the_thank_you_gets_no_thank_you(here: World) -> None:
    await waiting(here)
    await here.opens_email()
    await here.waits_at("purchase")
    opted_out = await here.api.patch("/v1/profiles/c-42", json={"consents": {"push": False}})
    assert opted_out.is_success, opted_out.text
    await here.buys()

    assert await here.ends() == "finished"
    assert await here.path() == OPENED_EMAIL
    assert here.pushes() == ["A roast for Atlanta"]
    last = (await here.story())["deliveries"][-1]
    assert (last["node"], last["status"], last["reason"]) == ("thanks", "excluded", "no_consent")


@pytest.mark.complaint(13)
async def test_who_unsubscribes_in_one_click_from_the_first_mail_gets_no_follow_up(here: World) -> None:
    await here.set_up(timeout="PT2S")
    await here.person()
    await here.publish()
    await here.waits_at(*GATE)
    address = here.mail.messages[0].headers["List-Unsubscribe"].strip("<>")
    async with httpx.AsyncClient(trust_env=False) as anonymous:
        page = await anonymous.get(address)
        assert (page.status_code, "unsubscribe" in page.text.lower()) == (200, True)
        assert (await here.api.get("/v1/profiles/c-42")).json().get("consents", {}) == {}, "looking does not unsubscribe"
        assert (await anonymous.post(address, content=b"List-Unsubscribe=One-Click")).status_code == 200
    await here.waits_at("purchase")

    assert here.mails() == ["Ada, we roasted one for Atlanta"]
    assert await here.path() == ["first:next", "email-opened:timeout", "follow-up:next"]
    assert (await here.api.get("/v1/profiles/c-42")).json()["consents"] == {"email": False}


async def waiting(here: World) -> str:
    """Ada has been written to and waits for her opening something; her entrant."""
    await here.set_up()
    await here.person()
    await here.publish()
    await here.waits_at(*GATE)
    return ids.entrant(JOURNEY, "c-42", 1)

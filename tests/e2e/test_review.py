"""Messages held for review: what is approved is sent once, what is discarded is on record, and clocks start at the real send."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest

from commands import why
from tests.e2e.world import World, eventually, profile_of

PEOPLE, APPROVED = 100, 60
MAIL = {"email": {"subject": "For {{ profile.first_name }}", "html": "<p>Hello. {{ unsubscribe_url }}</p>"}}
NODES = [
    {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "schedule": "manual", "next": "write"},
    {"id": "write", "kind": "message", "message": "letter", "hold_for_review": True, "next": "opened"},
    {"id": "opened", "kind": "reaction", "of": "write", "to": "email.opened", "next": "end", "timeout": {"after": "P1D", "next": "end"}},
    {"id": "end", "kind": "end"},
]


async def held(here: World, *people: str) -> list[dict[str, Any]]:
    """These people have come to the message, and it waits for its review."""
    await here.set_up()
    await here.put("/v1/messages/letter", MAIL)
    await here.put("/v1/journeys/letters", {"id": "letters", "namespace": "customer_id", "nodes": NODES})
    await here.publish("letters")
    started = await here.api.post("/v1/journeys/letters/runs", json={"profiles": list(people)})
    assert started.status_code == 201, started.text
    return await eventually(
        lambda: listed(here), lambda found: len(found) == len(people) and all(one["rendered_at"] for one in found), "everybody in review"
    )


async def listed(here: World) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await here.api.get("/v1/reviews", params={"journey": "letters", "limit": 1000})).json()["items"]
    return items


async def say(here: World, verdict: str, **wanted: Any) -> dict[str, Any]:
    answer = await here.api.post(f"/v1/journeys/letters:{verdict}", json=wanted)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def at_write(here: World) -> dict[str, Any]:
    found: dict[str, Any] = next(node for node in (await here.report("letters"))["nodes"] if node["node"] == "write")
    return found


@pytest.mark.behaviour(11)
async def test_of_a_hundred_held_sixty_are_sent_once_and_forty_are_on_record(here: World) -> None:
    await here.set_up()
    keys = await here.people(PEOPLE)
    waiting = await held(here, *keys)
    assert (here.mails(), (await at_write(here))["in_review"]) == ([], PEOPLE)
    named = [one["id"] for one in waiting][:APPROVED]
    first, second = await asyncio.gather(say(here, "approve", ids=named), say(here, "approve", ids=named))
    assert first["count"] + second["count"] == APPROVED
    assert await say(here, "discard", node="write") == {"count": PEOPLE - APPROVED, "anew": 0, "left": []}

    done = await eventually(lambda: at_write(here), lambda node: node["left"].get("next") == PEOPLE, "everybody gone on")
    assert (done["in_review"], done["channels"]["email"]["sent"]) == (0, APPROVED)
    assert done["channels"]["email"]["excluded"] == {"discarded_in_review": PEOPLE - APPROVED}
    assert Counter(mail.to for mail in here.mail.messages) == {f"{one['profile']}@people.example": 1 for one in waiting[:APPROVED]}
    excluded = (await here.api.get("/v1/deliveries", params={"reason": "discarded_in_review", "limit": 1000})).json()["items"]
    assert {one["id"] for one in excluded} == {one["id"] for one in waiting[APPROVED:]}
    assert ((await here.report("letters"))["differences"], await listed(here)) == ([], [])

    story = await here.story(waiting[0]["profile"], "letters")
    since, until = (datetime.fromisoformat(story["waiting"][name]) for name in ("since", "until"))
    assert until - since == timedelta(days=1)
    assert since >= datetime.fromisoformat(story["deliveries"][0]["marked_at"]), "the clock starts when the mail is out"
    await here.opens_email(waiting[0]["profile"])
    assert await here.ends(waiting[0]["profile"], "letters") == "finished"


async def test_what_was_missing_is_mended_and_approved_while_no_worker_is_there_and_sent_once(here: World) -> None:
    nameless = profile_of("c-42")
    del nameless["attributes"]["first_name"]
    await here.set_up()
    await here.put("/v1/profiles/c-42", nameless)
    (waiting,) = await held(here, "c-42")
    assert "first_name" in waiting["error"]
    await here.worker_goes()
    await here.put("/v1/profiles/c-42", profile_of("c-42"))
    assert await say(here, "approve", node="write") == {"count": 1, "anew": 1, "left": []}
    assert await say(here, "approve", node="write") == {"count": 0, "anew": 0, "left": []}
    await here.worker_comes()
    await here.waits_at("opened", journey="letters")
    assert here.mails() == ["For Ada"]
    await here.opens_email()
    assert await here.ends(journey="letters") == "finished"
    assert here.mails() == ["For Ada"]


async def test_whoever_is_removed_while_their_message_is_held_ends_at_once_and_gets_nothing(here: World) -> None:
    await here.set_up()
    await here.person()
    (waiting,) = await held(here, "c-42")
    said = list(why.sentences(await here.story(journey="letters") | {"heard": []}))
    assert said[-1] == "  Its email waits for somebody to review it."
    removed = await here.api.post(f"/v1/entrants/{waiting['entrant']}:remove")
    assert removed.status_code == 200
    assert await here.ends(journey="letters") == "removed"
    (delivery,) = (await here.api.get("/v1/deliveries", params={"journey": "letters"})).json()["items"]
    assert (delivery["status"], delivery["reason"], here.mails()) == ("excluded", "ended", [])

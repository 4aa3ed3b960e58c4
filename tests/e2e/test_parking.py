"""A template with a mistake parks everybody; mended, each gets the message once, and the numbers are right."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.e2e.world import World, eventually

PEOPLE = 20
LETTER = {"id": "letter", "email": {"subject": "For {{ profile.nickname }}", "text": "Hello. {{ unsubscribe_url }}"}}
NODES = [
    {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "schedule": "manual", "next": "write"},
    {"id": "write", "kind": "message", "message": "letter", "next": "end"},
    {"id": "end", "kind": "end"},
]


async def at_write(here: World) -> dict[str, Any]:
    found: dict[str, Any] = next(node for node in (await here.report("letters"))["nodes"] if node["node"] == "write")
    return found


@pytest.mark.behaviour(14)
async def test_twenty_are_parked_by_a_mistake_and_written_to_once_when_it_is_mended(here: World) -> None:
    await here.set_up()
    await here.put("/v1/messages/letter", LETTER)
    await here.put("/v1/journeys/letters", {"id": "letters", "namespace": "customer_id", "on_error": "park", "nodes": NODES})
    await here.publish("letters")
    keys = await here.people(PEOPLE)
    started = await here.api.post("/v1/journeys/letters/runs", json={"profiles": keys})
    assert started.status_code == 201, started.text
    parked = await eventually(lambda: at_write(here), lambda node: node["parked"] == PEOPLE, "everybody parked")
    assert (parked["arrived"], parked["inside"], here.mails()) == (PEOPLE, PEOPLE, [])
    (one, *_) = (await here.api.get("/v1/entrants", params={"parked": "write"})).json()["items"]
    assert (one["parked_why"], one["waiting"]) == ("render_error", False)
    (failed,) = (await here.api.get(f"/v1/entrants/{one['id']}")).json()["deliveries"]
    assert failed["detail"] == "Message 'letter', email subject, line 1: profile.nickname is undefined."
    await here.worker_goes()
    await here.worker_comes()

    await here.put("/v1/messages/letter", LETTER | {"email": {"subject": "For you", "text": "Hello. {{ unsubscribe_url }}"}})
    unparked = await here.api.post("/v1/journeys/letters:unpark", json={"node": "write"})
    assert unparked.json() == {"unparked": PEOPLE}
    await eventually(lambda: at_write(here), lambda node: node["left"].get("next") == PEOPLE, "everybody gone on")
    assert Counter(mail.to for mail in here.mail.messages) == {f"{key}@people.example": 1 for key in keys}
    report = await here.report("letters")
    assert (report["differences"], report["totals"]["finished"]) == ([], PEOPLE)
    assert (await here.api.post("/v1/journeys/letters:unpark", json={})).json() == {"unparked": 0}

"""Waits and conditions on real servers, each way out of them; the simulator goes the same way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.agreement import agrees
from tests.e2e.world import JOURNEY, World

ATLANTA = {"id": "atlanta", "when": 'city == "Atlanta"', "next": "pause"}
SEATTLE = {"id": "seattle", "when": 'city == "Seattle"', "next": "age"}


async def test_a_wait_lets_on_when_it_is_over_and_a_condition_sends_each_their_way(here: World) -> None:
    await set_up(
        here,
        {"id": "city", "kind": "condition", "branches": [ATLANTA, SEATTLE], "otherwise": "end"},
        {"id": "pause", "kind": "wait", "for": "PT1S", "next": "follow-up"},
        {"id": "follow-up", "kind": "message", "message": "follow-up", "next": "end"},
        {"id": "age", "kind": "condition", "branches": [
            {"id": "young", "when": "birth_year >= 2000", "next": "thanks"},
            {"id": "known", "when": 'email.endsWith(".example") && birth_year < 1985', "next": "end"},
        ]},
        {"id": "thanks", "kind": "message", "message": "thank-you", "next": "end"},
    )  # fmt: skip
    ways = {
        "waits": ("Atlanta", 1990, "finished", ["city:atlanta", "pause:next", "follow-up:next"]),
        "young": ("Seattle", 2001, "finished", ["city:seattle", "age:young", "thanks:next"]),
        "known": ("Seattle", 1984, "finished", ["city:seattle", "age:known"]),
        "fits-none": ("Seattle", 1990, "no_branch", ["city:seattle", "age:otherwise"]),
        "elsewhere": ("San Francisco", 1990, "finished", ["city:otherwise"]),
    }
    for key, (city, born, _, _) in ways.items():
        await here.person(key, attributes={"first_name": "Ada", "city": city, "birth_year": born, "email": f"{key}@people.example"})
    await here.publish()

    for key, (_, _, end, path) in ways.items():
        assert await here.ends(key) == end
        assert await here.path(key) == path
        await agrees(here, key)
    assert [mail.to for mail in here.mail.messages] == ["waits@people.example"]
    assert [push.body["tokens"] for push in here.push.pushes] == [["device-young"]]
    report = await here.report()
    assert report["differences"] == []
    assert report["totals"]["ended"] == {"finished": 4, "no_branch": 1}


async def test_a_condition_looks_at_who_somebody_is_when_they_come_to_it(here: World) -> None:
    await set_up(
        here,
        {"id": "pause", "kind": "wait", "for": "PT2S", "next": "city"},
        {"id": "city", "kind": "condition", "branches": [ATLANTA | {"next": "end"}, SEATTLE | {"next": "end"}]},
    )
    await here.person()
    await here.publish()
    await here.waits_at("pause")
    moved = await here.api.patch("/v1/profiles/c-42", json={"attributes": {"city": "Seattle"}})
    assert moved.is_success, moved.text

    assert await here.ends() == "finished"
    assert await here.path() == ["pause:next", "city:seattle"]
    await agrees(here)


async def test_of_a_wait_and_an_open_the_first_to_happen_wins(here: World) -> None:
    await set_up(
        here,
        {"id": "first", "kind": "message", "message": "first-message", "next": ["opened", "pause"]},
        {"id": "opened", "kind": "reaction", "of": "first", "to": "email.opened", "next": "thanks"},
        {"id": "pause", "kind": "wait", "for": "PT2S", "next": "end"},
        {"id": "thanks", "kind": "message", "message": "thank-you", "next": "end"},
    )
    await here.person("opens")
    await here.person("sleeps")
    await here.publish()
    await here.waits_at("opened", "pause", key="opens")
    await here.opens_email("opens")

    assert await here.ends("opens") == "finished"
    assert await here.path("opens") == ["first:next", "opened:next", "thanks:next"]
    assert await here.ends("sleeps") == "finished"
    assert await here.path("sleeps") == ["first:next", "pause:next"]
    await agrees(here, "opens")
    await agrees(here, "sleeps")


@pytest.mark.complaint(7)
async def test_an_event_that_is_not_there_in_time_goes_on_by_its_timeout(here: World) -> None:
    await set_up(
        here,
        {"id": "lamp", "kind": "event", "event": "purchase", "where": 'product == "Lamp"', "next": "thanks",
         "timeout": {"after": "PT2S", "next": "follow-up"}},
        {"id": "follow-up", "kind": "message", "message": "follow-up", "next": "end"},
        {"id": "thanks", "kind": "message", "message": "thank-you", "next": "end"},
    )  # fmt: skip
    for key in ("lamp", "chair"):
        await here.person(key)
    await here.publish()
    for key in ("lamp", "chair"):
        await here.waits_at("lamp", key=key)
        event = {"name": "sale", "namespace": "customer_id", "key": key, "data": {"purchaseMessage": "thank you", "product": key.title()}}
        answer = await here.api.post("/v1/events", json=event | {"id": f"buys-{key}"})
        assert (answer.status_code, answer.json()["code"]) == (202, "" if key == "lamp" else "nobody_listening")

    assert await here.ends("lamp") == await here.ends("chair") == "finished"
    assert await here.path("lamp") == ["lamp:next", "thanks:next"]
    assert await here.path("chair") == ["lamp:timeout", "follow-up:next"]
    await agrees(here, "lamp")
    await agrees(here, "chair")


async def set_up(here: World, *nodes: dict[str, Any]) -> None:
    """The example with these nodes behind its entry."""
    entry = {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": nodes[0]["id"]}
    await here.set_up(journey={"id": JOURNEY, "namespace": "customer_id", "nodes": [entry, *nodes, {"id": "end", "kind": "end"}]})

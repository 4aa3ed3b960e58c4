"""What a write of a profile sets off on real servers: a rule comes true, a segment is entered, an exit criterion ends a wait of 30 days."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError

from journey import ids
from tests.e2e.world import JOURNEY, PURCHASE, WRITE_KEY, World, eventually
from tests.fakes import ShiftedClock
from worker import taking_up

THANKS = {"id": "thanks", "kind": "message", "message": "thank-you", "next": "end"}
END = {"id": "end", "kind": "end"}


async def set_up(here: World, *nodes: dict[str, Any], **changed: Any) -> None:
    entry = {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "next": nodes[0]["id"]}
    document = {"id": JOURNEY, "namespace": "customer_id", "nodes": [entry, *nodes, THANKS, END]} | changed
    await here.set_up(journey=document)
    await here.put("/v1/segments/vips", {"id": "vips", "rule": "vip == true"})
    attributes = (await here.api.get("/v1/attributes")).json()
    await here.put("/v1/attributes", attributes | {"vip": {"type": "boolean"}, "shoe_size": {"type": "integer"}})


async def writes(here: World, key: str, **attributes: Any) -> None:
    answer = await here.api.patch(f"/v1/profiles/{key}", json={"attributes": attributes})
    assert answer.status_code == 200, answer.text


async def events(here: World, key: str) -> list[Any]:
    """What the history of somebody's workflow holds; nothing while it has not been started."""
    with suppress(RPCError):
        history = await here.process.client.get_workflow_handle(ids.entrant(JOURNEY, key, 1)).fetch_history()
        return [event.event_type for event in history.events]
    return []


@pytest.mark.behaviour(12)
async def test_a_purchase_or_a_segment_ends_a_wait_of_30_days_within_seconds_and_its_timer_is_gone(here: World) -> None:
    pause = {"id": "pause", "kind": "wait", "for": "P30D", "next": "thanks"}
    await set_up(here, pause, exit_criteria=[{"event": "purchase"}, {"segment": "vips"}])
    for key in ("buys", "joins", "stays"):
        await here.person(key)
    await here.publish()
    for key in ("buys", "joins", "stays"):
        await here.waits_at("pause", key=key)
    await eventually(lambda: events(here, "buys"), lambda seen: EventType.EVENT_TYPE_TIMER_STARTED in seen, "the timer")
    await here.buys("buys")
    await writes(here, "joins", vip=True)

    assert await here.ends("buys") == "exit_criteria"
    assert await here.ends("joins") == "exit_criteria"
    assert EventType.EVENT_TYPE_TIMER_CANCELED in await events(here, "buys")
    assert (await here.story("buys"))["entrant"]["end_detail"].startswith("event purchase (")
    assert (await here.story("joins"))["entrant"]["end_detail"].startswith("enters vips (")
    assert await here.discards() == {}, "what ended somebody is no discard"
    assert await here.path("buys") == []
    report = await here.report()
    assert report["differences"] == []
    (node,) = (one for one in report["nodes"] if one["node"] == "pause")
    assert (node["ended"], node["inside"]) == ({"exit_criteria": 2}, 1)
    assert here.pushes() == []


@pytest.mark.complaint(9)
async def test_a_rule_that_comes_true_and_a_segment_that_is_entered_let_people_on_and_others_time_out(here: World) -> None:
    await set_up(
        here,
        {
            "id": "grown",
            "kind": "wait",
            "until": {"rule": "shoe_size >= 40"},
            "next": "joined",
            "timeout": {"after": "PT3S", "next": "end"},
        },
        {"id": "joined", "kind": "qualification", "segment": "vips", "next": "thanks", "timeout": {"after": "PT3S", "next": "end"}},
    )
    for key in ("grows", "small"):
        await here.person(key)
    big = {"first_name": "Ada", "city": "Atlanta", "birth_year": 1985, "shoe_size": 44}
    await here.person("big", attributes=big)
    await here.publish()
    await here.waits_at("grown", key="grows")
    await writes(here, "grows", shoe_size=41)
    await here.waits_at("joined", key="grows")
    identified = {"userId": "grows", "traits": {"vip": True}, "messageId": "it-is-me"}
    assert (await here.api.post("/v1/identify", json=identified, auth=(WRITE_KEY, ""))).json() == {"success": True}

    assert await here.ends("grows") == "finished"
    assert await here.path("grows") == ["grown:next", "joined:next", "thanks:next"]
    assert await here.ends("big") == "finished"
    assert await here.path("big") == ["grown:next", "joined:timeout"], "of whom the rule is true at the arrival does not wait"
    assert await here.ends("small") == "finished"
    assert await here.path("small") == ["grown:timeout"]
    assert (await here.report())["differences"] == []
    assert len(here.pushes()) == 1


async def test_who_enters_a_segment_is_let_into_the_journey_that_begins_with_it(here: World) -> None:
    await set_up(here, {"id": "unused", "kind": "wait", "for": "P1D", "next": "end"})
    await here.person("joins")
    await here.person("member", attributes={"city": "Atlanta", "vip": True})
    joined = {"id": "joined", "kind": "qualification", "segment": "vips", "next": "thanks"}
    await here.put(f"/v1/journeys/{JOURNEY}", {"id": JOURNEY, "namespace": "customer_id", "nodes": [joined, THANKS, END]})
    assert (await here.api.post(f"/v1/journeys/{JOURNEY}:publish")).status_code == 200
    await writes(here, "member", city="Rome")
    await writes(here, "joins", vip=True)

    assert await here.ends("joins") == "finished"
    assert await here.path("joins") == ["thanks:next"]
    assert await here.story("member") == {}
    assert (await here.report())["differences"] == []
    assert len(here.pushes()) == 1


@pytest.mark.behaviour(16)
async def test_an_event_that_overtakes_its_profile_lets_in_when_that_is_written_and_one_in_vain_is_on_record(
    here: World, clock: ShiftedClock
) -> None:  # fmt: skip
    bought = {"id": "bought", "kind": "event", "event": "purchase", "where": "profile.vip == true", "settle_for": "PT10M", "next": "thanks"}
    await set_up(here, END)
    await here.put(f"/v1/journeys/{JOURNEY}", {"id": JOURNEY, "namespace": "customer_id", "nodes": [bought, THANKS, END]})
    for key in ("ada", "bob"):
        await here.person(key)
    await here.publish()
    for key in ("ada", "bob"):
        event = {"id": f"buy-{key}", "name": "Order Completed", "namespace": "customer_id", "key": key, "data": PURCHASE}
        told = (await here.api.post("/v1/events:explain", json=event)).json()
        assert told["word"] == "kept"
        (entry,) = told["entries"]
        assert entry["sentence"].endswith("not true. It is asked again at each write of the profile, for PT10M.")
        assert (await here.api.post("/v1/events", json=event)).is_success
    assert (await here.api.get(f"/v1/entrants/{ids.entrant(JOURNEY, 'ada', 1)}")).status_code == 404
    await writes(here, "ada", vip=True)

    assert await here.ends("ada") == "finished"
    assert await here.path("ada") == ["thanks:next"]
    assert len(here.pushes()) == 1
    heard = (await here.api.get(f"/v1/entrants/{ids.entrant(JOURNEY, 'ada', 1)}/heard")).json()["items"]
    assert [(one["id"], one["effect"]) for one in heard] == [("buy-ada", "entered")]
    clock.ahead += 11 * 60_000_000
    await taking_up(here.process).catch_up()
    await eventually(here.discards, lambda found: found == {"did_not_settle": 1}, "that Bob's purchase has waited in vain")
    await writes(here, "bob", vip=True)
    assert (await here.api.get(f"/v1/entrants/{ids.entrant(JOURNEY, 'bob', 1)}")).status_code == 404
    assert (await here.report())["differences"] == []

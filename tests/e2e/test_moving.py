"""A journey is published anew while people are inside: they go on in the new version, each by one law of time, and nobody is lost."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from journey import ids
from store import schema
from tests.e2e.test_lifecycle import post
from tests.e2e.world import JOURNEY, World, eventually, profile_of
from tests.fakes import ShiftedClock
from worker import make_worker, taking_up
from workflows.attributes import VERSION

DAY = 86_400


@pytest.mark.behaviour(8)
async def test_of_a_wait_of_seven_days_cut_to_five_who_waited_longer_leaves_at_once_and_the_others_after_five(
    here: World, clock: ShiftedClock
) -> None:
    await here.set_up(journey=rests("P7D"))
    early = [await here.person(f"early-{number}") for number in range(3)]
    await here.publish()
    await let_in(here, early)
    clock.ahead += int(5.5 * DAY * 1_000_000)
    late = [await here.person(f"late-{number}") for number in range(3)]
    await let_in(here, late)

    await here.put(f"/v1/journeys/{JOURNEY}", rests("P5D"))
    answer = await here.api.post(f"/v1/journeys/{JOURNEY}:publish", json={"people": "flow_in"})
    assert (answer.status_code, answer.json()["succeeded"], answer.json()["note"]) == (200, ["thank-you@1"], "")
    for key in early:
        assert await here.ends(key) == "finished"
        assert await here.path(key) == ["rests:next", "bye:next"]
    for key in late:
        await is_in(here, key, "thank-you@2")
        waiting = (await here.story(key))["waiting"]
        assert seconds(waiting["until"]) - seconds(waiting["since"]) == 5 * DAY
    assert len(here.mails()) == 3
    described = await here.process.client.get_workflow_handle(ids.entrant(JOURNEY, late[0], 1)).describe()
    assert described.typed_search_attributes.get(VERSION) == "thank-you@2", "an engineer finds them by the version that they walk"

    clock.ahead += 5 * DAY * 1_000_000
    await taking_up(here.process).catch_up()
    for key in late:
        assert await here.ends(key) == "finished"
    assert len(here.mails()) == 6
    assert [one["state"] for one in (await here.api.get(f"/v1/journeys/{JOURNEY}/versions")).json()["items"]] == ["finished", "live"]
    assert (await here.report())["differences"] == []
    woken = await here.process.client.get_workflow_handle("thank-you@1~wake").result()
    assert len(early) <= woken <= len(early) + len(late), "who had not begun to wait yet goes on by themselves"


@pytest.mark.behaviour(7)
async def test_of_people_at_five_places_as_many_go_leave_and_stay_as_the_plan_counts_and_nobody_gets_a_message_twice(
    here: World, clock: ShiftedClock
) -> None:
    await here.set_up(journey=at_five_places())
    await here.publish()
    people = {f"{city}-{number}": city for city in CITIES for number in range(EACH)}
    lines = "".join(json.dumps(lives_in(key, city)) + "\n" for key, city in people.items())
    await here.api.post("/v1/profiles:import", content=lines, headers={"Content-Type": "application/x-ndjson"})
    await post(here, "/runs", {"profiles": list(people)})
    await stand(here, {"thank-you@1": dict.fromkeys(CITIES, EACH)})

    await here.put(f"/v1/journeys/{JOURNEY}", at_others())
    plan = (await post(here, ":plan", MOVES)).json()
    assert plan["sums"] == {"people": 5 * EACH, "moves": 3 * EACH, "leaves": EACH, "cannot_move": EACH, "stays": 0, "woken": 2 * EACH}
    await post(here, ":publish", MOVES)
    # Who waits for the same as before goes at their next stop, which is still to come.
    await stand(here, {"thank-you@1": {"b": EACH, "c": EACH, "e": EACH}, "thank-you@2": {"a": EACH}})
    report = await version_report(here, 1)
    assert (report["totals"]["moved_out"], report["totals"]["ended"]) == (EACH, {"journey_changed": EACH})
    await asyncio.gather(*(here.buys(f"c-{number}") for number in range(EACH)))
    # Nobody is being written to when the clock is moved: to a lease eight days are long.
    await stand(here, {"thank-you@1": {"b": EACH, "e": EACH}, "thank-you@2": {"a": EACH}})

    clock.ahead += 8 * DAY * 1_000_000
    await taking_up(here.process).catch_up()
    await stand(here, {})
    old, new = await version_report(here, 1), await version_report(here, 2)
    assert (old["differences"], new["differences"]) == ([], [])
    assert (old["totals"]["moved_out"], new["totals"]["moved_in"]) == (3 * EACH, 3 * EACH), "as planned"
    assert old["totals"]["ended"] == {"finished": EACH, "journey_changed": EACH}, "who could not move finished where they were"
    assert (new["totals"]["inside"], new["totals"]["ended"]) == (0, {"finished": 3 * EACH})
    got = Counter((mail.to, mail.subject) for mail in here.mail.messages)
    assert set(got.values()) == {1}, "nobody got a message twice"
    assert Counter(subject.startswith(HELLO) for _, subject in got) == {True: 5 * EACH, False: 4 * EACH}
    excluded = (await here.api.get("/v1/deliveries", params={"reason": "already_sent", "limit": 1000})).json()["items"]
    assert sorted({one["entrant"] for one in excluded}) == sorted(f"{JOURNEY}~a-{number}~1" for number in range(EACH))


async def test_who_is_carried_into_a_transactional_journey_goes_on_at_its_task_queue(here: World) -> None:
    await here.set_up(journey=rests("P7D"))
    await here.publish()
    await let_in(here, [await here.person()])
    await here.put(f"/v1/journeys/{JOURNEY}", rests("P5D") | {"class": "transactional"})
    await post(here, ":publish", {"people": "flow_in"})

    async def goes_on() -> tuple[str, bool]:
        described = await here.process.client.get_workflow_handle(ids.entrant(JOURNEY, "c-42", 1)).describe()
        return described.task_queue, described.history_length > 4

    async with make_worker(here.process, task_queue=ids.TRANSACTIONAL_QUEUE):
        await eventually(goes_on, lambda found: found == (ids.TRANSACTIONAL_QUEUE, True), "going on at another task queue")


EACH = 40
"""People at each place: 200 in all."""
CITIES = "abcde"
HELLO = "Ada, we roasted one for"
"""How the first message begins; the other is that of `bye`, which everybody gets but those who leave."""
MOVES = {"people": "migrate", "map": {"c": "c2", "d": ":exit"}, "rate": 50}


def at_five_places() -> dict[str, Any]:
    """A message, then a wait by city: of 7 days, for an event, or in a gate of both."""
    branches = [{"id": city, "when": f'city == "{city}"', "next": city} for city in CITIES]
    return drawn(
        {"id": "hello", "kind": "message", "message": "first-message", "channels": ["email"], "next": "which"},
        {"id": "which", "kind": "condition", "branches": branches, "otherwise": []},
        *({"id": city, "kind": "wait", "for": "P7D", "next": "bye"} for city in "abde"),
        {"id": "c", "kind": "event", "event": "purchase", "next": "bye"},
        {"id": "bye", "kind": "message", "message": "follow-up", "next": "end"},
    )


def at_others() -> dict[str, Any]:
    """a waits 5 days and is led to the first message again; b waits as before; c is c2; d and e are gone."""
    return drawn(
        {"id": "way", "kind": "condition", "branches": [{"id": "a", "when": 'city == "a"', "next": "a"}], "otherwise": "b"},
        {"id": "a", "kind": "wait", "for": "P5D", "next": "hello"},
        {"id": "hello", "kind": "message", "message": "first-message", "channels": ["email"], "next": "bye"},
        {"id": "b", "kind": "wait", "for": "P7D", "next": "c2-or-bye"},
        {"id": "c2-or-bye", "kind": "condition", "branches": [{"id": "c", "when": 'city == "c"', "next": "c2"}], "otherwise": "bye"},
        {"id": "c2", "kind": "event", "event": "purchase", "next": "bye"},
        {"id": "bye", "kind": "message", "message": "follow-up", "next": "end"},
    )


def lives_in(key: str, city: str) -> dict[str, Any]:
    return profile_of(key) | {"attributes": {"first_name": "Ada", "city": city, "birth_year": 1985, "email": f"{key}@people.example"}}


async def version_report(here: World, number: int) -> dict[str, Any]:
    return dict((await here.api.get(f"/v1/journeys/{JOURNEY}/report", params={"version": number})).json())


async def stand(here: World, expected: dict[str, dict[str, int]]) -> None:
    """Wait until just so many stand at each node of each version, and nobody elsewhere."""

    of = schema.entrants.c
    query = select(of.version, of.place, func.count()).where(of.state == "open").group_by(of.version, of.place)

    async def standing() -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for version, place, people in await here.process.database.read(lambda connection: connection.execute(query).all()):
            found.setdefault(version, {})[place] = people
        return found

    await eventually(standing, lambda found: found == expected, f"{expected} standing", 60)


def drawn(*nodes: dict[str, Any]) -> dict[str, Any]:
    read = {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "schedule": "manual", "next": nodes[0]["id"]}
    return {"id": JOURNEY, "name": "Waits", "namespace": "customer_id", "nodes": [read, *nodes, {"id": "end", "kind": "end"}]}


def rests(length: str) -> dict[str, Any]:
    """A wait, then an e-mail; a run is begun by hand."""
    return drawn(
        {"id": "rests", "kind": "wait", "for": length, "next": "bye"},
        {"id": "bye", "kind": "message", "message": "follow-up", "next": "end"},
    )


async def let_in(here: World, people: list[str], *nodes: str) -> None:
    answer = await post(here, "/runs", {"profiles": people})
    assert answer.status_code == 201, answer.text
    for key in people:
        await here.waits_at(*(nodes or ("rests",)), key=key)


async def is_in(here: World, key: str, version: str) -> None:
    async def where() -> str:
        return str((await here.story(key))["entrant"]["version"])

    await eventually(where, lambda found: found == version, f"{key} in {version}")


def seconds(told: str) -> float:
    return datetime.fromisoformat(told).timestamp()

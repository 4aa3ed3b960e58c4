"""A journey is paused while people are at every point of it, and goes on: nobody is written to meanwhile, nobody is lost, nobody twice."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from journey.contract import Leave
from store import schema
from tests.e2e.world import JOURNEY, World, eventually
from worker import taking_up

FOLLOW_UP = "The Atlanta roast is still here"
GATE = ("push-opened", "email-opened")


async def post(here: World, call: str, body: Any = None) -> dict[str, Any]:
    answer = await here.api.post(f"/v1/journeys/{JOURNEY}:{call}", json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def held(here: World) -> dict[str, int]:
    return {node["node"]: node["held"] for node in (await here.report())["nodes"] if node["held"]}


async def is_held(here: World, expected: dict[str, int]) -> None:
    await eventually(lambda: held(here), lambda found: found == expected, f"{expected} held")


@pytest.mark.complaint(11)
async def test_paused_while_fifty_wait_and_some_are_due_nobody_is_written_to_until_they_go_on_at_a_rate(here: World) -> None:
    await here.set_up(timeout="PT8S")
    people = await here.people(50)
    await here.publish()
    for key in people:
        await here.waits_at(*GATE, key=key)
    await here.opens_push(people[0])
    await here.opens_push(people[1])
    await here.waits_at("purchase", key=people[0])
    paused = await post(here, "pause", {"what": "hold", "for": "P1D"})
    assert paused["versions"] == ["thank-you@1"]
    await here.buys(people[0])

    async def accounted_for() -> tuple[int, int]:
        found = await held(here)
        return found.get("follow-up", 0) + here.mails().count(FOLLOW_UP), found.get("thanks", 0)

    await eventually(accounted_for, lambda found: found == (48, 1), "everybody held, but who was just being written to")
    written_to = here.mails().count(FOLLOW_UP)
    await here.waits_at("purchase", key=people[1])
    await here.worker_goes()
    await here.worker_comes()
    assert (len(here.mail.messages), len(here.pushes())) == (50 + written_to, 50)

    resumed = await post(here, "resume", {"rate": 25})
    assert (resumed["versions"], resumed["held"], resumed["note"]) == ({"thank-you@1": "live"}, 49 - written_to, "")
    assert await here.ends(people[0]) == "finished"
    for key in people[1:]:
        await here.waits_at("purchase", key=key)
    assert await here.process.client.get_workflow_handle("thank-you@1~release").result() == 49 - written_to
    assert Counter(here.mails()) == {"Ada, we roasted one for Atlanta": 50, FOLLOW_UP: 48}
    assert await held(here) == {}
    between = select(schema.steps.c.opened_at).where(schema.steps.c.node.in_(["follow-up", "thanks"]))
    moves = (await here.api.get(f"/v1/journeys/{JOURNEY}/moves")).json()["items"]
    assert [one["act"] for one in moves] == ["resume", "pause", "publish"]
    at = await here.process.database.read(lambda c: {row.act: row.at for row in c.execute(schema.moves.select())})
    opened = await here.process.database.read(lambda c: list(c.execute(between).scalars()))
    assert [one for one in opened if at["pause"] < one < at["resume"]] == [], "no stop that acts was opened meanwhile"


async def test_whoever_is_held_looks_again_when_told_and_goes_on_when_the_pause_is_over(here: World) -> None:
    await here.set_up(timeout="PT2S")
    await here.person()
    await here.publish()
    await here.waits_at(*GATE)
    await post(here, "pause")
    await is_held(here, {"follow-up": 1})
    await here.process.client.get_workflow_handle(f"{JOURNEY}~c-42~1").signal("leave", Leave())
    story = await here.story()
    assert (story["waiting"], story["entrant"]["held"]) == (None, "follow-up")
    assert (await post(here, "resume"))["held"] == 1
    await here.waits_at("purchase")
    assert await here.process.client.get_workflow_handle("thank-you@1~release").result() == 1
    assert here.mails().count(FOLLOW_UP) == 1


async def test_a_pause_that_discards_ends_who_comes_to_an_action_and_lets_in_nobody(here: World) -> None:
    await here.set_up(timeout="PT2S")
    await here.person("silent")
    await here.person("opens")
    await here.publish()
    await here.waits_at(*GATE, key="silent")
    await here.waits_at(*GATE, key="opens")
    await here.opens_push("opens")
    await here.waits_at("purchase", key="opens")
    await post(here, "pause", {"what": "discard"})
    assert await here.ends("silent") == "journey_paused"
    assert await here.path("silent") == ["first:next"]
    await post(here, "resume")
    await here.buys("opens")
    assert await here.ends("opens") == "finished"
    assert (await here.report())["differences"] == []


async def test_somebody_held_is_removed_and_the_others_end_at_the_end_of_the_journey(here: World) -> None:
    await here.set_up()
    people = await here.people(3)
    await here.worker_goes()
    await here.publish()
    await post(here, "pause", {"what": "discard", "for": "PT1H"})
    await post(here, "resume")
    await here.worker_comes()
    for key in people:
        await here.waits_at(*GATE, key=key)
    await post(here, "pause")
    for key in people:
        await here.opens_push(key)
        await here.waits_at("purchase", key=key)
        await here.buys(key)
    await is_held(here, {"thanks": 3})
    assert (await here.api.post(f"/v1/entrants/{JOURNEY}~{people[0]}~1:remove")).json()["end_reason"] == "removed"
    assert await here.ends(people[0]) == "removed"
    await post(here, "stop")
    for key in people[1:]:
        assert await here.ends(key) == "journey_stopped"
    assert len(here.pushes()) == 3


async def test_a_pause_that_nobody_ends_ends_by_itself_and_at_its_end_date_the_journey_ends_everybody(here: World) -> None:
    await here.set_up(timeout="PT1S")
    await here.person()
    document = (await here.api.get(f"/v1/journeys/{JOURNEY}")).json()
    ends = datetime.now(UTC) + timedelta(seconds=9)
    await here.put(f"/v1/journeys/{JOURNEY}", document | {"end": ends.strftime("%Y-%m-%dT%H:%M:%SZ")})
    await here.publish()
    await here.waits_at(*GATE)
    await post(here, "pause", {"for": "PT2S"})
    await is_held(here, {"follow-up": 1})

    async def swept() -> str:
        await taking_up(here.process).catch_up()
        return str((await here.api.get(f"/v1/journeys/{JOURNEY}/versions")).json()["items"][0]["state"])

    await eventually(swept, lambda found: found == "live", "the end of the pause")
    await here.waits_at("purchase")
    await eventually(swept, lambda found: found == "finished", "the end of the journey")
    assert await here.ends() == "journey_ended"
    moves = (await here.api.get(f"/v1/journeys/{JOURNEY}/moves")).json()["items"]
    assert [(one["act"], one["detail"]) for one in moves] == [
        ("finish", ""), ("end", ""), ("resume", "its time was over"), ("pause", "hold"), ("publish", ""),
    ]  # fmt: skip
    assert here.mails().count(FOLLOW_UP) == 1

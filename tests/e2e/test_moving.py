"""A journey is published anew while people are inside: they go on in the new version, each by one law of time, and nobody is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.test_lifecycle import post
from tests.e2e.world import JOURNEY, World, eventually, world
from tests.fakes import ShiftedClock
from worker import taking_up

DAY = 86_400


@pytest.fixture
def clock() -> ShiftedClock:
    return ShiftedClock()


@pytest.fixture
async def here(tmp_path: Path, clock: ShiftedClock, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world(tmp_path, clock=clock) as made:
        yield made
        await made.replay(request.node.name, await made.workflows())


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

    clock.ahead += 5 * DAY * 1_000_000
    await taking_up(here.process).catch_up()
    for key in late:
        assert await here.ends(key) == "finished"
    assert len(here.mails()) == 6
    assert [one["state"] for one in (await here.api.get(f"/v1/journeys/{JOURNEY}/versions")).json()["items"]] == ["finished", "live"]
    assert (await here.report())["differences"] == []
    woken = await here.process.client.get_workflow_handle("thank-you@1~wake").result()
    assert len(early) <= woken <= len(early) + len(late), "who had not begun to wait yet goes on by themselves"


def rests(length: str) -> dict[str, Any]:
    """A wait, then an e-mail; a run is begun by hand."""
    return {
        "id": JOURNEY, "name": "Rests", "namespace": "customer_id",
        "nodes": [
            {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "schedule": "manual", "next": "rests"},
            {"id": "rests", "kind": "wait", "for": length, "next": "bye"},
            {"id": "bye", "kind": "message", "message": "follow-up", "next": "end"},
            {"id": "end", "kind": "end"},
        ],
    }  # fmt: skip


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

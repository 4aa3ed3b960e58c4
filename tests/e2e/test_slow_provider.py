"""A mail server that takes two seconds for each mail holds up those who are mailed, and nobody else's reactions."""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

import pytest
from sqlalchemy import select

from activities.breaker import Breaker
from activities.stops import FAST_SECONDS
from demo.catchers import MailBehaviour
from journey import ids
from store import schema
from tests.e2e.world import World, eventually, world

MAILED, REACTING = 60, 20
PLACES = 8
"""Workflow tasks that the worker holds at once: few, so that a small crowd shows on a busy machine what a large one does on any."""
EACH_SECOND = 10
SLOW = "slow"
QUICK = "quick"
ENTRY = {"id": "read", "kind": "read_segment", "segment": "three-cities-after-1980", "schedule": "manual"}
MAIL = {"id": "mail", "kind": "message", "message": "follow-up", "next": "end"}
PUSH = {"id": "push", "kind": "message", "message": "thank-you", "next": "opened"}
OPENED = {"id": "opened", "kind": "reaction", "of": "push", "to": "push.opened", "next": "wait"}
WAIT = {"id": "wait", "kind": "wait", "for": "P1D", "next": "end"}
END = {"id": "end", "kind": "end"}


@pytest.mark.timeout(120)
async def test_a_slow_mail_server_does_not_hold_up_who_only_reacts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = await reactions(tmp_path, Breaker(most=PLACES * 3 // 4))
    with capsys.disabled():
        print(f"\nfrom an open to the step behind it: {told(found)}")
    assert statistics.median(found) < FAST_SECONDS, (
        "whoever waited for a mail's place would wait that long; the slowest is a matter of luck"
    )


def told(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.2f} s in the middle and {max(seconds):.2f} s at the most"


async def reactions(data: Path, breaker: Breaker) -> list[float]:
    """Some people are mailed, slowly; others open a push meanwhile. The seconds from each of their opens to the step behind it."""
    async with world(data) as here:
        await here.worker_goes()
        here.process.stops.breakers["email"] = breaker
        await here.worker_comes(sandboxed=False, tasks_at_once=PLACES)
        keys = await set_up(here)
        here.mail.behave(MailBehaviour(delay=2))
        run = await here.api.post(f"/v1/journeys/{SLOW}/runs", json={"profiles": keys[REACTING:]})
        assert run.is_success, run.text
        await eventually(lambda: claimed(here), lambda number: number >= EACH_SECOND, "mails on their way")
        for key in keys[:REACTING]:
            await here.opens_push(key)
            await asyncio.sleep(MAILED / EACH_SECOND / REACTING)
        found = await eventually(lambda: latencies(here), lambda found: len(found) == REACTING, "everybody's next step", 60)
        here.mail.behave()
        return found


async def set_up(here: World) -> list[str]:
    """Two journeys; those who react wait for the open of their push already. Returns all keys, theirs first."""
    await here.set_up()
    for journey, nodes in (
        (SLOW, [ENTRY | {"next": "mail", "rate": EACH_SECOND}, MAIL, END]),
        (QUICK, [ENTRY | {"next": "push"}, PUSH, OPENED, WAIT, END]),
    ):
        await here.put(f"/v1/journeys/{journey}", {"id": journey, "namespace": "customer_id", "nodes": nodes})
        await here.publish(journey)
    keys = await here.people(REACTING + MAILED)
    run = await here.api.post(f"/v1/journeys/{QUICK}/runs", json={"profiles": keys[:REACTING]})
    assert run.is_success, run.text
    for key in keys[:REACTING]:
        await here.waits_at("opened", key=key, journey=QUICK)
    return keys


async def claimed(here: World) -> int:
    """How many of those who are mailed have set off."""
    answer = await here.api.get("/v1/deliveries", params={"journey": SLOW, "limit": 1000})
    return len(answer.json()["items"])


async def latencies(here: World) -> list[float]:
    """By the store's clock: from the acceptance of an open to the end of the step that it led to."""
    events, steps = schema.events.c, schema.steps.c
    query = (
        select(events.accepted_at, steps.closed_at)
        .join(schema.steps, (steps.by_source == events.source) & (steps.by_event == events.id))
        .where(events.source == ids.REACTIONS, steps.closed_at.is_not(None))
    )
    rows = await here.process.database.read(lambda connection: connection.execute(query).all())
    return [(row.closed_at - row.accepted_at) / 1_000_000 for row in rows]

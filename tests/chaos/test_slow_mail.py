"""A mail server takes two seconds for each mail: how long do those wait who open a push meanwhile? Measured in full, beside a quick one."""

from __future__ import annotations

import asyncio
import statistics
from pathlib import Path

import pytest

from demo.catchers import MailBehaviour
from tests.chaos.conftest import FULL
from tests.chaos.tables import TABLES
from tests.e2e.test_slow_provider import ENTRY, latencies
from tests.e2e.world import World, eventually, world

REACTING, MAILED = 150, 300
EACH_SECOND = 10
SLOW = MailBehaviour(delay=2)
JOURNEYS = {
    "mailed": [{"id": "mail", "kind": "message", "message": "follow-up", "next": "end"}],
    "reacting": [
        {"id": "push", "kind": "message", "message": "thank-you", "next": "opened"},
        {"id": "opened", "kind": "reaction", "of": "push", "to": "push.opened", "next": "wait"},
        {"id": "wait", "kind": "wait", "for": "P1D", "next": "end"},
    ],
}


async def reactions(data: Path, mail: MailBehaviour | None) -> list[float]:
    """Seconds from each open to the end of the step behind it, by the store's clock."""
    async with world(data) as here:
        await here.worker_goes()
        await here.worker_comes(sandboxed=False)  # as in production
        await here.set_up()
        for journey, nodes in JOURNEYS.items():
            entry = ENTRY | {"next": nodes[0]["id"]} | ({"rate": EACH_SECOND} if journey == "mailed" else {})
            document = {"id": journey, "namespace": "customer_id", "nodes": [entry, *nodes, {"id": "end", "kind": "end"}]}
            await here.put(f"/v1/journeys/{journey}", document)
            await here.publish(journey)
        keys = await here.people(REACTING + MAILED)
        await lets_in(here, "reacting", keys[:REACTING])
        await eventually(lambda: asyncio.sleep(0.2, len(here.push.pushes)), lambda sent: sent == REACTING, "every push", 120)
        await eventually(lambda: standing(here), lambda inside: inside == REACTING, "everybody waiting", 60)
        here.mail.behave(mail)
        await lets_in(here, "mailed", keys[REACTING:])
        await asyncio.sleep(3)  # until the slow ones have come upon the provider
        for key in keys[:REACTING]:
            await here.opens_push(key)
            await asyncio.sleep((MAILED / EACH_SECOND - 5) / REACTING)
        found = await eventually(lambda: latencies(here), lambda found: len(found) == REACTING, "everybody's next step", 120)
        here.mail.behave()
        return found


async def lets_in(here: World, journey: str, keys: list[str]) -> None:
    answer = await here.api.post(f"/v1/journeys/{journey}/runs", json={"profiles": keys})
    assert answer.status_code == 201, answer.text


async def standing(here: World) -> int:
    return sum(one["inside"] for one in (await here.report("reacting"))["nodes"] if one["node"] == "opened")


@pytest.mark.skipif(not FULL, reason="tests/e2e/test_slow_provider.py does it in small")
@pytest.mark.timeout(400)
async def test_a_mail_server_of_two_seconds_leaves_the_reactions_of_others_as_they_were(tmp_path: Path) -> None:
    found = {name: await reactions(tmp_path / name, mail) for name, mail in (("quick", None), ("2 s a mail", SLOW))}
    for name, seconds in found.items():
        hundredths = statistics.quantiles(seconds, n=100)
        TABLES.add(
            "Others' reactions beside a mail server", mail_server=name, mails_per_second=EACH_SECOND, reactions=len(seconds),
            p50_seconds=round(hundredths[49], 3), p99_seconds=round(hundredths[98], 3), longest=round(max(seconds), 3),
        )  # fmt: skip
    p99 = {name: statistics.quantiles(seconds, n=100)[98] for name, seconds in found.items()}
    assert p99["2 s a mail"] < p99["quick"] + 1.0, "no reaction waits for a mail: that takes two seconds"

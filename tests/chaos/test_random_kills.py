"""Whatever runs is killed at any moment, one after the other and two at once, while people enter, open and buy: nobody is lost.

The order and the pauses are drawn from a seed, which the table names; the moments are the machine's.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

import httpx
import pytest

from tests.chaos.conftest import FULL
from tests.chaos.crowd import Crowd
from tests.chaos.ledger import Books
from tests.chaos.place import Place
from tests.chaos.processes import Killable, Sojourn
from tests.chaos.tables import TABLES
from tests.e2e.world import JOURNEY

PEOPLE = 2000 if FULL else 40
ROUNDS = 3 if FULL else 1
"""In each round everything is killed once, in another order, and one of them together with another."""
PAUSES = (2.0, 6.0) if FULL else (0.5, 2.0)
SEED = 4
SWEEP = "usual" if FULL else ""
TIMEOUT, LONGEST = ("PT45S", 45.0) if FULL else ("PT8S", 8.0)
"""How long the gate is open, and how long people take at most, in seconds: some are too late."""
PATIENCE = 500.0 if FULL else 100.0


async def kill_all(victims: Sequence[Killable], lots: random.Random) -> Counter[str]:
    """Kill one after the other, let each come back after a while; the servers come before those who need them."""
    killed: Counter[str] = Counter()
    for _ in range(ROUNDS):
        order = lots.sample(victims, len(victims))
        pairs = [[one] for one in order] + [lots.sample(victims, 2)]
        for together in pairs:
            await asyncio.sleep(lots.uniform(*PAUSES))
            await asyncio.gather(*(one.is_killed() for one in together))
            await asyncio.sleep(lots.uniform(0.0, 1.0))
            for one in sorted(together, key=victims.index):
                await one.comes()
                killed[one.name] += 1
    return killed


async def all_end(crowd: Crowd, place: Place) -> int:
    """Wait for the end of everybody. Whoever still waits for a purchase although theirs was accepted buys once more, so that all is
    told in the end. Returns how many had to: each is a purchase that was lost. Whose follow-up died with its worker, and is not to be sent
    twice, buys without it."""
    until, again = time.monotonic() + PATIENCE, 0
    while True:
        await asyncio.sleep(1)
        with suppress(httpx.TransportError):
            totals = (await place.report())["totals"]
            if totals["entered"] == PEOPLE and not totals["inside"]:
                return again
            bought = {key for key, times in crowd.bought.items() if times == 1}  # before looking: those who buy meanwhile are not meant
            for one in await place.everything("/v1/entrants", state="open", node="purchase"):
                if one["waiting"] and one["profile"] in bought:
                    again += 1
                    await crowd.buys(one["profile"], f"again-{one['profile']}", at_once=True)
                elif one["waiting"]:
                    crowd.buys_unasked(one["profile"])
            if time.monotonic() > until:
                inside = await place.everything("/v1/entrants", state="open")
                pytest.fail(f"{totals} after all this time; {len(inside)} inside, as {inside[:5]}; {place.folder}")


@pytest.mark.behaviour(1)
@pytest.mark.behaviour(3)
@pytest.mark.complaint(2)
@pytest.mark.timeout(900)
async def test_everything_is_killed_again_and_again_and_everybody_gets_what_is_due(place: Place, database: str) -> None:
    begun, lots = time.monotonic(), random.Random(SEED)
    parts = ["api,worker"] if database == "sqlite" else ["api", "worker", "worker"]
    ours = [
        Sojourn(place.settings, place.folder / f"sojourn-{number}.log", parts=part, sweep=SWEEP, supervised=True)
        for number, part in enumerate(parts)
    ]
    servers: list[Killable] = [place.temporal] if place.postgres is None else [place.postgres, place.temporal]
    try:
        for one in ours:
            await one.comes()
        await place.set_up(timeout=TIMEOUT)
        keys = await place.people(PEOPLE)
        await place.publish(JOURNEY)
        crowd = Crowd(place, keys, SEED, longest=LONGEST)
        living = asyncio.create_task(crowd.live())
        killed = await kill_all([*servers, *ours], lots)
        again = await all_end(crowd, place)
        living.cancel()
        await crowd.go_home()
        books = await Books.read(place)
        faults = await books.faults(place, members=keys, accepted=crowd.accepted)
    finally:
        for one in ours:
            await one.is_killed()
    standing = Counter(row.status for row in books.deliveries.values())
    repeats = sum(times - 1 for times in place.pushes_by_key().values())
    TABLES.add(
        "Everything killed at random", database=database, people=PEOPLE, seconds=round(time.monotonic() - begun),
        kills=", ".join(f"{name} {times}" for name, times in sorted(killed.items())), calls_sent_again=crowd.retries,
        events_accepted=len(crowd.accepted.events), mails=len(place.mail.messages), pushes=len(place.pushes_by_key()),
        pushes_repeated=repeats, uncertain=standing["uncertain"], bought_again=again, faults=len(faults),
        started_again=sum(one.restarts for one in ours),
    )  # fmt: skip
    assert crowd.refused == []
    assert again == 0, f"{again} people had bought, and waited for their purchase all the same"
    assert faults == []
    assert {row.end_reason for row in books.entrants.values()} == {"finished"}

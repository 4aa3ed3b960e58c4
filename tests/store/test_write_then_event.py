"""Somebody's profile is written, and then they do something: what they do finds the profile as it was written, whatever else goes on."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
from sqlalchemy import select

from journey import ids
from journey.events import Event
from journey.profiles import ProfileDocument
from journey.version import Version
from store import acceptance, changes, definitions, identify, schema, versions
from store.acceptance import Arrived, Verdict
from store.database import Database
from store.versions import VersionRow
from store.work import Work
from tests.builders import START
from tests.carts import CART, END, ENTRY, abandoned
from tests.fakes import SettableClock

TIMES = int(os.environ.get("INTERLEAVINGS", "1000"))
"""Interleavings on both databases. `make chaos` plays 10,000."""
PEOPLE = {"sqlite": TIMES * 4 // 5, "postgresql": TIMES // 5}
CROWD = 800
"""People at the same time."""
TOGETHER = 100
VIPS: Version = abandoned(nodes=[{**ENTRY, "where": "profile.vip == true", "next": "end"}, END])


@pytest.fixture
async def processes(database: Database, address: str, kind: str, clock: SettableClock) -> AsyncIterator[list[Database]]:
    """One that has the file to itself; on PostgreSQL three."""
    clock.instant = START
    opened = [database, *(Database(address, clock) for _ in range(2 if kind == "postgresql" else 0))]

    def live(work: Work) -> None:
        versions.keep(work, VIPS)
        versions.insert(work, VersionRow(ids.version("abandoned", 1), "abandoned", 1, VIPS.hash, "live", START))
        definitions.put(work, CART)

    await database.write(live)
    yield opened
    for one in opened[1:]:
        await one.close()


def filled(key: str) -> Arrived:
    return Arrived(Event("shop", f"cart-of-{key}", "cart_updated", {"cart": "A"}), "customer_id", key)


@pytest.mark.behaviour(16)
@pytest.mark.timeout(600)
async def test_whoever_waits_for_the_answer_of_a_write_is_never_taken_for_who_they_were(processes: list[Database], kind: str) -> None:
    """A crowd at once, each write and each event by any process: only the two of one person are in order."""
    lots = random.Random(16)

    async def one(number: int) -> Verdict:
        key = f"p{number}"
        await asyncio.sleep(lots.random() * 0.5)
        if lots.random() < 0.5:  # somebody new, or somebody known who becomes a vip
            await lots.choice(processes).write(lambda work: changes.put(work, person(key)))
        await lots.choice(processes).write(lambda work: identify.identify(work, "customer_id", key, {"vip": True}))
        return await lots.choice(processes).write(lambda work: acceptance.accept(work, filled(key), acceptance.Policy()))

    for first in range(0, PEOPLE[kind], CROWD):
        verdicts = await asyncio.gather(*(one(number) for number in range(first, min(first + CROWD, PEOPLE[kind]))))
        assert [verdict.code for verdict in verdicts if not verdict.entered] == []
    entrants = await processes[0].read(lambda connection: connection.execute(select(schema.entrants.c.id)).scalars().all())
    assert len(entrants) == PEOPLE[kind]


@pytest.mark.behaviour(16)
async def test_what_is_given_together_is_done_in_its_order(processes: list[Database]) -> None:
    """The calls of one batch of a Segment library: who they are, then what they did. Each in a commit of its own or with others."""
    units: list[Callable[[Work], object]] = []
    for number in range(TOGETHER):
        key = f"p{number}"
        units.append(partial(identify.identify, namespace="customer_id", key=key, attributes={"vip": True}))
        units.append(partial(acceptance.accept, arrived=filled(key), policy=acceptance.Policy()))
    done = await processes[0].write_all(units)
    assert all(isinstance(one, Verdict) and one.entered for one in done[1::2])


def person(key: str) -> ProfileDocument:
    return ProfileDocument(id=key, identities={"customer_id": key}, attributes={"vip": False})

"""A journey is published anew while many people are at every point of it: whatever meets whatever, each goes one way, in one version at a
time, and each event leads them on once. On PostgreSQL three processes do it together.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from journey import ids
from journey.contract import Proposal, Record
from journey.succession import Succession
from journey.walk import Listen, ask
from store import journeys, schema, succeeding, versions
from store.database import Database
from store.versions import VersionRow
from store.work import Work
from tests.builders import message, profile, version
from tests.databases import Databases
from tests.store import test_interleaved_statements as statements
from tests.store.driver import Store, let_in, next_proposal, publish
from tests.store.moves import check_all, succeed
from tests.store.test_interleaved_statements import Shop, buys, proposes
from tests.store.test_interleavings import SHOP, World, assert_everybody_went_once

PEOPLE = {"sqlite": 300, "postgresql": 100}
PROCESSES = {"sqlite": 1, "postgresql": 3}
LATER = version(
    {"id": "one", "kind": "message", "message": "one", "next": ["opens", "buys-at-once", "clicks"]},
    {"id": "opens", "kind": "reaction", "of": "one", "to": "email.opened", "next": "buys"},
    {"id": "clicks", "kind": "reaction", "of": "one", "to": "email.clicked", "next": "buys"},
    {"id": "buys-at-once", "kind": "event", "event": "purchase", "next": "thanks", "timeout": {"after": "P2D", "next": "buys"}},
    {"id": "buys", "kind": "event", "event": "purchase", "next": "thanks"},
    {"id": "thanks", "kind": "message", "message": "one", "next": "end"},
    {"id": "end", "kind": "end"},
)
"""The first gate waits for a click too, and longer; the second is as it was."""
GRAPHS = {"small@1": SHOP.journey, "small@2": LATER.journey}


@dataclass
class Changing(World):
    """As the world of one version, published anew as soon as everybody is in; those who are woken ask the store."""

    leaving: set[str] = field(default_factory=set)

    async def publish(self) -> None:
        while len(self.woken) < self.people:
            await self.linger()
        await asyncio.sleep(0.2)

        def unit(work: Work) -> None:
            journeys.locked(work, "small")
            row = VersionRow(ids.version("small", 2), "small", 2, LATER.hash, "live", work.now())
            versions.move(work, versions.row(work.connection, "small@1"), "close")
            versions.keep(work, LATER)
            versions.insert(work, row)
            succeeding.succeed(work, succeeding.concerned(work.connection, "small", 2), row, Succession(people="flow_in"))

        await self.database.write(unit)
        while len(self.ended) < self.people:
            page = await self.database.write(lambda work: succeeding.wake(work, "small@1", 10))
            for entrant in page.people:
                self.leaving.add(entrant)
                self.woken[entrant].set()
            await self.linger(0.1)

    async def walk(self, entrant: str, record: Record) -> None:
        """The entrant's workflow, which continues as new with another graph when the record says so."""
        at = "small@1"
        while not record.end:
            await self.linger()
            if record.version not in ("", at):
                at = record.version
                if isinstance(ask(GRAPHS[at], record.place), Listen):
                    record = await self.stop(Proposal(entrant=entrant, n=record.n))
                continue
            asks = False
            if isinstance(ask(GRAPHS[at], record.place), Listen) and not record.node:
                while record.seconds and record.n not in self.notes[entrant] and entrant not in self.leaving:
                    self.woken[entrant].clear()
                    await self.woken[entrant].wait()
                asks = record.n not in self.notes[entrant]
                self.leaving.discard(entrant)
            note = self.notes[entrant].get(record.n)
            proposal = Proposal(entrant=entrant, n=record.n + 1) if asks else next_proposal(GRAPHS[at], entrant, record, note)
            record = await self.stop(proposal)
        self.ended.add(entrant)


@pytest.mark.behaviour(7)
async def test_published_anew_while_everything_happens_nobody_is_lost_and_nobody_goes_two_ways(kind: str, address: str) -> None:
    processes = [Database(address) for _ in range(PROCESSES[kind])]
    try:
        world = Changing(processes, PEOPLE[kind], random.Random(11))
        run = await world.begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(world.admit(run, group))
            group.create_task(world.publish())
            for number in range(world.people):
                group.create_task(world.live(number))
            group.create_task(world.finish())
        with world.database.engine.connect() as connection:
            store = Store(connection)
            check_all(store, "small")
            assert_everybody_went_once(store, world.people)
            moved = store.rows(schema.steps, outcome="moved")
            assert len({step.entrant for step in moved}) == len(moved) > 0
            assert [(one.id, one.state) for one in versions.of_journey(connection, "small")] == [
                ("small@1", "finished"),
                ("small@2", "live"),
            ]
    finally:
        for process in processes:
            await process.close()


LATER_SHOP = version(
    {"id": "one", "kind": "message", "message": "one", "next": ["opens", "buys"]},
    {"id": "opens", "kind": "reaction", "of": "one", "to": "email.opened", "next": "end", "timeout": {"after": "PT2H", "next": "end"}},
    {"id": "buys", "kind": "event", "event": "purchase", "next": "end"},
    {"id": "end", "kind": "end"},
)
MET = [f"p{number:03}" for number in range(40)]


@pytest.fixture
def shop(databases: Databases) -> Iterator[Shop]:
    opened = Shop(databases.kept() + "?options=-c%20synchronous_commit%3Doff")  # what is asked here is not what a crash leaves
    with opened.store() as store:
        publish(store, statements.SHOP, {"one": message("one", "email")})
    yield opened
    opened.ends()


def test_a_move_an_event_and_a_repeat_of_the_move_meet_statement_by_statement_and_the_event_is_heard(shop: Shop) -> None:
    """Whoever waits for a lock on somebody who is carried over meanwhile finds them in the new version."""
    with shop.store() as store:
        drivers = let_in(store, statements.SHOP, [profile(name) for name in MET])
        for driver in drivers:
            driver.walk_to("opens+buys")
        succeed(store, LATER_SHOP)
    for driver, name in zip(drivers, MET, strict=True):
        asks = Proposal(entrant=driver.entrant, n=2)
        first, again, bought = shop.meet(proposes(asks), proposes(asks), buys(name))
        assert {first.n, again.n} == {2}
        assert {first.version, again.version} == {"small@2"}
        assert [(one.n in (1, 2), one.node) for one in bought.decided] == [(True, "buys")], name
    with shop.store() as store:
        rows = store.rows(schema.entrants)
        assert {(row.version, row.n, row.won_node) for row in rows} == {("small@2", 2, "buys")}
        check_all(store, "small")

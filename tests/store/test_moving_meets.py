"""A journey is published anew while many people are at every point of it: whatever meets whatever, each goes one way, in one version at a
time, and each event leads them on once. On PostgreSQL three processes do it together.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from journey import ids
from journey.contract import Proposal, Record
from journey.succession import Succession
from journey.walk import Listen, ask
from store import journeys, schema, succeeding, versions
from store.database import Database
from store.versions import VersionRow
from store.work import Work
from tests.builders import version
from tests.store.driver import Store, next_proposal
from tests.store.moves import check_all
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

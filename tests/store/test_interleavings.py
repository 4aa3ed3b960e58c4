"""Many people at two gates each, every one in an order of their own: what can happen to them all meets in one store.

Nobody may be lost, and no gate be decided twice, whatever comes between what. On PostgreSQL three processes do it together.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from journey import ids
from journey.contract import Happened, Proposal, Record
from journey.errors import NotFound
from journey.events import Event
from journey.walk import Listen, ask
from store import acceptance, admission, closing, definitions, messages, profiles, runs, schema, steps, versions
from store.acceptance import Arrived, Verdict
from store.claims import Busy
from store.database import Database
from store.steps import Opened
from store.versions import VersionRow
from store.work import Work
from tests.builders import THANKS, message, profile, version
from tests.store.driver import AT_RISK, Store, check, document, next_proposal, sent

PEOPLE = {"sqlite": 1000, "postgresql": 200}
PROCESSES = {"sqlite": 1, "postgresql": 3}
SHOP = version(
    {"id": "one", "kind": "message", "message": "one", "next": ["opens", "buys-at-once"]},
    {"id": "opens", "kind": "reaction", "of": "one", "to": "email.opened", "next": "buys"},
    {"id": "buys-at-once", "kind": "event", "event": "purchase", "next": "thanks", "timeout": {"after": "P1D", "next": "buys"}},
    {"id": "buys", "kind": "event", "event": "purchase", "next": "thanks"},
    {"id": "thanks", "kind": "message", "message": "one", "next": "end"},
    {"id": "end", "kind": "end"},
)


@dataclass
class World:
    """The processes on one store, the workflows' notes, and every decision that was ever told."""

    processes: list[Database]
    people: int
    lots: random.Random
    told: Counter[tuple[str, int]] = field(default_factory=Counter)
    notes: dict[str, dict[int, Happened]] = field(default_factory=dict)
    woken: dict[str, asyncio.Event] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)

    @property
    def database(self) -> Database:
        """Any of the processes: each thing that is done may be done by another one."""
        return self.lots.choice(self.processes)

    async def linger(self, longest: float = 0.005) -> None:
        """Let others go first, for a while of any length."""
        await asyncio.sleep(self.lots.random() * longest)

    async def begin(self) -> str:
        def unit(work: Work) -> str:
            row = VersionRow(ids.version("small", 1), "small", 1, SHOP.hash, "live", work.now())
            versions.keep(work, SHOP)
            versions.insert(work, row)
            messages.put(work, message("one", "email"))
            definitions.put(work, SHOP.events["purchase"])
            profiles.put_all(work, [document(profile(f"p{number}")) for number in range(self.people)])
            return runs.start(work, row, SHOP.journey, [f"p{number}" for number in range(self.people)])

        return await self.database.write(unit)

    async def admit(self, run: str, group: asyncio.TaskGroup) -> None:
        """Pages of a run, each repeated now and then by an attempt that was thought dead."""
        done = False
        while not done:
            attempts = 1 + (self.lots.random() < 0.2)
            pages = await asyncio.gather(
                *(self.database.write(lambda work: admission.admit_page(work, run, page=37, crowd=self.people)) for _ in range(attempts))
            )
            for page in pages:
                done = done or page.done
                for start in page.starts:
                    assert start.entrant.entrant not in self.woken, "somebody was let in twice"
                    self.woken[start.entrant.entrant] = asyncio.Event()
                    self.notes[start.entrant.entrant] = {}
                    group.create_task(self.walk(start.entrant.entrant, Record(0, start.entrant.place)))
            await self.linger()

    async def walk(self, entrant: str, record: Record) -> None:
        """The entrant's workflow. Its timers never run out: all that moves it is told to it, or found in the store."""
        while not record.end:
            await self.linger()
            if isinstance(ask(SHOP.journey, record.place), Listen) and not record.node:
                while record.n not in self.notes[entrant]:
                    self.woken[entrant].clear()
                    await self.woken[entrant].wait()
            proposal = next_proposal(SHOP.journey, entrant, record, self.notes[entrant].get(record.n))
            record = await self.stop(proposal)
            if record.node:
                self.told[entrant, record.n] += 1
        self.ended.add(entrant)

    async def stop(self, proposal: Proposal) -> Record:
        opened = await self.database.write(lambda work: steps.open_step(work, proposal, AT_RISK))
        if self.lots.random() < 0.1:
            again = await self.database.write(lambda work: steps.open_step(work, proposal, AT_RISK))
            if isinstance(opened, Record):
                assert isinstance(again, Record)
                assert (again.n, again.place) == (opened.n, opened.place)
            else:
                assert isinstance(again, Busy)
        if isinstance(opened, Opened):
            if self.lots.random() < 0.5:
                await self.react(proposal)
            marks = [sent(claim) for claim in opened.claims]
            closed = await self.database.write(lambda work: closing.mark(work, proposal, marks))
            assert closed is not None
            return closed
        assert isinstance(opened, Record)
        return opened

    async def react(self, proposal: Proposal) -> None:
        """The message is opened while the answer of its provider is still on its way."""
        delivery = ids.delivery(proposal.entrant, proposal.n, "email")
        await self.tell(await self.database.write(lambda work: acceptance.react(work, delivery, "opened")))

    async def live(self, number: int) -> None:
        """What a person does of their own: opens, buys, some of it twice, at any moment."""
        deeds = ["open", *(f"{number}-{which}" for which in range(self.lots.randrange(4)))]
        self.lots.shuffle(deeds)
        for deed in deeds:
            await self.linger(1.5)
            await (self.open_first(number) if deed == "open" else self.buy(number, deed))

    async def open_first(self, number: int) -> None:
        delivery = ids.delivery(ids.entrant("small", f"p{number}", 1), 1, "email")
        try:
            await self.tell(await self.database.write(lambda work: acceptance.react(work, delivery, "opened")))
        except NotFound:
            return  # not yet sent

    async def buy(self, number: int, event: str) -> None:
        arrived = Arrived(Event("shop", event, "purchase", dict(THANKS)), "customer_id", f"p{number}")
        for _ in range(1 + (self.lots.random() < 0.2)):
            await self.tell(await self.database.write(lambda work: acceptance.accept(work, arrived, acceptance.Policy())))

    async def tell(self, verdict: Verdict) -> None:
        """The signals after a commit, some while later."""
        for decided in verdict.decided:
            self.told[decided.entrant, decided.n] += 1
        await self.linger()
        for decided in verdict.decided:
            self.notes[decided.entrant].setdefault(decided.n, Happened(decided.n, decided.node, decided.source, decided.event))
            self.woken[decided.entrant].set()

    async def finish(self) -> None:
        """In the end everybody who still waits is opened for, and buys."""
        while len(self.ended) < self.people:
            for number in range(self.people):
                entrant = ids.entrant("small", f"p{number}", 1)
                if entrant in self.woken and entrant not in self.ended:
                    await self.buy(number, f"{number}-last-{self.lots.random()}")
            await asyncio.sleep(0.2)


async def test_whatever_comes_between_what_nobody_is_lost_and_no_gate_is_decided_twice(kind: str, address: str) -> None:
    processes = [Database(address) for _ in range(PROCESSES[kind])]
    try:
        world = World(processes, PEOPLE[kind], random.Random(7))
        run = await world.begin()
        async with asyncio.TaskGroup() as group:
            group.create_task(world.admit(run, group))
            for number in range(world.people):
                group.create_task(world.live(number))
            group.create_task(world.finish())
        with world.database.engine.connect() as connection:
            store = Store(connection)
            check(store, SHOP)
            assert_everybody_went_once(store, world.people)
        decided = {key: times for key, times in world.told.items() if times > 1}
        assert decided == {}
    finally:
        for process in processes:
            await process.close()


def assert_everybody_went_once(store: Store, people: int) -> None:
    rows = store.rows(schema.entrants)
    assert len(rows) == len({row.profile for row in rows}) == people
    assert {(row.state, row.end_reason) for row in rows} == {("ended", "finished")}
    ways: Counter[tuple[str, str]] = Counter()
    won: Counter[tuple[str, str]] = Counter()
    for step in store.rows(schema.steps):
        ways[step.entrant, step.left] += bool(step.left)
        won[step.by_source, step.by_event] += bool(step.by_event)
    assert max(ways.values()) == 1
    assert max(won.values()) == 1, "an event led one person on twice"
    sent_to = store.connection.execute(select(schema.deliveries.c.entrant, schema.deliveries.c.node, schema.deliveries.c.status)).all()
    assert Counter(tuple(row) for row in sent_to) == Counter({(row.id, node, "sent"): 1 for row in rows for node in ("one", "thanks")})

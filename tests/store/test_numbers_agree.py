"""People walk the use case through the real steps of the store, each in another way; then every report must agree with every row."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from sqlalchemy import func, select

from journey import ids, walk
from journey.contract import Happened, Proposal, Record
from journey.events import Event
from journey.graph import Journey
from journey.profiles import ProfileDocument
from journey.proposing import propose
from journey.reports import Report, differences
from store import acceptance, admission, closing, journeys, profiles, reports, runs, schema, steps, versions, views
from store.claims import Busy, Carrier, Policy
from store.closing import Mark
from store.database import Database
from store.work import Work
from tests import stock
from tests.builders import DAY, THANKS
from tests.fakes import SettableClock

POLICY = Policy({"email": Carrier(40_000_000, idempotent=False), "push": Carrier(20_000_000, idempotent=True)})
PEOPLE = 22


class World:
    """People who walk: what the workflow would do, without a server."""

    def __init__(self, database: Database, clock: SettableClock, seed: int) -> None:
        self.database = database
        self.clock = clock
        self.lots = random.Random(seed)
        self.journey: Journey
        self.at: dict[str, Record] = {}

    async def begin(self) -> None:
        await self.database.write(self._prepare)
        admitted = await self.database.write(lambda work: admission.admit_page(work, "thank-you.run.1"))
        self.at = {start.entrant.entrant: Record(n=start.entrant.n, place=start.entrant.place) for start in admitted.starts}
        row = await self.database.read(lambda c: versions.row(c, "thank-you@1"))
        self.journey = (await self.database.read(lambda c: versions.frozen_version(c, row.hash))).journey

    def _prepare(self, work: Work) -> None:
        for number in range(PEOPLE):
            document = {"id": f"p{number}", "identities": {"customer_id": f"c{number}"}, "test": number == 0,
                        "attributes": {"city": "Atlanta", "birth_year": 1985, "email": f"p{number}@example.org" if number % 5 else None},
                        "push_tokens": [{"token": f"t{number}"}] if number % 3 else [], "consents": {"push": number % 7 != 1}}  # fmt: skip
            profiles.put(work, ProfileDocument.model_validate(document))
        stock.put_use_case(work)
        journeys.publish(work, "thank-you", stock.PUBLIC_URL)

    async def go_on(self, entrant: str) -> None:
        """One step of one person, as the workflow proposes it; the provider takes it, or refuses it for good."""
        record = self.at[entrant]
        if record.end:
            return
        proposal = self._proposal(entrant, record)
        opened = await self.database.write(lambda work: steps.open_step(work, proposal, POLICY))
        assert not isinstance(opened, Busy)
        if not isinstance(opened, Record):
            marks = [Mark(claim.channel, "sent" if self.lots.random() < 0.8 else "failed", "refused") for claim in opened.claims]
            closed = await self.database.write(lambda work: closing.mark(work, proposal, marks))
            assert closed is not None
            opened = closed
        self.at[entrant] = opened

    def _proposal(self, entrant: str, record: Record) -> Proposal:
        place = walk.ask(self.journey, record.place)
        if not isinstance(place, walk.Listen):
            return propose(self.journey, entrant, record.n + 1, record.place)
        if record.node:
            left = walk.Outcome(record.node, "next")
            heard = Happened(record.n, record.node, record.source, record.event)
            return propose(self.journey, entrant, record.n + 1, walk.follow(self.journey, left), left, heard)
        if place.due is None or record.seconds > 0:
            return Proposal(entrant=entrant, n=record.n + 1)  # woken without knowing why
        return propose(self.journey, entrant, record.n + 1, walk.follow(self.journey, place.due), place.due)

    async def happen(self, entrant: str) -> None:
        """Something this person does, whether anybody waits for it or not."""
        number = entrant.split("~")[1].removeprefix("c")
        if self.lots.random() < 0.5:
            story = await self.database.read(lambda c: views.entrant(c, entrant))
            sent = [one.id for one in story.deliveries if one.status != "excluded"]
            if sent:
                await self.database.write(lambda work: acceptance.react(work, self.lots.choice(sent), "opened"))
            return
        event = Event("shop", f"e{self.lots.random()}", "purchase", THANKS | {"customer": f"c{number}"})
        await self.database.write(lambda work: acceptance.accept(work, acceptance.Arrived(event), acceptance.Policy()))

    async def report(self) -> Report:
        return await self.database.read(lambda c: reports.report(c, "thank-you@1", self.journey))

    async def check(self) -> None:
        """The report agrees with itself, and with the rows of the entrants."""
        report = await self.report()
        assert differences(self.journey, report) == ()
        table = schema.entrants.c
        rows = await self.database.read(
            lambda c: c.execute(select(table.state, table.end_reason, table.place, table.closed, func.count())
                                .group_by(table.state, table.end_reason, table.place, table.closed)).all()
        )  # fmt: skip
        ended, standing = Counter[str](), Counter[str]()
        for state, reason, place, closed, count in rows:
            if state == "ended":
                ended[reason] += count
            elif not closed or isinstance(walk.ask(self.journey, place), walk.Listen):
                standing.update(dict.fromkeys(walk.nodes_of(place), count))
        assert report.totals.ended == dict(ended)
        assert report.totals.entered == sum(count for *_, count in rows)
        assert {node.node: node.inside for node in report.nodes if node.inside} == dict(standing)


@pytest.mark.behaviour(3)
@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_people_do_the_numbers_agree(database: Database, clock: SettableClock, seed: int) -> None:
    world = World(database, clock, seed)
    await world.begin()
    everybody = sorted(world.at)
    for round_ in range(8):
        for entrant in everybody:
            if world.lots.random() < 0.5:
                await world.happen(entrant)
            if world.lots.random() < 0.7:
                await world.go_on(entrant)
        clock.instant += DAY // 3
        await world.check()
        if round_ == 5 and seed == 2:
            await database.write(lambda work: journeys.stop(work, "thank-you"))
    totals = (await world.report()).totals
    assert totals.discards["test_profile"] == 1
    assert totals.excluded["no_token"]
    assert totals.excluded["no_address"]
    assert len(totals.ended) > 1


async def test_when_everybody_has_ended_the_report_holds_nobody(database: Database, clock: SettableClock) -> None:
    world = World(database, clock, 4)
    await world.begin()
    for _ in range(12):
        for entrant in sorted(world.at):
            await world.happen(entrant)
            await world.go_on(entrant)
        clock.instant += 20 * DAY
    await world.check()
    report = await world.report()
    assert report.totals.inside == 0
    assert {node.node: node.inside for node in report.nodes} == dict.fromkeys(world.journey.by_id, 0)
    run = await database.read(lambda c: runs.get(c, ids.run("thank-you", 1)))
    assert (run.state, run.admitted, run.read) == (
        "done",
        report.totals.entered,
        report.totals.entered + report.totals.discards["test_profile"],
    )

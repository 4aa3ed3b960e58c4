"""People walk the use case through the real steps of the store, each in another way; then every report must agree with every row."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from typing import get_args

import pytest
from sqlalchemy import func, select

from journey import ids, walk
from journey.contract import Happened, Proposal, Record
from journey.events import Event
from journey.feedback import HARD, REACTION, TAKEN, Kind
from journey.graph import Journey
from journey.profiles import ProfileDocument
from journey.proposing import propose
from journey.report_messages import ChannelReport
from journey.reports import NodeReport, Report, differences
from store import acceptance, admission, closing, feedback, journeys, profiles, reports, runs, schema, steps, suppressions, versions, views
from store.claims import Busy, Carrier, Policy
from store.closing import Mark
from store.database import Database
from store.feedback import Feedback
from store.taking import Claim
from store.views import DeliveryView
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
        self.happened: dict[str, set[str]] = defaultdict(set)
        self.suppressed: set[str] = set()
        self.withdrawn: set[tuple[str, str]] = set()

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
            marks = [self._answer(claim) for claim in opened.claims]
            closed = await self.database.write(lambda work: closing.mark(work, proposal, marks))
            assert closed is not None
            opened = closed
        self.at[entrant] = opened

    def _answer(self, claim: Claim) -> Mark:
        lot = self.lots.random()
        if lot < 0.75:
            return Mark(claim.channel, "sent", provider_id=f"id-{claim.delivery}")
        return (
            Mark(claim.channel, "uncertain", "no_answer")
            if lot < 0.85 and claim.channel == "email"
            else Mark(claim.channel, "failed", "refused")
        )

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
        """Something this person does, or a provider says, whether anybody waits for it or not."""
        number = entrant.split("~")[1].removeprefix("c")
        lot = self.lots.random()
        if lot < 0.6:
            story = await self.database.read(lambda c: views.entrant(c, entrant))
            gone = [one for one in story.deliveries if one.status in ("sent", "uncertain")]
            if gone:
                await self._comes_back(self.lots.choice(gone), lot)
            return
        event = Event("shop", f"e{self.lots.random()}", "purchase", THANKS | {"customer": f"c{number}"})
        await self.database.write(lambda work: acceptance.accept(work, acceptance.Arrived(event), acceptance.Policy()))

    async def _comes_back(self, of: DeliveryView, lot: float) -> None:
        if lot < 0.3:
            await self.database.write(lambda work: acceptance.react(work, of.id, "opened"))
            self.happened["opened"].add(of.id)
            return
        said: Kind = self.lots.choice(get_args(Kind))
        header = ids.message_id(of.id, "shop.example")
        about = self.lots.choice([{"delivery": of.id}, {"message_id": header}, {"provider_id": of.provider_id or "?"}])
        taken = await self.database.write(lambda work: feedback.take(work, Feedback(said, **about), 2))
        if taken.code in ("no_such_reaction", "unknown_delivery"):
            assert of.channel == "push" or about == {"provider_id": "?"}
            return
        assert taken.delivery == of.id
        self.happened[REACTION[said]].add(of.id)
        if said == "hard_bounce":
            self.happened[HARD].add(of.id)
        if taken.suppressed:
            self.suppressed.add(of.profile)
        if said == "unsubscribe":
            self.withdrawn.add((of.profile, of.channel))

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
        for node in report.nodes:
            for channel in ("email", "push"):
                await self._check_message(node, channel)
        await self._check_ways(report)
        await self._check_people()

    async def _check_message(self, node: NodeReport, channel: str) -> None:
        """The numbers of a message are its deliveries, and what has happened to them; behind each number stand those whom it counts."""
        of = {"node": node.node, "channel": channel}
        rows = await self.database.read(lambda c: views.deliveries(c, of, limit=1000))
        unfinished = select(schema.steps.c.entrant, schema.steps.c.n).where(schema.steps.c.closed_at.is_(None))
        open_steps = await self.database.read(lambda c: {(row.entrant, row.n) for row in c.execute(unfinished)})
        over = [row for row in rows if (row.entrant, row.n) not in open_steps]
        found = node.channels.get(channel, ChannelReport())
        statuses = Counter(row.status for row in over)
        assert (found.targeted, found.on_the_way) == (len(rows), len(rows) - len(over))
        assert found.excluded == dict(Counter(row.reason for row in over if row.status == "excluded"))
        assert (found.failed, found.sent + found.uncertain) == (statuses["failed"], statuses["sent"] + statuses["uncertain"])
        assert found.uncertain - statuses["uncertain"] == len(
            {row.id for row in await self._behind(of, "uncertain")} & set().union(*self.happened.values())
        ), "what something has come back of was sent; it stays in the number that it was in"
        assert found.targeted == found.sent + sum(found.excluded.values()) + found.failed + found.uncertain + found.on_the_way
        here = {row.id for row in rows}
        for name in (*TAKEN, HARD):
            happened = self.happened[name] & here
            assert getattr(found, name) == len(happened), name
            assert {row.id for row in await self._behind(of, name)} == happened
        for reason, count in found.excluded.items():
            assert len(await self._behind(of, f"excluded.{reason}")) == count
            assert len(await self.database.read(lambda c, r=reason: views.deliveries(c, of | {"reason": r}, limit=1000))) >= count  # type: ignore[misc]
        went = found.sent + found.uncertain
        assert found.rates == {name: round(100 * getattr(found, name) / went, 2) for name in found.rates}

    async def _behind(self, of: dict[str, str], fact: str) -> list[DeliveryView]:
        return await self.database.read(lambda c: views.deliveries(c, of, fact=fact, limit=1000))

    async def _check_ways(self, report: Report) -> None:
        """How people left each node is in their steps; behind each way stand the people who took it."""
        steps_ = await self.database.read(lambda c: c.execute(select(schema.steps).where(schema.steps.c.closed_at.is_not(None))).all())
        ways = Counter((row.left, row.left_exit) for row in steps_ if row.left)
        ways.update((row.node, row.outcome) for row in steps_ if row.node and row.outcome)
        for node in report.nodes:
            taken = {way: count for way, count in node.left.items() if way != "other"}
            assert {way: ways[node.node, way] for way in taken} == taken
            assert (node.errors, node.timed_out) == (ways[node.node, "error"], ways[node.node, "timeout"])
            for way, count in node.left.items():
                behind = await self.database.read(lambda c, n=node.node, w=way: views.entrants(c, {}, node=n, fact=f"left.{w}", limit=1000))  # type: ignore[misc]
                assert len(behind) == count
        codes = await self.database.read(lambda c: views.discards(c, {}, journey="thank-you", limit=1000))
        assert report.totals.discards == dict(Counter(row.code for row in codes))

    async def _check_people(self) -> None:
        """Who has bounced or complained is suppressed, and who wants no more has said so."""
        barred = {one.address for one in await self.database.read(lambda c: suppressions.page(c, ("", ""), 1000))}
        assert barred == {f"{profile}@example.org" for profile in self.suppressed}
        for profile, channel in self.withdrawn:
            assert (await self.database.read(lambda c, p=profile: profiles.get(c, p))).consents[channel] is False  # type: ignore[misc]


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
    assert world.suppressed
    assert totals.excluded["suppressed"] + totals.excluded["no_consent"] > 3
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

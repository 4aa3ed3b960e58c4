"""A profile is written by one process while its person arrives, in another, where the rule that comes true is waited for; and in either
database a write meets the timer. Whoever comes first, they go on, once."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from journey import ids
from journey.contract import Happened, Proposal, Record
from store import admission, changes, profiles, runs, schema, steps, versions
from store.database import Database
from store.versions import VersionRow
from store.work import Work
from tests.builders import DAY, profile, version
from tests.fakes import SettableClock
from tests.store.driver import AT_RISK, document, next_proposal
from tests.store.test_two_processes import holding

BOSTON = {"id": "boston", "kind": "wait", "until": {"rule": 'city == "Boston"'}, "next": "end", "timeout": {"after": "P1D", "next": "end"}}
DRAWN = version(BOSTON, {"id": "end", "kind": "end"})
ENTRANT = ids.entrant("small", "ada", 1)


async def prepared(database: Database) -> str:
    def unit(work: Work) -> str:
        row = VersionRow(ids.version("small", 1), "small", 1, DRAWN.hash, "live", work.now())
        versions.keep(work, DRAWN)
        versions.insert(work, row)
        profiles.put(work, document(profile("ada")))
        return runs.start(work, row, DRAWN.journey, ["ada"])

    return await database.write(unit)


def moves(work: Work) -> changes.SetOff:
    return changes.patch(work, "ada", attributes={"city": "Boston"}).set_off


def admits(run: str, work: Work) -> admission.Admitted:
    return admission.admit_page(work, run)


async def won(database: Database) -> str:
    return str(await database.read(lambda c: c.execute(select(schema.entrants.c.won_node)).scalar_one()))


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")
@pytest.mark.parametrize("first", ["write", "arrival"])
async def test_of_a_write_and_an_arrival_neither_misses_the_other(
    database: Database, address: str, clock: SettableClock, first: str
) -> None:  # fmt: skip
    run = await prepared(database)
    other = Database(address, clock)
    try:
        if first == "write":
            async with holding(database, moves):
                await other.write(lambda work: admits(run, work))
        else:
            async with holding(database, lambda work: admits(run, work)):
                await other.write(moves)
        assert await won(database) == "boston"
    finally:
        await other.close()


async def at_the_deadline(database: Database, clock: SettableClock, late: int) -> Proposal:
    """Ada has waited until the deadline, or a moment longer; what her timer proposes."""
    run = await prepared(database)
    (start,) = (await database.write(lambda work: admits(run, work))).starts
    clock.instant += DAY + late
    proposal = next_proposal(DRAWN.journey, ENTRANT, Record(0, start.entrant.place))
    assert proposal.exit == "timeout"
    return proposal


async def opened(database: Database, proposal: Proposal) -> Record:
    found = await database.write(lambda work: steps.open_step(work, proposal, AT_RISK))
    assert isinstance(found, Record)
    return found


async def left(database: Database) -> tuple[str, str]:
    step = select(schema.steps.c.left, schema.steps.c.left_exit).where(schema.steps.c.n == 1)
    row = await database.read(lambda c: c.execute(step).one())
    return row.left, row.left_exit


async def test_a_write_at_the_deadline_counts_although_the_timer_has_fired(database: Database, clock: SettableClock) -> None:
    timed_out = await at_the_deadline(database, clock, 0)
    (told,) = (await database.write(moves)).decided
    found = await opened(database, timed_out)
    assert found.node == "boston", "the store knows better than the timer"
    await opened(database, next_proposal(DRAWN.journey, ENTRANT, found, Happened(told.n, told.node, told.source, told.event)))
    assert await left(database) == ("boston", "next")


@pytest.mark.parametrize("write_first", [True, False])
async def test_a_write_a_moment_later_does_not(database: Database, clock: SettableClock, write_first: bool) -> None:
    timed_out = await at_the_deadline(database, clock, 1)
    both = [database.write(moves), opened(database, timed_out)]
    await asyncio.gather(*(both if write_first else reversed(both)))
    assert await left(database) == ("boston", "timeout")
    assert await database.read(lambda c: c.execute(select(schema.events.c.id)).all()) == []

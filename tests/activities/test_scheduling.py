"""A schedule that has fired: what is due is begun once, also when several ask at the same moment, or the server's clock is ahead."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from temporalio.testing import ActivityEnvironment

from activities.reading import Readings
from activities.scheduling import Occurrences, serve
from journey import ids
from journey.contract import Occurred, RunStart, ScheduleStart
from store import journeys, runs, schedules, schema
from store.database import Database
from store.work import Work
from tests import stock
from tests.activities.test_reading import Workflows as Starting
from tests.builders import DAY, START
from tests.fakes import FakeWorkflows, SettableClock

JOURNEY = "thank-you"


async def publish(database: Database, **entry: Any) -> int:
    """The use case is live, and read every day at nine; the instant of the first time."""
    document = stock.use_case_document(timezone="UTC")
    document["nodes"][0] |= {"schedule": {"kind": "daily", "at": "09:00"}} | entry

    def unit(work: Work) -> None:
        stock.surround(work)
        journeys.put_draft(work, JOURNEY, document)
        journeys.publish(work, JOURNEY, stock.PUBLIC_URL)

    await database.write(unit)
    upcoming = await database.read(lambda connection: schedules.upcoming(connection, JOURNEY))
    return upcoming[0].at


async def test_all_who_ask_at_one_moment_begin_one_run(database: Database, clock: SettableClock) -> None:
    workflows = FakeWorkflows()
    clock.instant = await publish(database)
    occurred = await asyncio.gather(*(serve(database, workflows, JOURNEY) for _ in range(5)))
    assert sorted(one.run for one in occurred) == ["", "", "", "", "thank-you.run.2025-06-16T09:00"]
    assert workflows.runs == ["thank-you.run.2025-06-16T09:00"]
    assert workflows.schedules[JOURNEY][0] == clock.instant + DAY


async def test_a_server_whose_clock_is_ahead_is_waited_for(durable: ActivityEnvironment, database: Database, clock: SettableClock) -> None:
    due = await publish(database)
    clock.instant = due - 50_000

    async def passes() -> None:
        await asyncio.sleep(0.01)
        clock.instant = due

    occurrences = Occurrences(database, FakeWorkflows())
    occurred, _ = await asyncio.gather(durable.run(occurrences.serve_occurrence, ScheduleStart(JOURNEY)), passes())
    assert occurred == Occurred("thank-you.run.2025-06-16T09:00", 0, "began thank-you.run.2025-06-16T09:00")


async def test_one_that_fires_for_a_journey_without_a_schedule_takes_itself_away(durable: ActivityEnvironment, database: Database) -> None:
    workflows = FakeWorkflows(schedules={"nobodys": (1,)})
    assert await durable.run(Occurrences(database, workflows).serve_occurrence, ScheduleStart("nobodys")) == Occurred(
        "", 0, "nothing was due"
    )
    assert workflows.schedules == {}


async def test_everybody_inside_is_told_before_a_forced_run_reads(
    durable: ActivityEnvironment, database: Database, clock: SettableClock
) -> None:
    workflows = Starting()
    await publish(database, force_reentry=True)
    await database.write(lambda work: [stock.entrant(work, f"c-{number}", run="") for number in range(3)])
    clock.instant = START + 10
    run = await database.write(lambda work: journeys.start_run(work, JOURNEY))

    async def they_end() -> None:
        while len(workflows.told) < 3:
            await asyncio.sleep(0.01)
        for entrant, _ in list(workflows.told):
            await database.write(partial(stock.end, entrant_id=entrant, reason="reentered"))

    pages, _ = await asyncio.gather(durable.run(Readings(database, workflows).read_pages, RunStart(run)), they_end())
    assert pages.done
    assert workflows.told == [(ids.entrant(JOURNEY, f"c-{number}", 1), "reentered") for number in range(3)]
    found = await database.read(lambda connection: runs.get(connection, run))
    assert (found.state, found.reentered) == ("done", 3)
    endings = await database.read(
        lambda connection: list(connection.execute(schema.entrants.select().with_only_columns(schema.entrants.c.ending)).scalars())
    )
    assert endings == ["reentered"] * 3

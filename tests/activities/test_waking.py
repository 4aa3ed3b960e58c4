"""Those whose version was succeeded are told page by page, and whoever is not told after all is looked after by the sweep."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.repairing import Repairs
from activities.telling import Tellings
from journey import ids
from journey.contract import SweepStart, Told, WakeStart
from journey.succession import Succession
from store import journeys, succeeding
from store.database import Database
from store.work import Work
from tests import stock
from tests.builders import MINUTE
from tests.fakes import FakeServer, FakeWorkflows, SettableClock

VERSION = "thank-you@1"
PEOPLE = [f"c-{number}" for number in range(5)]


@pytest.fixture
async def succeeded(database: Database) -> Database:
    """Five people wait for an open; a publish gives them half a day instead of one, three people a second."""
    document = stock.use_case_document()
    document["nodes"][0]["schedule"] = "manual"

    def unit(work: Work, *, people: str, after: str, rate: Any = None) -> tuple[str, ...]:
        document["nodes"][3]["timeout"]["after"] = after
        journeys.put_draft(work, "thank-you", document)
        return journeys.publish(work, "thank-you", stock.PUBLIC_URL, Succession(people=people, rate=rate)).succeeded

    await database.write(stock.surround)
    await database.write(lambda work: unit(work, people="finish", after="P1D"))
    await database.write(lambda work: [stock.entrant(work, key) for key in PEOPLE])
    assert await database.write(lambda work: unit(work, people="flow_in", after="PT12H", rate=3)) == (VERSION,)
    return database


async def test_a_page_is_told_and_the_next_one_waits_for_its_turn(succeeded: Database) -> None:
    workflows = FakeWorkflows()
    tellings = Tellings(succeeded, workflows)
    pages = [await ActivityEnvironment().run(tellings.wake_page, WakeStart(VERSION)) for _ in range(3)]
    assert pages == [Told(3, 1.0, False), Told(2, 2 / 3, True), Told(0, 0.0, True)]
    assert sorted(workflows.leaving) == [(ids.entrant("thank-you", key, 1), "") for key in PEOPLE], "each once, and without a reason"


async def test_who_was_to_be_told_when_a_worker_died_is_told_by_the_sweep(succeeded: Database, clock: SettableClock) -> None:
    workflows = FakeWorkflows()
    page = await succeeded.write(lambda work: succeeding.wake(work, VERSION))
    repairs = Repairs(succeeded, workflows, FakeServer())
    await ActivityEnvironment().run(repairs.sweep, SweepStart())
    assert (workflows.leaving, workflows.woken) == ([], [VERSION]), "the others are still to be woken"
    clock.instant += 2 * MINUTE
    await ActivityEnvironment().run(repairs.sweep, SweepStart())
    assert sorted(workflows.leaving) == [(entrant, "") for entrant in page.people]

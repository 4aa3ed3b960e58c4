"""A workflow walks a later version than the store has its person in, since an older database was restored: it is started again where that
says. What has only been moved a moment ago is no such thing."""

from __future__ import annotations

import pytest
from temporalio.testing import ActivityEnvironment

from activities.repairing import Repairs
from journey import ids
from journey.contract import ReconcilePage, Repaired, SweepStart
from journey.succession import Succession
from store import journeys, schema
from store.database import Database
from store.work import Work
from tests import stock
from tests.builders import DAY
from tests.fakes import FakeServer, FakeWorkflows, SettableClock
from workflows.standing import Standing

ADA = ids.entrant("thank-you", "ada", 1)


@pytest.fixture
async def waits(database: Database) -> Database:
    """Ada waits at the gate of the first version; what has led her there is on record."""
    document = stock.use_case_document()
    document["nodes"][0]["schedule"] = "manual"

    def unit(work: Work) -> None:
        journeys.put_draft(work, "thank-you", document)
        journeys.publish(work, "thank-you", stock.PUBLIC_URL, Succession())
        stock.entrant(work, "ada")
        work.connection.execute(schema.steps.insert(), {"entrant": ADA, "n": 1, "place": "push-opened+email-opened", "outcome": "next"})

    await database.write(stock.surround)
    await database.write(unit)
    return database


async def compared(database: Database, workflows: FakeWorkflows, server: FakeServer, *, wake: bool = False) -> Repaired:
    repairs = Repairs(database, workflows, server)
    return (await ActivityEnvironment().run(repairs.reconcile_page, ReconcilePage(wake=wake))).repaired


@pytest.mark.parametrize("wake", [False, True])
async def test_who_walks_a_version_that_this_store_has_not_moved_them_to_is_started_again_where_it_has_them(
    waits: Database, wake: bool
) -> None:
    workflows = FakeWorkflows()
    found = await compared(waits, workflows, FakeServer(version="thank-you@2"), wake=wake)
    assert (found.checked, found.started, found.told) == (1, 1, 0)
    (start, _) = workflows.started[0]
    assert (start.version, start.n, start.place) == ("thank-you@1", 1, "push-opened+email-opened")
    assert (workflows.instead, workflows.leaving) == ([ADA], []), "in place of one that runs and could not even ask"


async def test_a_sweep_sees_it_too_of_whoever_is_overdue(waits: Database, clock: SettableClock) -> None:
    clock.instant += 2 * DAY
    workflows = FakeWorkflows()
    repairs = Repairs(waits, workflows, FakeServer(version="thank-you@2"))
    assert (await ActivityEnvironment().run(repairs.sweep, SweepStart())).started == 1
    assert workflows.instead == [ADA]


@pytest.mark.parametrize("version", ["thank-you@1", "", "other@2", "thank-you@t2"])
async def test_a_workflow_in_the_same_version_or_in_none_that_is_known_is_left_alone(waits: Database, version: str) -> None:
    workflows = FakeWorkflows()
    assert (await compared(waits, workflows, FakeServer(version=version))).started == 0
    assert workflows.started == []


async def test_who_is_moved_while_they_are_asked_about_is_left_alone(waits: Database) -> None:
    class Moving(FakeServer):
        async def standing(self, workflow: str) -> Standing:
            moved = schema.entrants.update().values(version="thank-you@2")
            await waits.write(lambda work: work.connection.execute(moved))
            return await super().standing(workflow)

    document = stock.use_case_document()
    document["nodes"][0]["schedule"] = "manual"
    document["nodes"][3]["timeout"]["after"] = "PT12H"

    def again(work: Work) -> None:
        journeys.put_draft(work, "thank-you", document)
        journeys.publish(work, "thank-you", stock.PUBLIC_URL, Succession())

    await waits.write(again)
    workflows = FakeWorkflows()
    found = await compared(waits, workflows, Moving(version="thank-you@2"))
    assert (found.checked, found.started, workflows.started) == (1, 0, [])

"""Who is owed a signal: those whose gate is decided, who wait for nothing else, and whom nobody told in time."""

from __future__ import annotations

from typing import Any

from journey.contract import Happened
from store import journeys, overdue
from store.database import Database
from store.work import Work
from tests import stock
from tests.fakes import SettableClock


async def test_somebody_decided_and_not_gone_on_in_time_is_owed_a_signal(database: Database, clock: SettableClock) -> None:
    clock.instant = 1_000

    def people(work: Work) -> None:
        decided: dict[str, Any] = {"waiting": False, "won_node": "email-opened", "won_source": "sojourn", "won_event": "e-1"}
        stock.entrant(work, "told-in-time", **decided, due=5_000)
        stock.entrant(work, "overdue", **decided, due=1_500)
        stock.entrant(work, "waits", due=1_500)
        stock.entrant(work, "sends", **decided, closed=False, due=1_500)
        stock.end(work, stock.entrant(work, "ended", **decided, due=1_500))

    await database.write(people)

    owed = await database.read(lambda connection: overdue.untold(connection, 2_000))
    assert owed == [("thank-you~overdue~1", Happened(1, "email-opened", "sojourn", "e-1"))]


async def test_somebody_told_to_end_whose_version_was_stopped_is_told_again(database: Database) -> None:
    def people(work: Work) -> None:
        stock.put_use_case(work)
        journeys.publish(work, "thank-you", stock.PUBLIC_URL)
        stock.entrant(work, "told", ending="journey_stopped")
        stock.entrant(work, "not-yet-told")

    await database.write(people)
    assert await database.read(overdue.must_leave) == []
    await database.write(lambda work: journeys.stop(work, "thank-you"))

    assert await database.read(overdue.must_leave) == [("thank-you~told~1", "journey_stopped")]


async def test_whoever_is_overdue_is_found_by_an_index(database: Database) -> None:
    plan = await database.read(
        lambda connection: connection.exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT id FROM entrants WHERE entrants.state = 'open' AND due < 5 AND won_node != '' AND closed"
        ).all()
    )
    assert "entrants_due" in str(plan)

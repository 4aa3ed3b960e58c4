"""Journeys on a schedule over HTTP: what is due next, what the server is told, and what was missed."""

from __future__ import annotations

from typing import Any

from httpx import AsyncClient

from activities import scheduling
from store.database import Database
from tests import stock
from tests.builders import HOUR
from tests.fakes import FakeWorkflows, SettableClock

JOURNEY = "/v1/journeys/thank-you"
DAILY = {"kind": "daily", "at": "09:00"}


async def published(api: AsyncClient, database: Database, schedule: Any = DAILY, **changed: Any) -> dict[str, Any]:
    document = stock.use_case_document(timezone="Europe/Berlin", **changed)
    document["nodes"][0]["schedule"] = schedule
    await database.write(stock.surround)
    assert (await api.put(JOURNEY, json=document)).status_code == 200
    answer = await api.post(f"{JOURNEY}:publish")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_publish_says_when_people_will_be_let_in_and_tells_the_server(
    api: AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    body = await published(api, database)
    assert (body["run"], body["note"]) == (None, "")
    assert body["schedule"]["says"] == "every day at 09:00"
    assert body["schedule"]["next"][0] == {"local": "2026-03-02T09:00", "at": "2026-03-02T08:00:00Z"}
    assert len(body["schedule"]["next"]) == 5
    assert {name: len(instants) for name, instants in workflows.schedules.items()} == {"thank-you": 10}
    assert (await api.get(f"{JOURNEY}/report")).json()["schedule"] == body["schedule"]
    assert workflows.runs == []


async def test_closed_it_has_none_any_more(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await published(api, database)
    assert (await api.post(f"{JOURNEY}:close")).status_code == 200
    assert workflows.schedules == {}
    assert (await api.get(f"{JOURNEY}/report")).json()["schedule"] is None


async def test_published_without_a_schedule_the_former_one_goes(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await published(api, database)
    assert (await published(api, database, "manual"))["schedule"] is None
    assert workflows.schedules == {}


async def test_stopped_while_the_server_is_away_it_is_stopped_all_the_same(
    api: AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    await published(api, database)
    workflows.up = False
    assert (await api.post(f"{JOURNEY}:stop")).status_code == 200
    workflows.up = True
    assert list(workflows.schedules) == ["thank-you"]
    await scheduling.tell_server_all(database, workflows)
    assert workflows.schedules == {}


async def test_a_schedule_that_the_server_could_not_be_told_of_is_told_later(
    api: AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    workflows.lost = True
    assert (await published(api, database))["note"] == "The Temporal server is told of the schedule when it can be reached again."
    workflows.lost = False
    await scheduling.tell_server_all(database, workflows)
    assert list(workflows.schedules) == ["thank-you"]


async def test_one_whose_times_are_past_cannot_be_published(api: AsyncClient, database: Database) -> None:
    document = stock.use_case_document()
    document["nodes"][0]["schedule"] = {"kind": "once", "at": "2026-02-28T09:00"}
    await database.write(stock.surround)
    await api.put(JOURNEY, json=document)
    judged = (await api.post(f"{JOURNEY}:validate")).json()
    assert [one["code"] for one in judged["findings"] if one["grade"] == "error"] == ["schedule_past"]
    refused = await api.post(f"{JOURNEY}:publish")
    assert (refused.status_code, refused.json()["code"]) == (409, "journey_invalid")


async def test_runs_are_listed_with_their_occurrence_and_why_they_were_missed(
    api: AsyncClient, database: Database, workflows: FakeWorkflows, clock: SettableClock
) -> None:
    first, second, third = [moment(one) for one in (await published(api, database))["schedule"]["next"][:3]]
    clock.instant = first + 2 * HOUR
    await scheduling.serve_all(database, workflows)
    clock.instant = second
    await scheduling.serve_all(database, workflows)
    await scheduling.serve_all(database, workflows)
    assert workflows.runs == ["thank-you.run.2026-03-03T09:00"]
    assert workflows.schedules["thank-you"][0] == third
    items = (await api.get(f"{JOURNEY}/runs")).json()["items"]
    assert [(item["occurrence"], item["state"], item["reason"], item["due_at"]) for item in items] == [
        ("2026-03-03T09:00", "reading", "", "2026-03-03T08:00:00Z"),
        ("2026-03-02T09:00", "missed", "too_late", "2026-03-02T08:00:00Z"),
    ]
    one = await api.get(f"{JOURNEY}/runs/thank-you.run.2026-03-03T09:00")
    assert one.json() == items[0]


def moment(occurrence: dict[str, str]) -> int:
    """9 in Berlin is 8 in UTC, in March 2026 until the 29th."""
    day = int(occurrence["local"][8:10])
    return 1_772_366_400_000_000 + (day - 1) * 24 * HOUR - 4 * HOUR

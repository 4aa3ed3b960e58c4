"""Moves of a journey over HTTP, the removal of one person, and copies, on a real database; the way to the workflows is the fake."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from store import schema
from store.database import Database
from tests import stock
from tests.builders import DAY
from tests.fakes import FakeWorkflows, SettableClock

JOURNEY = "/v1/journeys/thank-you"
VERSION = "thank-you@1"


async def published(api: AsyncClient, database: Database, **changed: Any) -> None:
    await database.write(stock.surround)
    assert (await api.put(JOURNEY, json=stock.use_case_document(**changed))).is_success
    answer = await api.post(f"{JOURNEY}:publish")
    assert answer.status_code == 200, answer.text


async def version(api: AsyncClient) -> dict[str, Any]:
    items: list[dict[str, Any]] = (await api.get(f"{JOURNEY}/versions")).json()["items"]
    return items[0]


async def test_a_pause_holds_for_14_days_when_nothing_is_said(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await published(api, database)
    paused = await api.post(f"{JOURNEY}:pause")
    assert (paused.status_code, paused.json()["versions"], paused.json()["note"]) == (200, [VERSION], "")
    shown = await version(api)
    assert (shown["state"], shown["pause"], shown["pause_until"]) == ("paused", "hold", paused.json()["until"])
    assert (await api.get("/v1/journeys")).json()["items"][0]["state"] == "paused"
    assert (await api.get(f"{JOURNEY}/runs")).json()["items"][0]["state"] == "paused"
    assert workflows.released == []


async def test_resumed_runs_read_on_and_those_held_are_let_go_on(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await published(api, database)
    await database.write(lambda work: stock.entrant(work, held="follow-up"))
    await api.post(f"{JOURNEY}:pause", json={"what": "hold", "for": "PT1H"})
    report = (await api.get(f"{JOURNEY}/report")).json()
    assert (report["totals"]["held"], {one["node"]: one["held"] for one in report["nodes"]}["follow-up"]) == (1, 1)
    resumed = await api.post(f"{JOURNEY}:resume", json={"rate": 5})
    assert resumed.json() == {
        "versions": {VERSION: "live"}, "runs": ["thank-you.run.1"], "held": 1, "rate": 5, "note": "",
    }  # fmt: skip
    assert workflows.released == [VERSION]
    assert workflows.runs == ["thank-you.run.1", "thank-you.run.1"]
    shown = await version(api)
    assert (shown["state"], shown["pause"], shown["pause_until"]) == ("live", "", None)


async def shorter(api: AsyncClient) -> None:
    """The draft gives half a day instead of one."""
    document = stock.use_case_document()
    document["nodes"][3]["timeout"]["after"] = "PT12H"
    assert (await api.put(JOURNEY, json=document)).is_success


async def test_those_who_wait_for_something_else_are_woken_at_a_publish_and_again_after_a_pause(
    api: AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    await published(api, database)
    await database.write(stock.entrant)
    await shorter(api)
    answer = (await api.post(f"{JOURNEY}:publish", json={"people": "flow_in"})).json()
    assert (answer["succeeded"], answer["note"], workflows.woken) == ([VERSION], "", [VERSION])
    assert (await version(api))["successor"] == "thank-you@2"
    await api.post(f"{JOURNEY}:pause")
    assert (await api.post(f"{JOURNEY}:resume")).json()["note"] == ""
    assert workflows.woken == [VERSION, VERSION]


async def test_where_temporal_goes_away_in_the_middle_of_a_publish_a_note_says_that_people_are_woken_later(
    api: AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    await published(api, database)
    await database.write(stock.entrant)
    await shorter(api)
    workflows.lost = True
    answer = await api.post(f"{JOURNEY}:publish", json={"people": "flow_in"})
    assert answer.status_code == 200
    assert answer.json()["note"].endswith("hear of it when the Temporal server can be reached again.")


async def test_while_temporal_is_away_journeys_are_paused_and_resumed_and_a_note_says_what_comes_later(
    api: AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    await published(api, database)
    await database.write(lambda work: stock.entrant(work, held="follow-up"))
    workflows.up = False
    assert (await api.post(f"{JOURNEY}:pause")).json()["note"] == ""
    resumed = (await api.post(f"{JOURNEY}:resume")).json()
    assert "thank-you.run.1 is kept" in resumed["note"]
    assert "Those who are held go on when the Temporal server can be reached again." in resumed["note"]


async def test_what_a_pause_may_not_be_is_refused(api: AsyncClient, database: Database) -> None:
    await published(api, database)
    wrong: tuple[Any, ...] = ({"for": "P15D"}, {"for": "soon"}, {"what": "throw"}, {"until": "P1D"}, {"for": 5}, [])
    for body in wrong:
        refused = await api.post(f"{JOURNEY}:pause", json=body)
        assert refused.status_code == 422, body
    assert (await api.post(f"{JOURNEY}:pause", json={"for": "P15D"})).json()["code"] == "duration_invalid"
    assert (await api.post(f"{JOURNEY}:resume", json={"rate": 0})).status_code == 422
    assert (await version(api))["state"] == "live"
    assert (await api.post("/v1/journeys/unknown:pause")).status_code == 404
    refused = await api.post(f"{JOURNEY}:resume")
    assert (refused.status_code, refused.json()["code"]) == (409, "state")
    await api.post(f"{JOURNEY}:pause")
    refused = await api.post(f"{JOURNEY}:pause")
    assert (refused.status_code, refused.json()["detail"]) == (409, "thank-you is paused already.")
    refused = await api.post(f"{JOURNEY}/runs", json={"profiles": ["ada"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "paused")


async def test_every_move_is_listed_with_when_it_was(api: AsyncClient, database: Database, clock: SettableClock) -> None:
    await published(api, database)
    await api.post(f"{JOURNEY}:pause")
    await api.post(f"{JOURNEY}:resume")
    await api.post(f"{JOURNEY}:stop")
    first = (await api.get(f"{JOURNEY}/moves", params={"limit": 3})).json()
    rest = (await api.get(f"{JOURNEY}/moves", params={"limit": 3, "cursor": first["next"]})).json()
    assert [(one["act"], one["before"], one["after"]) for one in first["items"] + rest["items"]] == [
        ("stop", "live", "stopped"), ("resume", "paused", "live"), ("pause", "live", "paused"), ("publish", "draft", "live"),
    ]  # fmt: skip
    assert first["items"][0]["at"].endswith("Z")
    assert (await api.get("/v1/journeys/unknown/moves")).status_code == 404


async def test_published_during_a_pause_the_new_version_lets_in_and_the_old_one_stays_paused(api: AsyncClient, database: Database) -> None:
    await published(api, database)
    await database.write(lambda work: stock.entrant(work))
    await api.post(f"{JOURNEY}:pause")
    assert (await api.post(f"{JOURNEY}:publish")).json()["code"] == "unchanged"
    await api.put(JOURNEY, json=stock.use_case_document(name="Mended"))
    answer = (await api.post(f"{JOURNEY}:publish")).json()
    assert (answer["version"], answer["closed"]) == ("thank-you@2", VERSION)
    states = {one["id"]: one["state"] for one in (await api.get(f"{JOURNEY}/versions")).json()["items"]}
    assert states == {VERSION: "paused", "thank-you@2": "live"}
    assert (await api.post(f"{JOURNEY}:resume")).json()["versions"] == {VERSION: "closed"}


# ---- dates -----------------------------------------------------------------------------------------------------------------------


async def test_published_before_its_start_its_run_waits(
    api: AsyncClient, database: Database, workflows: FakeWorkflows, clock: SettableClock
) -> None:
    clock.instant = 1_795_000_000_000_000  # 18 November 2026
    await published(api, database, start="2026-12-01T09:00", end="2026-12-24")
    assert workflows.runs == []
    run = (await api.get(f"{JOURNEY}/runs")).json()["items"][0]
    assert (run["state"], run["cutoff"]) == ("waiting", "2026-12-01T14:00:00Z")
    shown = await version(api)
    assert (shown["starts_at"], shown["ends_at"]) == ("2026-12-01T14:00:00Z", "2026-12-24T05:00:00Z")
    refused = await api.post(f"{JOURNEY}/runs", json={"profiles": ["ada"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_started")
    assert "before 2026-12-01 14:00 UTC" in refused.json()["detail"]


async def test_a_journey_whose_end_is_past_is_not_published(api: AsyncClient, database: Database, clock: SettableClock) -> None:
    clock.instant = 1_795_000_000_000_000
    await database.write(stock.surround)
    await api.put(JOURNEY, json=stock.use_case_document(end="2026-11-01"))
    refused = await api.post(f"{JOURNEY}:publish")
    assert (refused.status_code, refused.json()["code"]) == (409, "journey_invalid")
    assert ("end_past", "end") in [(one["code"], one["field"]) for one in refused.json()["findings"]]
    assert (await api.get(f"{JOURNEY}/versions")).json() == {"items": []}


async def test_past_its_end_nobody_is_let_in_even_before_anybody_has_seen_to_it(
    api: AsyncClient, database: Database, clock: SettableClock
) -> None:
    clock.instant = 1_795_000_000_000_000
    await published(api, database, end="2026-12-01")
    clock.instant += 14 * DAY
    refused = await api.post(f"{JOURNEY}/runs", json={"profiles": ["ada"]})
    assert (refused.status_code, refused.json()["code"]) == (409, "journey_ended")


# ---- one person ------------------------------------------------------------------------------------------------------------------


@pytest.mark.complaint(11)
async def test_somebody_is_taken_out_and_it_may_be_repeated(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await published(api, database)
    entrant = await database.write(lambda work: stock.entrant(work))
    address = f"/v1/entrants/{entrant}:remove"
    for _ in range(2):
        assert (await api.post(address)).json() == {"id": entrant, "state": "open", "end_reason": "removed"}
    assert workflows.leaving == [(entrant, "removed")] * 2
    await database.write(lambda work: stock.end(work, entrant, "removed"))
    assert (await api.post(address)).json() == {"id": entrant, "state": "ended", "end_reason": "removed"}
    assert len(workflows.leaving) == 2
    assert (await api.post("/v1/entrants/thank-you~nobody~1:remove")).status_code == 404


async def test_whoever_is_held_is_listed_by_the_node(api: AsyncClient, database: Database) -> None:
    await published(api, database)
    entrant = await database.write(lambda work: stock.entrant(work, held="follow-up"))
    await database.write(lambda work: stock.entrant(work, key="c-43"))
    items = (await api.get("/v1/entrants", params={"held": "follow-up"})).json()["items"]
    assert [(one["id"], one["held"], one["waiting"]) for one in items] == [(entrant, "follow-up", False)]
    assert (await api.get(f"/v1/entrants/{entrant}")).json()["waiting"] is None


# ---- copies ----------------------------------------------------------------------------------------------------------------------


async def test_a_journey_is_copied_from_its_draft_under_the_next_free_id(api: AsyncClient, database: Database) -> None:
    await published(api, database)
    await api.put(JOURNEY, json=stock.use_case_document(name="Draft"))
    first = await api.post(f"{JOURNEY}:duplicate")
    assert (first.status_code, first.json(), first.headers["Location"]) == (
        201, {"id": "thank-you-copy", "of": "draft"}, "/v1/journeys/thank-you-copy",
    )  # fmt: skip
    assert (await api.post(f"{JOURNEY}:duplicate")).json()["id"] == "thank-you-copy-2"
    copy = (await api.get("/v1/journeys/thank-you-copy")).json()
    assert copy == stock.use_case_document(id="thank-you-copy", name="Draft (copy)")
    assert (await api.get("/v1/journeys/thank-you-copy/versions")).json() == {"items": []}
    listed = {one["id"]: one["state"] for one in (await api.get("/v1/journeys")).json()["items"]}
    assert listed == {"thank-you": "live", "thank-you-copy": "draft", "thank-you-copy-2": "draft"}


async def test_without_a_draft_the_newest_version_is_copied_and_can_be_published(api: AsyncClient, database: Database) -> None:
    await published(api, database)
    await api.post(f"{JOURNEY}:stop")
    await api.delete(JOURNEY)
    assert (await api.post(f"{JOURNEY}:duplicate", json={"id": "again"})).json() == {"id": "again", "of": VERSION}
    answer = await api.post("/v1/journeys/again:publish")
    assert answer.json()["version"] == "again@1"
    versions = [(await api.get(f"/v1/journeys/{name}/versions/1")).json() for name in ("thank-you", "again")]
    assert versions[0]["journey"]["nodes"] == versions[1]["journey"]["nodes"]


async def test_a_copy_replaces_nothing(api: AsyncClient, database: Database) -> None:
    await published(api, database)
    refused = await api.post(f"{JOURNEY}:duplicate", json={"id": "thank-you"})
    assert (refused.status_code, refused.json()["code"]) == (409, "id_taken")
    assert (await api.post(f"{JOURNEY}:duplicate", json={"id": "No Id"})).status_code == 422
    assert (await api.post("/v1/journeys/unknown:duplicate")).status_code == 404
    long = "a" * 63
    await api.put(f"/v1/journeys/{long}", json={})
    assert (await api.post(f"/v1/journeys/{long}:duplicate")).json()["id"] == "a" * 58 + "-copy"


async def test_a_stopped_journey_keeps_nothing_of_its_pause(api: AsyncClient, database: Database) -> None:
    await published(api, database)
    await api.post(f"{JOURNEY}:pause")
    await api.post(f"{JOURNEY}:stop")
    shown = await version(api)
    assert (shown["state"], shown["pause"], shown["pause_until"]) == ("stopped", "", None)
    assert [row.state for row in await database.read(lambda c: c.execute(schema.runs.select()).all())] == ["stopped"]

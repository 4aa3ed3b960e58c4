"""Journeys over HTTP, on a real database; the way to the workflows is the fake that writes down what was asked."""

from __future__ import annotations

import asyncio

import pytest
from httpx import AsyncClient

from store import finishing, runs
from store.database import Database
from store.work import CounterKey
from tests import stock
from tests.fakes import FakeWorkflows

JOURNEY = "/v1/journeys/thank-you"


async def put_use_case(api: AsyncClient, database: Database, **changed: object) -> str:
    """Everything that the use case names, and its draft by the API; returns the ETag."""
    await database.write(stock.surround)
    answer = await api.put(JOURNEY, json=stock.use_case_document(**changed))
    assert answer.status_code == 200, answer.text
    return answer.headers["ETag"]


# ---- the draft ------------------------------------------------------------------------------------------------------------------


@pytest.mark.complaint(22)
async def test_a_draft_comes_back_as_it_was_put_with_its_etag(api: AsyncClient, database: Database) -> None:
    etag = await put_use_case(api, database)
    got = await api.get(JOURNEY)
    assert (got.status_code, got.json(), got.headers["ETag"]) == (200, stock.use_case_document(), etag)
    assert etag.startswith('"')
    assert etag.endswith('"')


async def test_the_address_gives_the_id_and_the_body_may_not_give_another(api: AsyncClient) -> None:
    put = await api.put("/v1/journeys/hello", json={"nodes": []})
    assert (put.status_code, put.json()) == (200, {"id": "hello", "nodes": []})
    other = await api.put("/v1/journeys/hello", json={"id": "bye"})
    assert (other.status_code, other.json()["where"]) == (422, "id")


@pytest.mark.complaint(22)
async def test_who_read_an_older_draft_is_told_so_and_changes_nothing(api: AsyncClient, database: Database) -> None:
    old = await put_use_case(api, database)
    new = (await api.put(JOURNEY, json=stock.use_case_document(name="theirs"), headers={"If-Match": old})).headers["ETag"]
    mine = await api.put(JOURNEY, json=stock.use_case_document(name="mine"), headers={"If-Match": old})
    assert (mine.status_code, mine.json()["code"]) == (412, "stale")
    assert mine.headers["content-type"] == "application/problem+json"
    assert (await api.delete(JOURNEY, headers={"If-Match": old})).status_code == 412
    assert (await api.get(JOURNEY)).headers["ETag"] == new
    weakened = await api.put(JOURNEY, json=stock.use_case_document(name="mine"), headers={"If-Match": f"W/{new}"})
    assert weakened.status_code == 200
    assert (await api.put(JOURNEY, json=stock.use_case_document())).status_code == 200


async def test_a_draft_may_be_unfinished_but_not_misshapen(api: AsyncClient) -> None:
    assert (await api.put("/v1/journeys/a", json={"nodes": [{"id": "x", "kind": "message"}]})).status_code == 200
    for nodes, where in (
        ([{"id": "x", "kind": "message", "mesage": "hi"}], "nodes[0].mesage"),
        ([{"id": "x", "kind": "massage"}], "nodes[0]"),
        ([{"id": "x", "kind": "reaction", "timeout": {"after": 5}}], "nodes[0].timeout.after"),
        ("none", "nodes"),
    ):
        refused = await api.put("/v1/journeys/a", json={"nodes": nodes})
        assert (refused.status_code, refused.json()["where"].startswith(where)) == (422, True), refused.text
    assert (await api.put("/v1/journeys/a", json=["a"])).status_code == 422


async def test_a_deleted_draft_is_gone_and_its_journey_with_it(api: AsyncClient, database: Database) -> None:
    await put_use_case(api, database)
    assert (await api.delete(JOURNEY)).status_code == 204
    for call in (api.get(JOURNEY), api.delete(JOURNEY), api.post(f"{JOURNEY}:publish"), api.get(f"{JOURNEY}/versions")):
        gone = await call
        assert (gone.status_code, gone.json()["detail"]) == (404, "There is no journey thank-you.")


async def test_journeys_are_listed_with_their_state(api: AsyncClient, database: Database) -> None:
    await put_use_case(api, database)
    await api.post(f"{JOURNEY}:publish")
    await api.put("/v1/journeys/another", json={"name": "Another"})
    first = (await api.get("/v1/journeys", params={"limit": 1})).json()
    rest = (await api.get("/v1/journeys", params={"limit": 5, "cursor": first["next"]})).json()
    assert rest["next"] is None
    shown = [(one["id"], one["name"], one["draft"], one["live"], one["state"]) for one in first["items"] + rest["items"]]
    assert shown == [
        ("another", "Another", True, None, "draft"),
        ("thank-you", "Thank customers in three cities", True, 1, "live"),
    ]
    assert (await api.get("/v1/journeys", params={"cursor": "garbage"})).status_code == 422
    assert (await api.get("/v1/journeys", params={"limit": 100000})).status_code == 422


# ---- validate and publish -------------------------------------------------------------------------------------------------------


async def test_validate_says_what_is_wrong_and_changes_nothing(api: AsyncClient, database: Database) -> None:
    await put_use_case(api, database)
    fine = (await api.post(f"{JOURNEY}:validate")).json()
    assert (fine["valid"], [one for one in fine["findings"] if one["grade"] == "error"]) == (True, [])
    await api.put(JOURNEY, json={"namespace": "customer_id", "nodes": [{"id": "read", "kind": "read_segment"}]})
    wrong = await api.post(f"{JOURNEY}:validate")
    assert (wrong.status_code, wrong.json()["valid"]) == (200, False)
    finding = next(one for one in wrong.json()["findings"] if one["code"] == "field_missing")
    assert (finding["grade"], finding["node"], finding["field"]) == ("error", "read", "segment")
    assert finding["sentence"]
    assert (await api.get(f"{JOURNEY}/versions")).json() == {"items": []}


async def test_publish_lets_people_in_and_starts_the_run(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await put_use_case(api, database)
    published = await api.post(f"{JOURNEY}:publish")
    assert published.status_code == 200
    body = published.json()
    assert (body["version"], body["number"], body["run"], body["closed"], body["note"]) == (
        "thank-you@1", 1, "thank-you.run.1", None, "",
    )  # fmt: skip
    assert workflows.runs == ["thank-you.run.1"]
    version = (await api.get(f"{JOURNEY}/versions/1")).json()
    assert (version["state"], version["journey"]["id"], list(version["events"])) == ("live", "thank-you", ["purchase"])
    assert version["published_at"].endswith("Z")
    assert (await api.get(f"{JOURNEY}/versions/2")).status_code == 404


async def test_an_invalid_journey_is_a_conflict_with_every_finding(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await put_use_case(api, database, nodes=[{"id": "read", "kind": "read_segment", "next": "gone"}, {"id": "hi", "kind": "message"}])
    refused = await api.post(f"{JOURNEY}:publish")
    assert (refused.status_code, refused.json()["code"]) == (409, "journey_invalid")
    found = {(one["code"], one["grade"], one["node"]) for one in refused.json()["findings"]}
    assert {("unknown_node", "error", "read"), ("field_missing", "error", "hi")} <= found
    assert all(one["sentence"] for one in refused.json()["findings"])
    assert workflows.runs == []


async def test_publishing_the_same_again_is_a_conflict_that_names_the_version(api: AsyncClient, database: Database) -> None:
    await put_use_case(api, database)
    await api.post(f"{JOURNEY}:publish")
    again = await api.post(f"{JOURNEY}:publish")
    assert (again.status_code, again.json()["code"]) == (409, "unchanged")
    assert "thank-you@1" in again.json()["detail"]


async def test_without_temporal_nothing_is_published_and_no_run_written(
    api: AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    await put_use_case(api, database)
    workflows.up = False
    for call in (f"{JOURNEY}:publish", f"{JOURNEY}/runs"):
        away = await api.post(call)
        assert (away.status_code, away.json()["code"]) == (503, "unavailable")
        assert away.headers["Retry-After"]
    assert (await api.get(f"{JOURNEY}/versions")).json() == {"items": []}
    assert await database.read(runs.reading) == []


async def test_a_run_that_could_not_be_started_after_the_commit_is_kept(
    api: AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    await put_use_case(api, database)
    workflows.lost = True
    published = await api.post(f"{JOURNEY}:publish")
    assert (published.status_code, published.json()["run"]) == (200, "thank-you.run.1")
    assert "starts when the Temporal server can be reached again" in published.json()["note"]
    listed = await api.post(f"{JOURNEY}/runs", json={"profiles": ["a"]})
    assert (listed.status_code, bool(listed.json()["note"])) == (201, True)
    assert await database.read(runs.reading) == ["thank-you.run.1", "thank-you.run.2"]


# ---- close and stop -------------------------------------------------------------------------------------------------------------


async def test_of_two_writers_who_read_the_same_draft_one_wins(api: AsyncClient, database: Database) -> None:
    etag = await put_use_case(api, database)
    puts = [api.put(JOURNEY, json=stock.use_case_document(name=name), headers={"If-Match": etag}) for name in ("one", "two", "three")]
    assert sorted(answer.status_code for answer in await asyncio.gather(*puts)) == [200, 412, 412]


async def test_of_two_publishes_at_once_one_makes_the_version(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await put_use_case(api, database)
    answers = await asyncio.gather(*(api.post(f"{JOURNEY}:publish") for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
    assert workflows.runs == ["thank-you.run.1"]


async def test_closing_keeps_people_walking_and_the_last_one_out_finishes(api: AsyncClient, database: Database) -> None:
    await put_use_case(api, database)
    await api.post(f"{JOURNEY}:publish")
    entrant = await database.write(stock.entrant)
    assert (await api.post(f"{JOURNEY}:close")).json() == {"version": "thank-you@1", "state": "closed"}
    assert (await api.post(f"{JOURNEY}:close")).status_code == 409
    await database.write(lambda work: stock.end(work, entrant))
    await database.write(lambda work: finishing.finish_if_empty(work, "thank-you@1"))
    assert (await api.get(f"{JOURNEY}/versions")).json()["items"][0]["state"] == "finished"


async def test_stopping_winds_down_every_version_with_people(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await put_use_case(api, database)
    await api.post(f"{JOURNEY}:publish")
    await database.write(stock.entrant)
    await put_use_case(api, database, name="Second")
    await api.post(f"{JOURNEY}:publish")
    stopped = await api.post(f"{JOURNEY}:stop")
    assert (stopped.status_code, stopped.json()) == (200, {"versions": ["thank-you@1", "thank-you@2"], "note": ""})
    assert workflows.winding_down == [("thank-you@1", "journey_stopped"), ("thank-you@2", "journey_stopped")]
    assert (await api.post(f"{JOURNEY}:stop")).json()["code"] == "state"


async def test_stopping_needs_no_temporal(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await put_use_case(api, database)
    await api.post(f"{JOURNEY}:publish")
    workflows.up = False
    stopped = await api.post(f"{JOURNEY}:stop")
    assert (stopped.status_code, stopped.json()["versions"]) == (200, ["thank-you@1"])
    assert "can be reached again" in stopped.json()["note"]


async def test_what_is_not_a_call_is_none(api: AsyncClient, database: Database) -> None:
    await put_use_case(api, database)
    assert (await api.post(f"{JOURNEY}:freeze")).status_code == 405
    assert (await api.get(f"{JOURNEY}:publish")).status_code in {404, 405, 422}
    assert (await api.post("/v1/journeys/unknown:publish")).status_code == 404


async def test_nothing_is_told_without_the_key(api: AsyncClient, database: Database) -> None:
    await put_use_case(api, database)
    calls = (JOURNEY, "/v1/journeys", f"{JOURNEY}/report", f"{JOURNEY}/runs", "/v1/entrants", "/v1/deliveries", "/v1/discards")
    for call in calls:
        assert (await api.get(call, headers={"Authorization": "Bearer wrong"})).status_code == 401


# ---- diagram and report ---------------------------------------------------------------------------------------------------------


async def test_the_diagram_shows_the_draft_then_the_version_with_its_numbers(api: AsyncClient, database: Database) -> None:
    await put_use_case(api, database)
    draft = await api.get(f"{JOURNEY}/diagram")
    assert (draft.status_code, draft.headers["content-type"]) == (200, "image/svg+xml")
    assert "<svg" in draft.text
    assert "4,711" not in draft.text
    await api.post(f"{JOURNEY}:publish")
    await database.write(lambda work: work.counted.update({counter("read", "arrived"): 4711}))
    live = await api.get(f"{JOURNEY}/diagram")
    assert "4711" in live.text.replace(",", "").replace("\u202f", "")
    mermaid = await api.get(f"{JOURNEY}/diagram", params={"format": "mermaid", "version": "1"})
    assert mermaid.headers["content-type"].startswith("text/plain")
    assert "flowchart" in mermaid.text
    assert (await api.get(f"{JOURNEY}/diagram", params={"version": "draft"})).status_code == 200
    assert (await api.get(f"{JOURNEY}/diagram", params={"version": "7"})).status_code == 404
    assert (await api.get(f"{JOURNEY}/diagram", params={"format": "png"})).status_code == 422
    assert (await api.get("/v1/journeys/unknown/diagram")).status_code == 404


async def test_the_report_is_of_the_live_version_or_of_another(api: AsyncClient, database: Database) -> None:
    await put_use_case(api, database)
    assert (await api.get(f"{JOURNEY}/report")).status_code == 404
    await api.post(f"{JOURNEY}:publish")
    await database.write(lambda work: work.counted.update({counter("read", kind): 2 for kind in ("entered", "arrived", "left.next")}))
    await put_use_case(api, database, name="Second")
    await api.post(f"{JOURNEY}:publish")
    newest = (await api.get(f"{JOURNEY}/report")).json()
    assert (newest["journey"], newest["version"]["number"], newest["totals"]["entered"]) == ("thank-you", 2, 0)
    assert [(one["number"], one["state"]) for one in newest["versions"]] == [(1, "finished"), (2, "live")]
    first = (await api.get(f"{JOURNEY}/report", params={"version": 1})).json()
    assert first["totals"] == {
        "entered": 2, "inside": 2, "finished": 0, "ended": {}, "excluded": {}, "discards": {}, "held": 0, "channels": {},
        "moved_in": 0, "moved_out": 0,
    }  # fmt: skip
    assert (first["nodes"][0]["node"], first["nodes"][0]["left"], first["nodes"][0]["inside"]) == ("read", {"next": 2}, 0)
    assert first["differences"] == []
    assert (await api.get(f"{JOURNEY}/report", params={"version": 3})).status_code == 404


def counter(node: str, kind: str) -> CounterKey:
    return CounterKey("thank-you@1", "live", node, kind)


async def test_who_puts_a_draft_only_where_there_is_none_overwrites_none(api: AsyncClient) -> None:
    puts = [api.put(JOURNEY, json={"name": name, "nodes": []}, headers={"If-None-Match": "*"}) for name in ("one", "two", "three")]
    answers = await asyncio.gather(*puts)
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412]
    kept = next(answer for answer in answers if answer.status_code == 200)
    assert (await api.get(JOURNEY)).json() == kept.json()
    other = await api.put(JOURNEY, json={"nodes": []}, headers={"If-None-Match": '"an-etag"'})
    assert (other.status_code, other.json()["where"]) == (422, "If-None-Match")

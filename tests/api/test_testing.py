"""Test mode over HTTP, on a real database; the way to the workflows is the fake that writes down what was asked."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from journey import ids
from journey.contract import Record
from journey.tracking import Signer
from store import profiles, steps
from store.claims import Carrier, Policy
from store.closing import Mark, mark
from store.database import Database
from store.steps import Opened
from tests import builders, stock
from tests.fakes import FakeWorkflows, SettableClock
from tests.store.driver import document, next_proposal

JOURNEY = "/v1/journeys/thank-you"
TEST = f"{JOURNEY}/test"
TESS = "thank-you~tess~t1"


@pytest.fixture
async def drafted(database: Database, api: AsyncClient) -> AsyncClient:
    """The use case as a draft, with Tess, a test profile, and Ada, a real person."""
    await database.write(stock.put_use_case)
    await database.write(lambda work: profiles.put(work, document(builders.profile("tess", test=True))))
    await database.write(lambda work: profiles.put(work, document(builders.profile("ada"))))
    return api


async def started(api: AsyncClient, **wanted: Any) -> dict[str, Any]:
    answer = await api.post(f"{JOURNEY}:test", json=wanted)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def sends_first(database: Database) -> None:
    """Tess gets the first message, as her workflow would have it."""
    carriers = {channel: Carrier(1_000_000, idempotent=True) for channel in ("email", "push")}

    def stop(work: Any) -> None:
        frozen = builders.use_case().journey
        proposal = next_proposal(frozen, TESS, Record(0, "first"))
        found = steps.open_step(work, proposal, Policy(inbox=carriers))
        assert isinstance(found, Opened)
        mark(work, proposal, [Mark("email", "sent"), Mark("push", "failed", "no_such_device")])

    await database.write(stop)


async def test_a_draft_is_tested_with_one_test_profile(drafted: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    session = (await started(drafted, wait="PT5S"))["session"]
    assert (session["version"], session["wait"], session["reaction_wait"], session["channels"]) == ("thank-you@t1", 5, 20, "inbox")
    assert session["webhooks"] == "recorded"
    entered = await drafted.post(f"{TEST}/entrants", json={"profiles": ["tess", "ada"]})
    assert (entered.status_code, entered.json()["entrants"]) == (201, [TESS])
    assert [one["code"] for one in entered.json()["refused"]] == ["not_a_test_profile"]
    assert [start.entrant for start, _ in workflows.started] == [TESS]
    await sends_first(database)

    log = (await drafted.get(TEST)).json()
    assert log["phases"] == {"running": 1, "finished": 0, "error": 0, "timed_out": 0}
    (tess,) = log["entrants"]
    assert (tess["phase"], tess["entrant"]["mode"], tess["waiting"]["until"]) == ("running", "test", "2026-03-01T12:00:20Z")
    assert tess["nodes"] == {"read": "passed", "first": "passed", "push-opened": "here", "email-opened": "here"}
    assert tess["errors"] == [{"node": "first", "channel": "push", "reason": "no_such_device"}]
    assert {node["numbers"]["node"]: node["look"] for node in log["nodes"]}["purchase"] == ""
    assert {node["numbers"]["node"]: node["numbers"]["inside"] for node in log["nodes"]}["push-opened"] == 1
    alone = await drafted.get(f"{TEST}/entrants/{TESS}")
    assert alone.json() == tess
    assert (await drafted.get(f"{TEST}/entrants/thank-you~nobody~t1")).status_code == 404


async def test_what_was_sent_can_be_read_and_opened(drafted: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    await started(drafted)
    await drafted.post(f"{TEST}/entrants", json={"profiles": ["tess"]})
    await sends_first(database)
    deliveries = {one["channel"]: one for one in (await drafted.get(TEST)).json()["entrants"][0]["deliveries"]}
    mail = (await drafted.get(deliveries["email"]["content"])).json()
    assert (mail["email"]["subject"], mail["email"]["to"]) == ("Hello Ada", "tess@example.org")
    push = (await drafted.get(deliveries["push"]["content"])).json()
    assert push["push"]["body"] == "Hello Ada"
    assert Signer("a secret for tests that is long enough").read("p", push["push"]["opened_token"]).delivery == f"{TESS}.1.push"

    assert (await drafted.get(mail["opened"])).status_code == 200
    assert [(entrant, signal.node) for entrant, signal in workflows.signals] == [(TESS, "email-opened")]
    assert (await drafted.get(f"{TEST}/deliveries/{TESS}.9.email")).status_code == 404


async def test_up_to_a_hundred_enter_at_once(drafted: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    for number in range(3):
        person = builders.profile(f"t{number}", test=True)
        await database.write(lambda work, who=person: profiles.put(work, document(who)))  # type: ignore[misc]
    await started(drafted)
    entered = (await drafted.post(f"{TEST}/entrants", json={"up_to": 100})).json()
    assert entered["entrants"] == ["thank-you~t0~t1", "thank-you~t1~t1", "thank-you~t2~t1", TESS]
    assert len(workflows.started) == 4
    wrong: dict[str, Any]
    for wrong in ({}, {"up_to": 101}, {"up_to": 1, "profiles": ["tess"]}, {"profiles": []}):
        assert (await drafted.post(f"{TEST}/entrants", json=wrong)).status_code == 422


async def test_without_the_temporal_server_nobody_is_let_in(drafted: AsyncClient, workflows: FakeWorkflows) -> None:
    await started(drafted)
    workflows.up = False
    assert (await drafted.post(f"{TEST}/entrants", json={"profiles": ["tess"]})).status_code == 503
    workflows.up, workflows.lost = True, True
    entered = (await drafted.post(f"{TEST}/entrants", json={"profiles": ["tess"]})).json()
    assert (entered["entrants"], bool(entered["note"])) == ([TESS], True)


async def test_an_event_is_fired_as_a_form(drafted: AsyncClient, workflows: FakeWorkflows) -> None:
    await started(drafted)
    (form,) = (await drafted.get(f"{TEST}/forms")).json()["items"]
    assert (form["event"], form["fields"][0]) == ("purchase", {"name": "purchaseMessage", "type": "string", "in_rule": True})
    await drafted.post(f"{TEST}/entrants", json={"profiles": ["tess"]})
    fired = {"event": "purchase", "profile": "tess", "data": {"purchaseMessage": "thank you"}}
    verdict = (await drafted.post(f"{TEST}/events", json=fired)).json()
    assert (verdict["source"], verdict["code"], verdict["generated_id"]) == ("sojourn-test:thank-you@t1", "", True)
    assert (await drafted.get(f"{TEST}/forms")).json()["items"][0]["last"] == {"purchaseMessage": "thank you"}
    for wrong in ({}, {"event": "purchase", "name": "sale"}, {"event": "refund", "profile": "tess"}, {"event": "purchase", "key": "x"}):
        refused = await drafted.post(f"{TEST}/events", json=wrong)
        assert refused.status_code == 422, refused.text


async def test_nobody_else_can_send_events_in_the_name_of_a_test(drafted: AsyncClient) -> None:
    cloud = {"specversion": "1.0", "id": "1", "source": ids.test_source("thank-you@t1"), "type": "purchase"}
    refused = await drafted.post("/v1/events", json=cloud)
    assert (refused.status_code, refused.json()["where"]) == (422, "source")


async def test_reports_and_lists_of_live_people_leave_the_test_out(drafted: AsyncClient) -> None:
    await drafted.post(f"{JOURNEY}:publish")
    await started(drafted)
    await drafted.post(f"{TEST}/entrants", json={"profiles": ["tess"]})
    live = (await drafted.get(f"{JOURNEY}/report")).json()
    assert (live["version"]["id"], live["totals"]["entered"]) == ("thank-you@1", 0)
    assert [one["id"] for one in live["versions"]] == ["thank-you@1"]
    test = (await drafted.get(f"{JOURNEY}/report", params={"mode": "test"})).json()
    assert (test["version"]["id"], test["version"]["number"], test["version"]["state"]) == ("thank-you@t1", 1, "test")
    assert (test["totals"]["entered"], test["differences"]) == (1, [])
    assert (await drafted.get("/v1/entrants")).json()["items"] == []
    assert [one["id"] for one in (await drafted.get("/v1/entrants", params={"mode": "test"})).json()["items"]] == [TESS]
    assert (await drafted.get(f"{JOURNEY}/diagram", params={"version": "test"})).status_code == 200
    (summary,) = (await drafted.get("/v1/journeys")).json()["items"]
    assert (summary["state"], summary["testing"]) == ("live", True)


async def test_ending_the_test_winds_its_people_down(drafted: AsyncClient, workflows: FakeWorkflows) -> None:
    await started(drafted)
    ended = await drafted.delete(TEST)
    assert (ended.status_code, ended.json()) == (200, {"version": "thank-you@t1", "note": ""})
    assert workflows.winding_down == [("thank-you@t1", "test_ended")]
    for call in (drafted.get(TEST), drafted.delete(TEST), drafted.get(f"{JOURNEY}/report", params={"mode": "test"})):
        gone = await call
        assert (gone.status_code, gone.json()["detail"].startswith("thank-you is not being tested")) == (404, True)


async def test_a_test_that_begins_anew_and_a_publish_end_the_one_before(drafted: AsyncClient, workflows: FakeWorkflows) -> None:
    await started(drafted)
    assert (await started(drafted))["replaced"] == "thank-you@t1"
    published = (await drafted.post(f"{JOURNEY}:publish")).json()
    assert (published["version"], published["tested"]) == ("thank-you@1", "thank-you@t2")
    assert [version for version, _ in workflows.winding_down] == ["thank-you@t1", "thank-you@t2"]


async def test_a_draft_with_errors_is_not_tested(drafted: AsyncClient) -> None:
    await drafted.put(JOURNEY, json=stock.use_case_document(nodes=[{"id": "x", "kind": "message"}]))
    refused = await drafted.post(f"{JOURNEY}:test")
    assert (refused.status_code, refused.json()["code"]) == (409, "journey_invalid")
    assert refused.json()["findings"]


@pytest.mark.parametrize("wait", ["", "P2D", "ten seconds", "PT0S"])
async def test_a_wait_that_is_none_is_refused(drafted: AsyncClient, wait: str) -> None:
    assert (await drafted.post(f"{JOURNEY}:test", json={"wait": wait})).status_code == 422


async def test_the_page_for_unsubscribing_says_that_it_was_a_test(drafted: AsyncClient, database: Database) -> None:
    await started(drafted)
    await drafted.post(f"{TEST}/entrants", json={"profiles": ["tess"]})
    await sends_first(database)
    token = Signer("a secret for tests that is long enough").sign("u", f"{TESS}.1.email")
    assert "was sent in a test" in (await drafted.get(f"/u/{token}")).text
    assert "This was a test" in (await drafted.post(f"/u/{token}")).text
    assert (await drafted.get("/v1/profiles/tess")).json()["consents"] == {}


async def test_a_test_that_is_not_used_for_a_week_is_shown_to_expire(drafted: AsyncClient, clock: SettableClock) -> None:
    assert (await started(drafted))["session"]["expires_at"] == "2026-03-08T12:00:00Z"

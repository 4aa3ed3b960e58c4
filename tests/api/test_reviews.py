"""`/v1/reviews`, `:approve`, `:discard` and `:render`: who would get what is seen, and what is said holds and is told."""

from __future__ import annotations

import httpx
import pytest

from activities.sending import Sending
from api.services import Services
from journey.contract import Record
from store import admission, in_review, steps
from store.database import Database
from store.steps import Opened
from store.work import Work
from tests import builders, stock
from tests.activities.world import publish
from tests.fakes import FakeWorkflows
from tests.store.driver import AT_RISK, next_proposal

NODES = builders.use_case_nodes()
NODES[1]["hold_for_review"] = True
ADA, BOB = "thank-you~ada~1", "thank-you~bob~1"


@pytest.fixture(autouse=True)
async def held(database: Database, services: Services) -> None:
    """Ada and Bob have come to the first message."""
    version = builders.use_case(nodes=NODES)
    sending = Sending({}, services.signer, services.public_url, services.mail_from)

    def unit(work: Work) -> None:
        stock.put_use_case(work)
        for start in admission.admit_page(work, publish(work, version, ["ada", "bob"])).starts:
            proposal = next_proposal(version.journey, start.entrant.entrant, Record(0, start.entrant.place))
            opened = steps.open_step(work, proposal, AT_RISK)
            assert isinstance(opened, Opened)
            shown = [sending.shown(channel, 1, opened) for channel in opened.to_render]
            in_review.keep(work, proposal.entrant, 1, opened.revision, shown)

    await database.write(unit)


async def test_who_would_get_what_is_listed_a_page_at_a_time(api: httpx.AsyncClient) -> None:
    first = (await api.get("/v1/reviews", params={"journey": "thank-you", "node": "first", "limit": 3})).json()
    rest = (await api.get("/v1/reviews", params={"journey": "thank-you", "node": "first", "limit": 3, "cursor": first["next"]})).json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == [f"{who}.1.{of}" for who in (ADA, BOB) for of in ("email", "push")]
    assert rest["next"] is None
    one = first["items"][0]
    assert (one["profile"], one["subject"], one["error"], one["since"]) == ("ada", "Hello Ada", "", "2026-03-01T12:00:00Z")
    assert one["until"] == "2026-05-31T12:00:00Z"
    assert first["as_of"] == "2026-03-01T12:00:00Z"
    assert (await api.get("/v1/reviews", params={"failing": True})).json()["items"] == []
    assert (await api.get("/v1/reviews", params={"profile": "bob", "channel": "push"})).json()["items"][0]["id"] == f"{BOB}.1.push"


async def test_what_is_in_it_is_shown_and_does_nothing(api: httpx.AsyncClient) -> None:
    mail = (await api.get(f"/v1/reviews/{ADA}.1.email")).json()
    assert mail["email"] == {"sender": "shop@example.org", "subject": "Hello Ada", "html": "<p>Hello</p>", "text": "Hello\n"}
    assert (mail["push"], mail["to"]) == (None, "ada@example.org")
    push = (await api.get(f"/v1/reviews/{ADA}.1.push")).json()
    assert (push["push"]["body"], push["devices"], push["to"]) == ("Hello Ada", 1, "")
    for unknown in (f"{ADA}.2.email", "nonsense"):
        answer = await api.get(f"/v1/reviews/{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_all_at_a_node_are_approved_and_told_and_again_there_is_nothing_to_do(
    api: httpx.AsyncClient, workflows: FakeWorkflows
) -> None:  # fmt: skip
    answer = await api.post("/v1/journeys/thank-you:approve", json={"node": "first"})
    assert (answer.status_code, answer.json()) == (200, {"count": 4, "anew": 0, "left": []})
    assert sorted(workflows.leaving) == [(ADA, ""), (BOB, "")]
    again = await api.post("/v1/journeys/thank-you:approve", json={"node": "first"})
    assert again.json() == {"count": 0, "anew": 0, "left": []}
    assert len(workflows.leaving) == 2
    assert (await api.get("/v1/reviews")).json()["items"] == []


async def test_those_named_are_discarded_and_what_is_not_there_is_said(api: httpx.AsyncClient, workflows: FakeWorkflows) -> None:
    named = [f"{ADA}.1.email", "nonsense", f"{ADA}.1.push", f"{ADA}.1.email"]
    answer = await api.post("/v1/journeys/thank-you:discard", json={"ids": named})
    assert answer.json() == {"count": 2, "anew": 0, "left": ["nonsense"]}
    assert workflows.leaving == [(ADA, "")]
    listed = (await api.get("/v1/deliveries", params={"reason": "discarded_in_review"})).json()["items"]
    assert [one["id"] for one in listed] == [f"{ADA}.1.email", f"{ADA}.1.push"]
    waits = (await api.get("/v1/deliveries", params={"status": "claimed", "reason": "in_review"})).json()["items"]
    assert [one["id"] for one in waits] == [f"{BOB}.1.email", f"{BOB}.1.push"]


async def test_what_came_after_the_look_is_left(api: httpx.AsyncClient, workflows: FakeWorkflows) -> None:
    refused = await api.post("/v1/journeys/thank-you:approve", json={"node": "first", "as_of": 1_772_366_399})
    assert (refused.status_code, refused.json()["faults"][0]["where"]) == (422, "as_of")
    answer = await api.post("/v1/journeys/thank-you:approve", json={"node": "first", "as_of": "2026-03-01T11:59:59Z"})
    assert answer.json()["count"] == 0
    assert workflows.leaving == []
    answer = await api.post("/v1/journeys/thank-you:render", json={"node": "first", "as_of": "2026-03-01T13:00:00+01:00"})
    assert answer.json() == {"count": 4, "anew": 0, "left": []}
    assert {one["rendered_at"] for one in (await api.get("/v1/reviews")).json()["items"]} == {None}


async def test_nothing_is_said_of_everything_by_mistake(api: httpx.AsyncClient) -> None:
    for call in ("approve", "discard", "render"):
        answer = await api.post(f"/v1/journeys/thank-you:{call}", json={})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")
        answer = await api.post(f"/v1/journeys/unknown:{call}", json={"node": "first"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_report_counts_the_people(api: httpx.AsyncClient) -> None:
    node = next(one for one in (await api.get("/v1/journeys/thank-you/report")).json()["nodes"] if one["node"] == "first")
    assert (node["in_review"], node["inside"], node["left"]) == (2, 2, {})

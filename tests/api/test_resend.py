"""`POST /v1/deliveries/{id}:resend`: an uncertain delivery is sent once more, and nothing else is."""

from __future__ import annotations

import httpx
import pytest

from journey.contract import Record
from store import admission, closing, steps
from store.closing import Mark
from store.database import Database
from store.steps import Opened
from store.work import Work
from tests import builders
from tests.activities.world import publish
from tests.fakes import FakeWorkflows
from tests.store.driver import AT_RISK, next_proposal

DELIVERY = "thank-you~ada~1.1.email"


@pytest.fixture
async def uncertain(database: Database) -> None:
    """Nobody knows whether Ada got her first e-mail."""
    version = builders.use_case()

    def unit(work: Work) -> None:
        (start,) = admission.admit_page(work, publish(work, version, ["ada"])).starts
        proposal = next_proposal(version.journey, start.entrant.entrant, Record(0, start.entrant.place))
        assert isinstance(steps.open_step(work, proposal, AT_RISK), Opened)
        closing.mark(work, proposal, [Mark("email", "uncertain", "no_answer"), Mark("push", "sent")])

    await database.write(unit)


@pytest.mark.usefixtures("uncertain")
async def test_it_is_given_to_a_workflow_and_answered_as_it_stands(api: httpx.AsyncClient, workflows: FakeWorkflows) -> None:
    listed = (await api.get("/v1/deliveries", params={"status": "uncertain"})).json()["items"]
    assert [one["id"] for one in listed] == [DELIVERY]
    for _ in range(2):  # two askings at a time are one
        answer = await api.post(f"/v1/deliveries/{DELIVERY}:resend")
        assert answer.status_code == 202
        assert answer.json() == listed[0]
    (first, version), second = workflows.resends
    assert (first.delivery, version) == (DELIVERY, "thank-you@1")
    assert second == (first, version)


@pytest.mark.usefixtures("uncertain")
async def test_what_is_not_uncertain_or_not_there_is_refused(api: httpx.AsyncClient, workflows: FakeWorkflows) -> None:
    answer = await api.post("/v1/deliveries/thank-you~ada~1.1.push:resend")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    for unknown in ("thank-you~ada~1.2.email", "nonsense"):
        answer = await api.post(f"/v1/deliveries/{unknown}:resend")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert workflows.resends == []


@pytest.mark.usefixtures("uncertain")
async def test_without_the_temporal_server_it_is_refused_for_now(api: httpx.AsyncClient, workflows: FakeWorkflows) -> None:
    workflows.up = False
    answer = await api.post(f"/v1/deliveries/{DELIVERY}:resend")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "Retry-After" in answer.headers

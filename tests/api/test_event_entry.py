"""An event over HTTP lets its person into a journey: the answer says so, and the workflow is started after it."""

from __future__ import annotations

import base64

import pytest
from httpx import AsyncClient

from journey.contract import EntrantStart
from store import definitions, journeys, messages
from store.database import Database
from store.work import Work
from tests.api.conftest import WRITE_KEY
from tests.builders import message
from tests.carts import CART, ORDER, abandoned
from tests.fakes import FakeWorkflows

EVENT = {"id": "cart-1", "name": "cart_updated", "namespace": "customer_id", "key": "c-42", "data": {"cart": "A"}}


@pytest.fixture
async def live(database: Database) -> None:
    def unit(work: Work) -> None:
        messages.put(work, message("remind", "email", **{"class": "transactional"}))
        for definition in (CART, ORDER):
            definitions.put(work, definition)
        draft = abandoned().journey.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        journeys.put_draft(work, "abandoned", draft)
        journeys.publish(work, "abandoned", "https://sojourn.example")

    await database.write(unit)


@pytest.mark.usefixtures("live")
async def test_the_answer_says_whom_an_event_let_in_and_they_are_started(api: AsyncClient, workflows: FakeWorkflows) -> None:
    answer = await api.post("/v1/events", json=EVENT)
    assert answer.status_code == 202
    assert answer.json()["entered"] == [{"journey": "abandoned", "entrant": "abandoned~c-42~1"}]
    assert answer.json()["code"] == ""
    assert [start for start, _ in workflows.started] == [EntrantStart("abandoned~c-42~1", "abandoned@1", "order")]


@pytest.mark.usefixtures("live")
async def test_of_an_array_each_verdict_says_it(api: AsyncClient, workflows: FakeWorkflows) -> None:
    answer = await api.post("/v1/events", json=[EVENT, {**EVENT, "id": "cart-2"}, {**EVENT, "id": "cart-3", "key": "c-43"}, EVENT])
    assert answer.status_code == 207
    entered = [[one["entrant"] for one in verdict["entered"]] for verdict in answer.json()]
    assert entered == [["abandoned~c-42~1"], [], ["abandoned~c-43~1"], []]
    assert [verdict["code"] for verdict in answer.json()] == ["", "already_inside", "", ""]
    assert len(workflows.started) == 2


@pytest.mark.usefixtures("live")
async def test_without_the_temporal_server_they_are_let_in_all_the_same(api: AsyncClient, workflows: FakeWorkflows) -> None:
    workflows.up = False
    answer = await api.post("/v1/events", json=EVENT)
    assert (answer.status_code, len(answer.json()["entered"])) == (202, 1)
    assert workflows.started == []
    found = await api.get("/v1/entrants/abandoned~c-42~1")
    assert found.json()["waiting"]["awaited"][0]["node"] == "order"
    assert (found.json()["entrant"]["entry_source"], found.json()["entrant"]["entry_event"]) == ("api", "cart-1")


@pytest.mark.usefixtures("live")
async def test_a_track_of_segment_lets_in_too(api: AsyncClient, workflows: FakeWorkflows) -> None:
    key = base64.b64encode(f"{WRITE_KEY}:".encode()).decode()
    call = {"userId": "c-42", "event": "cart_updated", "messageId": "m-1", "properties": {"cart": "A"}}
    answer = await api.post("/v1/track", json=call, headers={"Authorization": f"Basic {key}"})
    assert answer.status_code == 200
    assert len(workflows.started) == 1


@pytest.mark.usefixtures("live")
async def test_such_a_journey_has_no_runs(api: AsyncClient) -> None:
    refused = await api.post("/v1/journeys/abandoned/runs")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_by_run")


@pytest.mark.usefixtures("live")
async def test_who_is_asked_about_says_why_an_event_did_not_let_them_in_again(api: AsyncClient) -> None:
    for number in (1, 2):
        await api.post("/v1/events", json={**EVENT, "id": f"cart-{number}"})
    heard = (await api.get("/v1/entrants/abandoned~c-42~1/heard")).json()["items"]
    assert [(one["id"], one["effect"], one["code"]) for one in heard] == [("cart-1", "entered", ""), ("cart-2", "none", "already_inside")]

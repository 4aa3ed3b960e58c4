"""A thousand events in one call, three of them bad: each has its verdict, the others take effect, and the whole may be sent again."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from store import definitions, journeys, messages, schema
from store.database import Database
from store.work import Work
from tests.builders import message
from tests.carts import CART, ENTRY, ORDER, abandoned
from tests.fakes import FakeWorkflows

MOST = 1000
pytestmark = pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")  # where it takes two seconds


@pytest.fixture
async def live(database: Database) -> None:
    """Whoever fills a cart enters, if the cart is large enough."""
    nodes = [
        {**ENTRY, "where": "total > 20"},
        *abandoned().journey.model_dump(mode="json", by_alias=True, exclude_defaults=True)["nodes"][1:],
    ]

    def unit(work: Work) -> None:
        messages.put(work, message("remind", "email", **{"class": "transactional"}))
        for definition in (CART, ORDER):
            definitions.put(work, definition)
        draft = abandoned().journey.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"nodes": nodes}
        journeys.put_draft(work, "abandoned", draft)
        journeys.publish(work, "abandoned", "https://sojourn.example")

    await database.write(unit)


def sent() -> list[Any]:
    def one(number: int) -> dict[str, Any]:
        data = {"cart": "A", "total": 40 if number % 2 else 10}
        return {"id": f"cart-{number}", "name": "cart_updated", "namespace": "customer_id", "key": f"c-{number}", "data": data}

    events: list[Any] = [one(number) for number in range(MOST)]
    events[100] = events[100] | {"name": ""}
    events[500] = "no event"
    events[900] = events[900] | {"data": "no object"}
    return events


@pytest.mark.complaint(4)
@pytest.mark.behaviour(15)
@pytest.mark.usefixtures("live")
async def test_three_bad_of_a_thousand(api: AsyncClient, database: Database, workflows: FakeWorkflows) -> None:
    answer = await api.post("/v1/events", json=sent())
    assert answer.status_code == 207
    verdicts = answer.json()
    bad = {number: (one["status"], one["code"]) for number, one in enumerate(verdicts) if one["status"] != 202}
    assert bad == {100: (422, "bad_input"), 500: (422, "bad_input"), 900: (422, "bad_input")}
    entered = [number for number, one in enumerate(verdicts) if one["status"] == 202 and one["entered"]]
    assert entered == [number for number in range(MOST) if number % 2]
    assert verdicts[1]["entered"] == [{"journey": "abandoned", "entrant": "abandoned~c-1~1"}]
    refused = [one["code"] for number, one in enumerate(verdicts) if number not in bad and number % 2 == 0]
    assert refused == ["nobody_listening"] * (MOST // 2 - 3)

    before = await everything(database)
    assert before == {"events": MOST - 3, "entrants": MOST // 2, "discards": MOST // 2 - 3}
    again = (await api.post("/v1/events", json=sent())).json()
    assert {number: (one["status"], one["code"]) for number, one in enumerate(again) if one["status"] != 202} == bad
    assert all(one["duplicate"] for number, one in enumerate(again) if number not in bad)
    assert await everything(database) == before
    assert len(workflows.started) == MOST // 2


@pytest.mark.behaviour(15)
@pytest.mark.usefixtures("live")
async def test_which_rule_failed_is_told_before_and_without_an_effect(api: AsyncClient, database: Database) -> None:
    told = (await api.post("/v1/events:explain", json=sent()[0])).json()
    (said,) = told["entries"]
    assert (told["verdict"]["code"], said["version"], said["fits"]) == ("nobody_listening", "abandoned@1", False)
    assert (said["rule"]["field"], said["rule"]["operator"], said["rule"]["wanted"], said["rule"]["found"]) == ("total", ">", 20, 10)
    assert await everything(database) == {"events": 0, "entrants": 0, "discards": 0}


async def everything(database: Database) -> dict[str, int]:
    tables = (schema.events, schema.entrants, schema.discards)
    return {table.name: len(await database.read(lambda c, table=table: c.execute(table.select()).all())) for table in tables}  # type: ignore[misc]

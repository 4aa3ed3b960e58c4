"""Why somebody is where they are, what an event would do, who stands at a node, and all that is on record about one person."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import func, select

from store import acceptance, schema
from store.database import Database
from tests import builders, stock
from tests.api import waiting
from tests.fakes import FakeWorkflows, SettableClock

HEARD = f"/v1/entrants/{waiting.ENTRANT}/heard"


def purchase(event_id: str, **data: Any) -> dict[str, Any]:
    return {
        "id": event_id,
        "name": "purchase",
        "namespace": "customer_id",
        "key": "c-42",
        "data": waiting.PURCHASE | data,
    }


async def heard(api: AsyncClient) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await api.get(HEARD)).json()["items"]
    return items


@pytest.mark.behaviour(6)
async def test_an_event_that_did_not_count_names_the_condition_and_its_values(api: AsyncClient, database: Database) -> None:
    await waiting.for_a_purchase(database)
    await api.post("/v1/events", json=purchase("e-1", purchaseMessage="thanks"))
    (one,) = await heard(api)
    assert (one["id"], one["effect"], one["code"], one["place"]) == ("e-1", "none", "no_definition", ["purchase"])
    (node,) = one["nodes"]
    rule = node["said"]["rule"]
    assert (node["node"], node["said"]["fits"], rule["field"], rule["found"], rule["wanted"]) == (
        "purchase", False, "purchaseMessage", "thanks", "thank you",
    )  # fmt: skip


async def test_an_event_that_counted_says_what_it_decided(api: AsyncClient, database: Database) -> None:
    await waiting.for_a_purchase(database)
    await api.post("/v1/events", json=purchase("e-1"))
    (one,) = await heard(api)
    assert (one["effect"], one["node"], one["place"]) == ("decided", "purchase", ["purchase"])


async def test_an_open_that_came_too_late_is_said_to_be_late(api: AsyncClient, database: Database, clock: SettableClock) -> None:
    await waiting.for_a_purchase(database)
    clock.instant += builders.DAY
    await database.write(lambda work: acceptance.react(work, waiting.FIRST_MAIL, "opened"))
    (one,) = await heard(api)
    assert (one["name"], one["effect"], one["code"]) == ("email.opened", "none", "late")


async def test_an_unknown_entrant_has_heard_nothing_that_could_be_shown(api: AsyncClient) -> None:
    assert (await api.get("/v1/entrants/nobody/heard")).status_code == 404


async def test_an_event_is_explained_before_it_is_sent_and_nothing_stays(
    api: AsyncClient, database: Database, workflows: FakeWorkflows
) -> None:
    await waiting.for_a_purchase(database)
    wrong = (await api.post("/v1/events:explain", json=purchase("e-1", purchaseMessage="thanks"))).json()
    assert (wrong["word"], wrong["verdict"]["code"]) == ("discarded", "no_definition")
    assert [(one["definition"], one["fits"]) for one in wrong["definitions"]] == [("purchase", False)]
    right = (await api.post("/v1/events:explain", json=purchase("e-1"))).json()
    assert (right["word"], right["verdict"]["entrants"]) == ("decided", [waiting.ENTRANT])
    (listener,) = right["entrants"]
    assert (listener["place"], [(node["node"], node["said"]["fits"]) for node in listener["nodes"]]) == (["purchase"], [("purchase", True)])
    assert workflows.signals == []
    for table in (schema.events, schema.discards):
        assert await database.read(lambda c, table=table: c.execute(select(func.count()).select_from(table)).scalar_one()) == 0  # type: ignore[misc]
    sent = (await api.post("/v1/events", json=purchase("e-1"))).json()
    assert sent == right["verdict"], "what was foretold is what comes"
    again = (await api.post("/v1/events:explain", json=purchase("e-1"))).json()
    assert again["word"] == "duplicate"


async def test_one_event_at_a_time_is_explained(api: AsyncClient) -> None:
    refused = await api.post("/v1/events:explain", json=[purchase("e-1")])
    assert (refused.status_code, refused.json()["detail"]) == (422, "Explain one event at a time: send an object, not an array.")


async def test_an_event_of_nobody_is_explained_without_making_anybody(api: AsyncClient, database: Database) -> None:
    told = (await api.post("/v1/events:explain", json=purchase("e-1") | {"key": "c-99"})).json()
    assert told["entrants"] == []
    assert (await api.get("/v1/profiles/c-99")).status_code == 404


async def test_the_waiting_list_of_a_node_says_who_since_when_until_when_and_for_what(api: AsyncClient, database: Database) -> None:
    await waiting.for_an_open(database)
    await database.write(lambda work: stock.entrant(work, "z-1"))
    page = (await api.get("/v1/journeys/thank-you/nodes/email-opened/entrants", params={"limit": 1})).json()
    (first,) = page["items"]
    assert (page["version"], first["entrant"], first["waiting"]) == ("thank-you@1", waiting.ENTRANT, True)
    assert [one["what"] for one in first["awaited"]] == ["push.opened of first", "email.opened of first"]
    assert first["since"] < first["until"]
    following = (await api.get("/v1/journeys/thank-you/nodes/email-opened/entrants", params={"limit": 5, "cursor": page["next"]})).json()
    assert [one["profile"] for one in following["items"]] == ["z-1"]
    assert (await api.get("/v1/journeys/thank-you/nodes/purchase/entrants")).json()["items"] == []
    assert (await api.get("/v1/journeys/thank-you/nodes/nowhere/entrants")).status_code == 404


async def test_a_timeline_holds_everything_of_one_person_in_pages_without_a_gap(api: AsyncClient, database: Database) -> None:
    await waiting.for_a_purchase(database)
    for number in range(5):
        await api.post("/v1/events", json=purchase(f"e-{number}", purchaseMessage="thanks"))
    await api.post("/v1/events", json=purchase("e-9"))
    whole = (await api.get("/v1/profiles/c-42/timeline")).json()["items"]
    assert {one["kind"] for one in whole} == {"entered", "event", "discard"}
    assert [one["at"] for one in whole] == sorted((one["at"] for one in whole), reverse=True)
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await api.get("/v1/profiles/c-42/timeline", params={"limit": 3, "cursor": cursor})).json()
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = page["next"]
    assert seen == whole
    assert (await api.get("/v1/profiles/nobody/timeline")).json() == {"items": [], "next": None}

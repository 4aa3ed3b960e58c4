"""An event lets its person in on real servers, what let them in is asked later, and a jump leads into another journey."""

from __future__ import annotations

from typing import Any

from tests.e2e.world import JOURNEY, World

THERE = "there"


async def test_an_event_lets_its_person_in_and_a_jump_leads_into_another_journey(here: World) -> None:
    await set_up(here, THERE, [
        {"id": "enter", "kind": "event", "event": "purchase", "where": 'product == "Nothing"', "next": "ours"},
        {"id": "ours", "kind": "event", "event": "purchase", "where": "product == entry.product", "next": "end",
         "timeout": {"after": "P1D"}},
    ])  # fmt: skip
    await set_up(here, JOURNEY, [
        {"id": "enter", "kind": "event", "event": "purchase", "where": 'product != "Chair"', "next": "thanks"},
        {"id": "thanks", "kind": "message", "message": "thank-you", "next": "jump"},
        {"id": "jump", "kind": "jump", "journey": THERE, "next": "again"},
        {"id": "again", "kind": "event", "event": "purchase", "since": "thanks", "next": "end", "timeout": {"after": "PT1S"}},
    ])  # fmt: skip
    await here.person()
    await publish(here, THERE)
    await publish(here, JOURNEY)

    assert (await buys(here, "b-1", "Chair"))["code"] == "nobody_listening"
    assert (await buys(here, "b-2", "Lamp"))["entered"] == [{"journey": JOURNEY, "entrant": f"{JOURNEY}~c-42~1"}]
    await here.waits_at("ours", journey=THERE)
    assert await here.ends() == "finished"
    assert await here.path() == ["thanks:next", "jump:next", "again:timeout"]
    assert [(await buys(here, f"b-{product}", product))["entrants"] for product in ("Rug", "Lamp")] == [[], [f"{THERE}~c-42~1"]]
    assert await here.ends(journey=THERE) == "finished"
    assert await here.path(journey=THERE) == ["ours:next"]
    assert len(here.pushes()) == 1
    for journey in (JOURNEY, THERE):
        report = await here.report(journey)
        assert (report["differences"], report["totals"]["entered"]) == ([], 1)


async def set_up(here: World, journey: str, nodes: list[dict[str, Any]]) -> None:
    document = {"id": journey, "namespace": "customer_id", "nodes": [*nodes, {"id": "end", "kind": "end"}]}
    await here.set_up(journey=document)


async def publish(here: World, journey: str) -> None:
    answer = await here.api.post(f"/v1/journeys/{journey}:publish")
    assert answer.status_code == 200, answer.text


async def buys(here: World, event_id: str, product: str) -> dict[str, Any]:
    data = {"purchaseMessage": "thank you", "product": product}
    event = {"id": event_id, "name": "sale", "namespace": "customer_id", "key": "c-42", "data": data}
    answer = await here.api.post("/v1/events", json=event)
    assert answer.status_code == 202, answer.text
    return dict(answer.json())

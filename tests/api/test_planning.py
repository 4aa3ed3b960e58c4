"""A plan over HTTP: what would become of people inside if the draft were published now, counted, with nothing changed."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from store import journeys
from store.database import Database
from tests import builders, stock

JOURNEY = "/v1/journeys/thank-you"
GATE = ["push-opened", "email-opened"]


def without_purchase() -> list[dict[str, Any]]:
    """The use case with a timeout of two days, and without the wait for a purchase."""
    nodes = [node for node in builders.use_case_nodes() if node["id"] != "purchase"]
    for node in nodes:
        if node.get("next") == "purchase":
            node["next"] = "thanks"
    nodes[3]["timeout"] = {"after": "P2D", "next": "follow-up"}
    return nodes


@pytest.fixture
async def published(database: Database) -> Database:
    """Version 1 with two people at its gate, one at the follow-up and one who waits for a purchase; another draft."""
    await database.write(stock.put_use_case)
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    for key, changed in {"a": {}, "b": {}, "c": {"place": "follow-up", "waiting": False}, "d": {"place": "purchase"}}.items():
        await database.write(lambda work, key=key, changed=changed: stock.entrant(work, key, **changed))  # type: ignore[misc]
    await database.write(lambda work: journeys.put_draft(work, "thank-you", stock.use_case_document(nodes=without_purchase())))
    return database


async def planned(api: AsyncClient, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await api.post(f"{JOURNEY}:plan", json=body) if body is not None else await api.post(f"{JOURNEY}:plan")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def told(plan: dict[str, Any]) -> list[tuple[str, int, str, str, bool]]:
    """Of the one older version: place, people, what becomes of them, where they go on, whether they are woken."""
    (older,) = plan["older"]
    assert older["version"] == "thank-you@1"
    return [("+".join(one["was"]), one["people"], one["kind"], "+".join(one["place"]), one["wakes"]) for one in older["places"]]


def sums(**counts: int) -> dict[str, int]:
    return {"people": 4, "stays": 0, "moves": 0, "leaves": 0, "cannot_move": 0, "woken": 0} | counts


async def test_without_a_body_everybody_finishes_on_their_version(api: AsyncClient, published: Database) -> None:
    plan = await planned(api)
    assert (plan["journey"], plan["version"], plan["sums"]) == ("thank-you", "thank-you@2", sums(stays=4))
    assert {kind for _, _, kind, _, _ in told(plan)} == {"stays"}


@pytest.mark.complaint(10)
async def test_flowing_in_says_where_everybody_goes_on_and_who_cannot(api: AsyncClient, published: Database) -> None:
    plan = await planned(api, {"people": "flow_in"})

    assert told(plan) == [
        ("first", 0, "moves", "first", False),
        ("push-opened+email-opened", 2, "moves", "push-opened+email-opened", True),
        ("purchase", 1, "cannot_move", "", False),
        ("follow-up", 1, "moves", "follow-up", False),
        ("thanks", 0, "moves", "thanks", False),
    ]
    gate, purchase = plan["older"][0]["places"][1:3]
    assert (gate["to"], gate["nodes"]) == ("thank-you@2", {node: node for node in GATE})
    assert (purchase["code"], purchase["why"]) == ("node_gone", "There is no purchase in the new version.")
    assert plan["sums"] == plan["older"][0]["sums"] == sums(moves=3, cannot_move=1, woken=2)


@pytest.mark.complaint(10)
async def test_migrating_goes_by_the_map(api: AsyncClient, published: Database) -> None:
    plan = await planned(api, {"people": "migrate", "map": {"purchase": ":next", "follow-up": ":exit", "push-opened": ":stay"}})

    assert [one for one in told(plan) if one[1]] == [
        ("push-opened+email-opened", 2, "stays", "", False),
        ("purchase", 1, "moves", "thanks", True),
        ("follow-up", 1, "leaves", "", False),
    ]
    assert plan["older"][0]["places"][3]["reason"] == "journey_changed"
    assert plan["sums"] == sums(stays=2, moves=1, leaves=1, woken=1)


async def test_a_plan_changes_nothing(api: AsyncClient, published: Database) -> None:
    looked_at = ("/v1/entrants", f"{JOURNEY}/versions", f"{JOURNEY}/moves")
    before = [(await api.get(path)).json() for path in looked_at]
    await planned(api, {"people": "migrate", "map": {"purchase": ":exit"}})
    assert [(await api.get(path)).json() for path in looked_at] == before


@pytest.mark.behaviour(7)
async def test_a_publish_does_what_was_planned(api: AsyncClient, published: Database) -> None:
    answer = await api.post(f"{JOURNEY}:publish", json={"people": "flow_in"})
    assert (answer.status_code, answer.json()["version"], answer.json()["succeeded"]) == (200, "thank-you@2", ["thank-you@1"])


@pytest.mark.parametrize("verb", ["plan", "publish"])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"people": "migrate", "map": {"purchace": "thanks"}}, "map_node_unknown"),
        ({"people": "migrate", "map": {"purchase": "thank"}}, "map_target_unknown"),
        ({"people": "flow_in", "map": {"purchase": "thanks"}}, "map_not_used"),
    ],
)
async def test_a_map_that_names_what_is_not_there_is_refused_with_findings(
    api: AsyncClient, published: Database, verb: str, body: dict[str, Any], code: str
) -> None:
    answer = await api.post(f"{JOURNEY}:{verb}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (409, "succession_invalid")
    assert [one["code"] for one in answer.json()["findings"]] == [code]
    assert len((await api.get(f"{JOURNEY}/versions")).json()["items"]) == 1


@pytest.mark.parametrize("body", [{"people": "leave"}, {"rate": 0}, {"map": {"a": 1}}, {"whom": "all"}, []], ids=str)
async def test_what_is_no_succession_is_422(api: AsyncClient, published: Database, body: Any) -> None:
    for verb in ("plan", "publish"):
        assert (await api.post(f"{JOURNEY}:{verb}", json=body)).status_code == 422


async def test_a_draft_that_could_not_be_published_is_refused_as_a_publish_refuses_it(api: AsyncClient, published: Database) -> None:
    await published.write(lambda work: journeys.put_draft(work, "thank-you", stock.use_case_document(nodes=without_purchase()[:-2])))
    refused = await api.post(f"{JOURNEY}:plan")
    assert (refused.status_code, refused.json()["code"]) == (409, "journey_invalid")

    await published.write(lambda work: journeys.put_draft(work, "thank-you", stock.use_case_document()))
    refused = await api.post(f"{JOURNEY}:plan", json={"people": "flow_in"})
    assert (refused.status_code, refused.json()["code"]) == (409, "unchanged")
    assert (await api.post("/v1/journeys/nobody:plan")).status_code == 404


async def test_the_first_publish_has_nobody_to_speak_of(api: AsyncClient, database: Database) -> None:
    await database.write(stock.put_use_case)
    plan = await planned(api, {"people": "flow_in"})
    assert (plan["version"], plan["older"], plan["sums"]["people"]) == ("thank-you@1", [], 0)

"""Versions of a journey compared over HTTP, with those who stand at what changed."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from store import journeys
from store.database import Database
from tests import builders, stock

JOURNEY = "/v1/journeys/thank-you"


def changed() -> list[dict[str, Any]]:
    """The use case with a longer timeout, without its follow-up, and with a name."""
    nodes = builders.use_case_nodes()
    nodes[3]["timeout"] = {"after": "P2D", "next": "purchase"}
    nodes[1]["name"] = "Hello"
    return [node for node in nodes if node["id"] != "follow-up"]


@pytest.fixture
async def published(database: Database) -> Database:
    """Version 1 with two people at its gate and one at the follow-up."""
    await database.write(stock.put_use_case)
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    await database.write(lambda work: stock.entrant(work, "a"))
    await database.write(lambda work: stock.entrant(work, "b"))
    await database.write(lambda work: stock.entrant(work, "c", place="follow-up", waiting=False))
    return database


@pytest.mark.complaint(10)
async def test_the_draft_is_compared_with_a_version_and_says_whom_it_would_meet(api: AsyncClient, published: Database) -> None:
    await published.write(lambda work: journeys.put_draft(work, "thank-you", stock.use_case_document(nodes=changed())))

    answer = await api.get(f"{JOURNEY}/versions/1..draft")

    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["journey"], said["older"], said["newer"]) == ("thank-you", "1", "draft")
    assert [(one["kind"], one["node"], one["field"], one["people"]) for one in said["changes"]] == [
        ("cosmetic", "first", "name", 0),
        ("timeout_changed", "email-opened", "timeout.after", 2),
        ("way_changed", "email-opened", "timeout", 2),
        ("removed", "follow-up", "", 1),
    ]
    assert said["changes"][1]["sentence"] == "email-opened: timeout.after is 2 days; it was 1 day."
    assert said["standing"] == {"email-opened": 2, "follow-up": 1, "push-opened": 2}


async def test_two_versions_are_compared_by_their_numbers_either_way(api: AsyncClient, published: Database) -> None:
    await published.write(lambda work: journeys.put_draft(work, "thank-you", stock.use_case_document(nodes=changed())))
    await published.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))

    there, back = [await api.get(f"{JOURNEY}/versions/{which}") for which in ("1..2", "2..1")]

    assert [one["kind"] for one in there.json()["changes"]] == ["cosmetic", "timeout_changed", "way_changed", "removed"]
    assert [one["kind"] for one in back.json()["changes"]] == ["cosmetic", "timeout_changed", "way_changed", "added"]
    assert back.json()["standing"] == {}


async def test_a_draft_that_was_published_as_it_is_does_not_differ(api: AsyncClient, published: Database) -> None:
    for which in ("1..1", "1..draft", "draft..1", "draft..draft"):
        assert (await api.get(f"{JOURNEY}/versions/{which}")).json()["changes"] == []


async def test_a_definition_that_has_changed_since_the_publish_is_told_of_the_draft(api: AsyncClient, published: Database) -> None:
    definition = builders.purchase_definition(key="buyer").model_dump(mode="json", exclude_defaults=True)
    assert (await api.put("/v1/event-definitions/purchase", json=definition)).status_code == 200
    (change,) = (await api.get(f"{JOURNEY}/versions/1..draft")).json()["changes"]
    assert change["sentence"] == "The event purchase: key is buyer; it was customer."


@pytest.mark.parametrize(("which", "status"), [("1..7", 404), ("7..1", 404), ("1..new", 422), ("0..1", 422), ("1..", 422)])
async def test_a_version_that_there_is_not_is_said(api: AsyncClient, published: Database, which: str, status: int) -> None:
    assert (await api.get(f"{JOURNEY}/versions/{which}")).status_code == status


async def test_a_journey_that_there_is_not_is_said(api: AsyncClient) -> None:
    assert (await api.get("/v1/journeys/nothing/versions/1..draft")).status_code == 404

"""Runs over HTTP."""

from __future__ import annotations

import pytest
from httpx import AsyncClient

from store import journeys
from store.database import Database
from tests import stock
from tests.fakes import FakeWorkflows

RUNS = "/v1/journeys/thank-you/runs"


@pytest.fixture
async def published(database: Database) -> None:
    await database.write(stock.put_use_case)
    await database.write(lambda work: journeys.publish(work, "thank-you", stock.PUBLIC_URL))
    await database.write(stock.end_run)


@pytest.mark.usefixtures("published")
async def test_a_run_reads_the_segment_as_of_now(api: AsyncClient, workflows: FakeWorkflows) -> None:
    started = await api.post(RUNS)
    assert (started.status_code, started.headers["Location"]) == (201, f"{RUNS}/thank-you.run.2")
    body = started.json()
    assert (body["id"], body["segment"], body["profiles"], body["state"], body["version"]) == (
        "thank-you.run.2", "three-cities-after-1980", None, "reading", "thank-you@1",
    )  # fmt: skip
    assert workflows.runs == ["thank-you.run.2"]
    assert (await api.get(started.headers["Location"])).json() == body


@pytest.mark.usefixtures("published")
async def test_a_run_lets_in_a_list(api: AsyncClient) -> None:
    started = await api.post(RUNS, json={"profiles": ["b", "a", "b"]})
    assert (started.status_code, started.json()["profiles"], started.json()["segment"]) == (201, ["b", "a"], "")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "body", [{"profiles": []}, {"profiles": [""]}, {"profiles": "a"}, {"people": ["a"]}, {"profiles": ["x"] * 1001}, [1]]
)
async def test_a_list_that_is_none_is_refused(api: AsyncClient, body: object) -> None:
    assert (await api.post(RUNS, json=body)).status_code == 422


@pytest.mark.usefixtures("published")
async def test_only_one_run_reads_the_segment_at_a_time(api: AsyncClient) -> None:
    assert (await api.post(RUNS)).status_code == 201
    second = await api.post(RUNS)
    assert (second.status_code, second.json()["code"]) == (409, "run_reading")


async def test_without_a_live_version_there_is_no_run(api: AsyncClient, database: Database) -> None:
    assert (await api.post(RUNS)).status_code == 404
    await database.write(stock.put_use_case)
    refused = await api.post(RUNS)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_live")


@pytest.mark.usefixtures("published")
async def test_runs_are_listed_and_found_under_their_journey_alone(api: AsyncClient) -> None:
    await api.post(RUNS, json={"profiles": ["a"]})
    first = (await api.get(RUNS, params={"limit": 1})).json()
    rest = (await api.get(RUNS, params={"limit": 5, "cursor": first["next"]})).json()
    assert [one["number"] for one in first["items"] + rest["items"]] == [2, 1]
    assert (await api.get(f"{RUNS}/thank-you.run.9")).status_code == 404
    for address in ("/v1/journeys/other/runs/thank-you.run.1", "/v1/journeys/other/runs"):
        assert (await api.get(address)).status_code == 404

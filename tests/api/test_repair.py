"""Store and server are compared on demand over HTTP."""

from __future__ import annotations

from httpx import AsyncClient

from journey.contract import LeftAlone, Repaired
from tests.fakes import FakeWorkflows

NOBODY = {"state": "done", "checked": 0, "told": 0, "started": 0, "ended": 0, "adopted": 0, "busy": 0, "left_alone": 0, "left": []}


async def test_a_comparison_is_started_and_asked_for(api: AsyncClient, workflows: FakeWorkflows) -> None:
    assert (await api.get("/v1/reconcile")).status_code == 404
    started = await api.post("/v1/reconcile")
    assert (started.status_code, started.json()) == (202, NOBODY)
    workflows.repaired = Repaired(checked=3, told=1, left_alone=1, left=[LeftAlone("thank-you~c-9~1", "profile_unknown", "Nobody.")])
    left = [{"id": "thank-you~c-9~1", "code": "profile_unknown", "sentence": "Nobody."}]
    assert (await api.get("/v1/reconcile")).json() == NOBODY | {"checked": 3, "told": 1, "left_alone": 1, "left": left}


async def test_everybody_is_woken_when_that_is_wanted(api: AsyncClient, workflows: FakeWorkflows) -> None:
    await api.post("/v1/reconcile", json={"wake": True})
    await api.post("/v1/reconcile", json={})
    assert workflows.comparisons == [True, False]
    assert (await api.post("/v1/reconcile", json={"wake": 3})).status_code == 422


async def test_without_a_temporal_server_nothing_can_be_compared(api: AsyncClient, workflows: FakeWorkflows) -> None:
    workflows.up = False
    for answer in (await api.post("/v1/reconcile"), await api.get("/v1/reconcile")):
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert "Retry-After" in answer.headers


async def test_only_an_admin_compares(anonymous: AsyncClient) -> None:
    assert (await anonymous.post("/v1/reconcile")).status_code == 401

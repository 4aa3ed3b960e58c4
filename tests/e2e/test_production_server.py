"""A Temporal server as it runs in production, on PostgreSQL: what it has taken it still has when it was killed and is back."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from temporalio.client import Client

from demo import temporal_production
from demo.postgres_server import postgres_server
from demo.temporal_production import production_server
from journey.errors import Unavailable
from tests.e2e.world import eventually


@pytest.mark.timeout(240)
async def test_a_production_server_that_was_killed_is_back_at_its_address_with_all_it_had(tmp_path: Path) -> None:
    if temporal_production.find() is None:
        pytest.skip("its programs are not built: `make cluster` builds them, in minutes")
    try:
        async with postgres_server(tmp_path / "postgres", contrib=True) as postgres:
            async with production_server(tmp_path / "temporal", postgres) as server:
                client = await Client.connect(server.address, namespace="sojourn")
                started = await client.start_workflow("nobody-works-on-it", id="kept", task_queue="nobody")
                os.killpg(server.pid, signal.SIGKILL)
            async with production_server(tmp_path / "temporal", postgres) as again:
                assert (again.address, again.pid != server.pid) == (server.address, True)
                client = await Client.connect(again.address, namespace="sojourn")
                assert (await client.get_workflow_handle("kept").describe()).run_id == started.first_execution_run_id

                async def listed() -> list[str]:
                    return [one.id async for one in client.list_workflows("WorkflowType = 'nobody-works-on-it'")]

                await eventually(listed, lambda ids: ids == ["kept"], "the workflow in the list")
    except Unavailable as missing:
        if "btree_gin" not in missing.sentence:
            raise
        pytest.skip(missing.sentence)

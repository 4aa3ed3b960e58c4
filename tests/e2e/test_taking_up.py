"""A worker starts while its Temporal server is away: it does not end over it, and asks again until the server is there."""

from __future__ import annotations

from pathlib import Path

from temporalio.client import ScheduleDescription
from temporalio.service import RPCError

from activities.taking_up import TakingUp
from demo.temporal_cli import ensure
from demo.temporal_server import free_port, temporal_server
from journey import ids
from settings import Settings
from tests.e2e.world import eventually
from worker import opened


async def test_a_server_that_comes_after_the_worker_is_asked_for_what_is_to_be_taken_up(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(data_dir=tmp_path, temporal_address=f"127.0.0.1:{port}", secret="a secret for tests that is long enough")
    async with opened(settings, lazy=True) as process:
        taking = TakingUp(process.database, process.client, process.workflows, pause=0.2)
        async with taking.seen_to(), temporal_server(ensure(), port=port) as server:
            assert server.address.endswith(str(port)), "somebody took the port meanwhile"

            async def sweeps() -> ScheduleDescription | None:
                try:
                    return await process.client.get_schedule_handle(ids.SWEEP).describe()
                except RPCError:
                    return None

            assert await eventually(sweeps, bool, "the schedule of the sweep", patience=30) is not None

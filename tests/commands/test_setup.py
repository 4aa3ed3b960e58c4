"""`sojourn setup` against a real Temporal server that knows nothing of us."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import Client, ScheduleOverlapPolicy

from commands.setup import run, setup
from demo import temporal_cli
from demo.temporal_server import temporal_server
from journey import ids
from settings import Settings


async def test_a_bare_server_gets_its_namespace_and_search_attributes_once() -> None:
    cli = temporal_cli.find()
    if cli is None:
        pytest.skip("the Temporal CLI is not there: `make test` fetches it")
    async with temporal_server(cli) as server:
        client = await Client.connect(server.address)
        first = [sentence async for sentence in setup(client.service_client, "elsewhere")]
        assert first == [
            "The namespace elsewhere is made; closed workflows are kept for 7 days.",
            "The search attributes SojournJourney, SojournVersion, SojournTest are registered.",
        ]
        again = [sentence async for sentence in setup(client.service_client, "elsewhere")]
        assert again == [
            "The namespace elsewhere is there already.",
            "The search attributes SojournJourney, SojournVersion, SojournTest are there already.",
        ]


async def test_the_sweep_is_on_a_schedule_once_and_one_that_was_paused_stays_so(tmp_path: Path) -> None:
    cli = temporal_cli.find()
    if cli is None:
        pytest.skip("the Temporal CLI is not there: `make test` fetches it")
    async with temporal_server(cli) as server:
        told: list[str] = []
        settings = Settings(data_dir=tmp_path, temporal_address=server.address)
        await run(settings, told.append)
        assert told[-1] == "People who should have gone on are looked after every 30 s."
        client = await Client.connect(server.address, namespace=settings.temporal_namespace)
        sweep = client.get_schedule_handle(ids.SWEEP)
        await sweep.pause(note="by an engineer")
        await run(settings, told.append)

        found = (await sweep.describe()).schedule
        assert (found.policy.overlap, found.state.paused, found.state.note) == (ScheduleOverlapPolicy.SKIP, True, "by an engineer")
        assert [interval.every.seconds for interval in found.spec.intervals] == [30]

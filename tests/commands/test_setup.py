"""`sojourn setup` against a real Temporal server that knows nothing of us."""

from __future__ import annotations

import pytest
from temporalio.client import Client

from commands.setup import setup
from demo import temporal_cli
from demo.temporal_server import temporal_server


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

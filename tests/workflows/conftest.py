"""Each test has a world of its own; what it left in histories is replayed when it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.world import World, world


@pytest.fixture
async def here(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made
        await made.replay(request.node.name, await made.workflows())

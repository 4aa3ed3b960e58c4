"""Each test has a world of its own; what it left in histories is replayed when it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.world import World, world
from tests.fakes import ShiftedClock


@pytest.fixture
def clock() -> ShiftedClock:
    """The store's clock in the world of a test that asks for it."""
    return ShiftedClock()


@pytest.fixture
async def here(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    clock = request.getfixturevalue("clock") if "clock" in request.fixturenames else None
    async with world(tmp_path, clock=clock) as made:
        yield made
        await made.replay(request.node.name, await made.workflows())

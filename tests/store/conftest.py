"""A real database in a file, brought to its tables as in production."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store.database import Database
from store.upgrade import upgrade
from tests.fakes import SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def database(tmp_path: Path, clock: SettableClock) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path / 'sojourn.db'}"
    upgrade(url)
    opened = Database(url, clock)
    yield opened
    await opened.close()

"""A real database in a file, brought to its tables as in production."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from store.database import Database, open_engine
from store.upgrade import upgrade
from tests.fakes import SettableClock
from tests.store.driver import Store, store_in


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


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One file for all tests that take back what they write."""
    url = f"sqlite:///{tmp_path_factory.mktemp('shared') / 'sojourn.db'}"
    upgrade(url)
    opened = open_engine(url)
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine) -> Iterator[Store]:
    """An empty store in a transaction that is taken back."""
    with store_in(engine) as opened:
        yield opened

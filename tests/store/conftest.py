"""A real database, brought to its tables as in production: SQLite, then PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy import Engine

from store.database import Database
from store.engines import open_engine
from tests.databases import Databases
from tests.fakes import SettableClock
from tests.store.driver import Store, store_in


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
async def database(address: str, clock: SettableClock) -> AsyncIterator[Database]:
    opened = Database(address, clock)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def engine(kind: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One database for all tests that take back what they write."""
    opened = open_engine(databases.sqlite(tmp_path_factory.mktemp("shared")) if kind == "sqlite" else databases.kept())
    yield opened
    opened.dispose()


@pytest.fixture
def store(engine: Engine) -> Iterator[Store]:
    """An empty store in a transaction that is taken back."""
    with store_in(engine) as opened:
        yield opened

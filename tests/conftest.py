"""Both databases: a test of the store, the activities or the API that asks for one is run on each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import KINDS, Databases


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    found = Databases()
    yield found
    found.end()


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The database it is; a test of one alone says so: `@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)`."""
    return str(request.param)


@pytest.fixture
def address(kind: str, databases: Databases, tmp_path: Path) -> str:
    """The address of an empty database."""
    return databases.sqlite(tmp_path) if kind == "sqlite" else databases.postgresql()

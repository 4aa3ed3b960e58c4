"""Both databases: a test of the store, the activities or the API that asks for one is run on each."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import hypothesis
import pytest

from tests.databases import KINDS, Databases

WITH_SERVERS = ("e2e", "chaos", "workflows")
"""Folders whose tests have servers and processes of their own: one after the other, while all other tests run beside them."""

DRAW_ANEW = bool(os.environ.get("DRAW_ANEW"))
"""Else a property test draws the same examples each time: whether a change is good is not to be drawn by lot."""
hypothesis.settings.register_profile(  # how long an example takes is the machine's business
    "house", deadline=None, derandomize=not DRAW_ANEW, **({} if DRAW_ANEW else {"database": None})
)
hypothesis.settings.load_profile("house")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the marker
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """`make test` has two processes (pytest-xdist): one has all tests with servers, the other begins with those without."""
    here = Path(__file__).parent
    for item in items:
        if item.path.relative_to(here).parts[0] in WITH_SERVERS:
            item.add_marker(pytest.mark.xdist_group("servers"))


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

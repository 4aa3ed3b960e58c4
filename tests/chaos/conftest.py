"""How large the chaos is, what it stands on, and where its tables go.

`make test` runs a small set. CHAOS=full is `make chaos`: more people, more kills, PostgreSQL beside SQLite; its tables are also kept in
chaos-results.json, from which docs/reliability.md is written. CHAOS_DATABASES names the databases when it is not to be all of them.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.chaos.place import Place, opened_place
from tests.chaos.tables import FILE, TABLES

FULL = os.environ.get("CHAOS") == "full"
DATABASES = os.environ.get("CHAOS_DATABASES", "sqlite,postgresql" if FULL else "sqlite").split(",")

ONLY_IN_FULL = pytest.mark.skipif(not FULL, reason="make chaos has it: it takes longer than make test has time for")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    named = any(mark.args[0] == "database" for mark in metafunc.definition.iter_markers("parametrize"))
    if "database" in metafunc.fixturenames and not named:
        metafunc.parametrize("database", DATABASES)


@pytest.fixture
async def place(tmp_path: Path, database: str) -> AsyncIterator[Place]:
    """Servers and catchers that outlive Sojourn's process, which the test lets come and kills."""
    async with AsyncExitStack() as there:
        yield await opened_place(there, tmp_path, database)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in TABLES.shown():
        terminalreporter.write_line(line)
    if FULL and TABLES.rows:
        TABLES.keep(FILE)

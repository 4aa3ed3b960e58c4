"""The PostgreSQL server that tests and demo start beside themselves."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from demo.postgres_server import new_database, postgres_server


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="sojourn-postgres-test-"))
    made.chmod(0o755)  # root runs the server as somebody else
    yield made
    shutil.rmtree(made, ignore_errors=True)


async def test_a_server_that_was_killed_comes_back_at_its_address_with_all_that_was_committed(folder: Path) -> None:
    async with postgres_server(folder) as first:
        kept = new_database(first, "kept")
        with psycopg.connect(kept) as connection:
            connection.execute("CREATE TABLE people AS SELECT 'Åsa' AS name UNION SELECT 'Zoe'")
        os.kill(first.pid, signal.SIGKILL)
        async with postgres_server(folder, port=urlsplit(first.url).port or 0) as second:
            assert second.url == first.url
            with psycopg.connect(kept) as connection:
                assert connection.execute("SELECT name FROM people ORDER BY name").fetchall() == [("Zoe",), ("Åsa",)]  # by code point

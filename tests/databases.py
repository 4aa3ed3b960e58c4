"""Both databases for tests: a SQLite file each, and one PostgreSQL server for all, whose database is emptied in between."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from demo.postgres_server import new_database, serving_postgres
from store.schema import metadata
from store.upgrade import upgrade

KINDS = ("sqlite", "postgresql")


class Databases:
    """Gives addresses of databases that have their tables and are empty. Those of PostgreSQL are used one after the other, or `kept`."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._server: Callable[[str], str] | None = None
        self._shared = ""
        self._ending: Callable[[], object] = lambda: None

    def sqlite(self, folder: Path) -> str:
        url = f"sqlite:///{folder / 'sojourn.db'}"
        upgrade(url)
        return url

    def postgresql(self) -> str:
        """The one database that tests share: whoever asks for it finds it empty, and nobody else may have it open."""
        if not (self._shared and _emptied(self._shared)):
            self._shared = self.kept()
        return self._shared

    def kept(self) -> str:
        """A database of PostgreSQL of its own."""
        return self._make(f"test_{next(self._numbers)}")

    def _make(self, name: str) -> str:
        if self._server is None:
            running = _running()
            self._server = running.__enter__()
            self._ending = lambda: running.__exit__(None, None, None)
        return self._server(name)

    def end(self) -> None:
        self._ending()


@contextmanager
def _running() -> Iterator[Callable[[str], str]]:
    """A server, and how a database with our tables is made on it."""
    folder = Path(tempfile.mkdtemp(prefix="sojourn-tests-"))
    folder.chmod(0o755)  # root runs the server as somebody else
    try:
        with serving_postgres(folder) as server:
            upgrade(server.url)
            yield lambda name: new_database(server, name, template="sojourn")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _emptied(url: str) -> bool:
    """Row by row: of a few rows that is much quicker than TRUNCATE, which makes new files. False when a test has taken a table away."""
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            connection.execute(";".join(f'DELETE FROM "{table.name}"' for table in metadata.sorted_tables).encode())
        except psycopg.errors.UndefinedTable:
            return False
    return True

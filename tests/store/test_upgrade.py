"""The migrations make the tables that the code knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from journey.errors import Unavailable
from store.database import open_engine
from store.schema import metadata
from store.upgrade import upgrade


def test_the_migrations_make_exactly_the_tables_of_the_schema(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    upgrade(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        migrated = indexes(connection)
    engine.dispose()
    fresh = open_engine("sqlite://")
    metadata.create_all(fresh)
    with fresh.connect() as connection:
        assert migrated == indexes(connection), "the conditions of partial indexes are not compared by Alembic"
    fresh.dispose()


def indexes(connection: Connection) -> dict[str, str]:
    rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
    return {row.name: row.sql for row in rows}


def test_a_database_that_cannot_be_used_says_so_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot be opened: unable to open database file"):
        upgrade(f"sqlite:///{tmp_path / 'nowhere' / 'new.db'}")
    url = f"sqlite:///{tmp_path / 'later.db'}"
    upgrade(url)
    engine = open_engine(url)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(Unavailable, match="another version of Sojourn"):
        upgrade(url)


def test_an_upgrade_that_is_repeated_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    upgrade(url)
    upgrade(url)

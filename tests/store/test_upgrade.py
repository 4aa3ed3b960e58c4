"""The migrations make the tables that the code knows."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from store.database import open_engine
from store.schema import metadata
from store.upgrade import upgrade


def test_the_migrations_make_exactly_the_tables_of_the_schema(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    upgrade(url)
    engine = open_engine(url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        indexes = {index["name"]: index for index in inspect(connection).get_indexes("entrants")}
        assert "state = 'open'" in str(indexes["entrants_one_open"]["dialect_options"]["sqlite_where"])
    engine.dispose()


def test_an_upgrade_that_is_repeated_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    upgrade(url)
    upgrade(url)

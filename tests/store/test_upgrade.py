"""The migrations make the tables that the code knows."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from journey.errors import Unavailable
from store.database import Database
from store.engines import open_engine
from store.schema import metadata
from store.upgrade import upgrade
from tests.databases import Databases

MIGRATIONS = Path(__file__).parents[2] / "store" / "migrations"


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


def test_they_make_the_same_on_postgresql(databases: Databases) -> None:
    engine = open_engine(databases.kept())
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        query = text("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        migrated = {row.indexname: row.indexdef for row in connection.execute(query)}
        metadata.drop_all(connection)
        metadata.create_all(connection)
        assert migrated == {row.indexname: row.indexdef for row in connection.execute(query)}
    engine.dispose()


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


def test_a_definition_from_before_is_found_by_the_name_of_its_events(tmp_path: Path, databases: Databases) -> None:
    written = """INSERT INTO event_definitions (id, document) VALUES ('sale', '{"id":"sale","match":"Order"}'), ('any', '{"id":"any"}')"""
    for url in (f"sqlite:///{tmp_path / 'old.db'}", databases.kept()):
        upgrade(url)
        engine = open_engine(url)
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            config = Config(attributes={"connection": connection})
            config.set_main_option("script_location", str(MIGRATIONS))
            command.downgrade(config, "0014")
            connection.exec_driver_sql(written)
        upgrade(url)
        with engine.connect() as connection:
            rows = connection.execute(text("SELECT id, event_name FROM event_definitions ORDER BY id")).all()
        engine.dispose()
        assert [tuple(row) for row in rows] == [("any", ""), ("sale", "Order")]


def test_an_upgrade_that_is_repeated_changes_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    upgrade(url)
    upgrade(url)


async def test_four_processes_that_start_together_migrate_once(databases: Databases) -> None:
    url = databases.kept()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await asyncio.gather(*(asyncio.to_thread(upgrade, url) for _ in range(4)))
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM profiles").fetchone() == (0,)


def test_a_database_that_cannot_be_reached_is_named_without_its_password() -> None:
    for opening in (Database, upgrade):
        with pytest.raises(Unavailable, match="cannot be opened") as refused:
            opening("postgresql://ada:topsecret@127.0.0.1:1/sojourn")
        assert "topsecret" not in refused.value.sentence
        assert "127.0.0.1" in refused.value.sentence

"""Insert or update in one statement, on each database in its own words. It knows no table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from store.statements import Statement

Row = Mapping[str, Any]


def upsert(connection: Connection, table: Table, values: Row | Sequence[Row], *, update: Sequence[str] | None = None) -> None:
    """Insert rows; where the primary key is there already, update the columns named in `update`.

    `update` None updates every given column that is no part of the key; an empty one leaves the row as it is. All rows must name
    the same columns. Of two rows with one key in one call the later one stands.
    """
    rows = [values] if isinstance(values, Mapping) else list(values)
    if not rows:
        return
    keys = [column.name for column in table.primary_key.columns]
    changed = [name for name in rows[0] if name not in keys] if update is None else list(update)
    connection.execute(_statement(connection.dialect.name, table, keys, changed), [dict(row) for row in rows])


def insert_new(connection: Connection, table: Table, row: Row) -> bool:
    """Insert one row; False when its primary key is there already, and then nothing is changed."""
    statement = _insert_or_leave(connection.dialect.name, table)
    return statement.run(connection, row) == 1


@lru_cache(maxsize=64)
def _insert_or_leave(dialect: str, table: Table) -> Statement:
    return Statement(_statement(dialect, table, [column.name for column in table.primary_key.columns], []))


def insert_into(dialect: str, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that may say what happens when the row is there already."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _statement(dialect: str, table: Table, keys: list[str], changed: list[str]) -> postgresql.Insert | sqlite.Insert:
    statement = insert_into(dialect, table)
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=keys)
    return statement.on_conflict_do_update(index_elements=keys, set_={name: statement.excluded[name] for name in changed})

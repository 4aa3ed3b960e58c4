"""A hot statement does what SQLAlchemy would have done with it, only sooner."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

import store as store_package
from store import schema
from store.statements import Statement
from tests.store.driver import Store

EVENT = {"source": "shop", "id": "e-1", "name": "purchase", "data": {"product": "Lamp", "n": [1, 2.5, None, True]}, "won": True}
INSERT = Statement(schema.events.insert())
FIND = Statement(select(schema.events).where(schema.events.c.id == bindparam("id")))
WIN = Statement(schema.events.update().where(schema.events.c.id == bindparam("id_")).values(won=True, occurred_at=bindparam("at")))


def test_a_row_comes_back_as_it_was_given(store: Store) -> None:
    assert INSERT.run(store.connection, EVENT) == 1
    row = FIND.first(store.connection, {"id": "e-1"})
    assert row is not None
    assert (row.source, row.data, row.won, row.occurred_at) == ("shop", EVENT["data"], True, None)
    assert row == store.row(schema.events, id="e-1")


def test_what_an_insert_is_not_given_takes_the_default_of_the_table(store: Store) -> None:
    INSERT.run(store.connection, EVENT)
    row = FIND.first(store.connection, {"id": "e-1"})
    assert row is not None
    assert row.profile == ""


def test_of_many_each_is_written_and_all_are_read(store: Store) -> None:
    INSERT.run(store.connection, [EVENT | {"id": name, "won": name == "b"} for name in "abc"])
    rows = Statement(select(schema.events.c.id, schema.events.c.won).order_by(schema.events.c.id)).all(store.connection, {})
    assert rows == [("a", False), ("b", True), ("c", False)]


def test_an_update_says_how_many_rows_it_changed_and_a_value_of_its_own_is_kept(store: Store) -> None:
    INSERT.run(store.connection, EVENT | {"won": False})
    assert WIN.run(store.connection, {"id_": "e-1", "at": 7}) == 1
    assert WIN.run(store.connection, {"id_": "nobody", "at": 7}) == 0
    row = store.row(schema.events, id="e-1")
    assert (row.won, row.occurred_at) == (True, 7)


def test_where_nothing_is_found_there_is_none(store: Store) -> None:
    assert FIND.first(store.connection, {"id": "e-1"}) is None
    assert FIND.scalar(store.connection, {"id": "e-1"}) is None
    assert FIND.all(store.connection, {"id": "e-1"}) == []


def test_an_error_is_that_of_sqlalchemy_and_shows_no_personal_data(store: Store) -> None:
    INSERT.run(store.connection, EVENT)
    with pytest.raises(IntegrityError) as raised:
        INSERT.run(store.connection, EVENT | {"profile": "ada@example.org"})
    assert "INSERT INTO events" in str(raised.value)
    assert "ada@example.org" not in str(raised.value)


def test_a_statement_on_a_connection_at_rest_begins_a_transaction_as_any_other(store: Store) -> None:
    with store.connection.engine.connect() as reading:
        FIND.all(reading, {"id": "e-1"})
        assert reading.in_transaction()


def hot_statements() -> Iterator[tuple[str, Statement]]:
    for module in pkgutil.iter_modules(store_package.__path__, "store."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, Statement):
                yield f"{module.name}.{name}", value


def test_every_hot_statement_can_be_said_to_postgresql() -> None:
    """By name, in its own words: it is a second driver, not a second store."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    names = []
    for name, statement in hot_statements():
        statement.words(dialect)
        names.append(name)
    assert len(names) > 20

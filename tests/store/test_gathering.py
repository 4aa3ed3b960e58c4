"""Writes that nobody asks about go out together, and what is there afterwards is what single ones would have left."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from store import schema
from store.database import Database
from store.statements import Statement
from store.work import Work
from tests.store.driver import Store

EVENT = {"source": "shop", "name": "purchase", "data": {"n": 1}, "won": False}
INSERT = Statement(schema.events.insert())
RENAME = Statement(schema.events.update().where(schema.events.c.id == bindparam("id_")).values(name=bindparam("new")))
KEEP = Statement(schema.kept.insert())
KEPT = {"entrant": "ada", "accepted_at": 1, "source": "shop", "back": False}


def names(store: Store) -> dict[str, str]:
    return {row.id: row.name for row in store.rows(schema.events)}


def test_of_two_writes_to_one_row_the_later_one_stands(store: Store) -> None:
    def unit(work: Work) -> None:
        work.write(INSERT, EVENT | {"id": "a"})
        work.write(RENAME, {"id_": "a", "new": "first"})
        work.write(RENAME, {"id_": "a", "new": "second"})

    store.write(unit)
    assert names(store) == {"a": "second"}


def test_whoever_asks_sees_what_the_unit_has_written(store: Store) -> None:
    def unit(work: Work) -> list[str]:
        work.write(INSERT, EVENT | {"id": "a"})
        work.write(KEEP, KEPT | {"event": "a"})
        return list(
            work.connection.execute(select(schema.events.c.id).join(schema.kept, schema.kept.c.event == schema.events.c.id)).scalars()
        )

    assert store.write(unit) == ["a"]


@pytest.mark.parametrize("many", [1, 15, 16, 17, 60])
def test_rows_that_are_added_one_by_one_stay_in_their_order(store: Store, many: int) -> None:
    def unit(work: Work) -> None:
        for number in range(many):
            work.discard("late", event=f"e-{number}")
            work.write(KEEP, KEPT | {"event": f"e-{number}"})

    store.write(unit)
    found = store.connection.execute(select(schema.discards.c.event).order_by(schema.discards.c.id)).scalars()
    assert list(found) == [f"e-{number}" for number in range(many)]
    assert len(store.rows(schema.kept)) == many


def test_rows_that_name_other_columns_do_not_go_out_as_one(store: Store) -> None:
    def unit(work: Work) -> None:
        work.write(INSERT, EVENT | {"id": "a"})
        work.write(INSERT, EVENT | {"id": "b", "profile": "ada"})

    store.write(unit)
    assert {row.id: row.profile for row in store.rows(schema.events)} == {"a": "", "b": "ada"}


def test_an_error_is_that_of_sqlalchemy_and_shows_no_personal_data(store: Store) -> None:
    def unit(work: Work) -> None:
        work.write(KEEP, KEPT | {"event": "a"})
        work.write(INSERT, [EVENT | {"id": "a", "profile": "ada@example.org"}] * 2)

    with pytest.raises(IntegrityError) as raised:
        store.write(unit)
    assert "INSERT INTO events" in str(raised.value)
    assert "ada@example.org" not in str(raised.value)
    assert store.rows(schema.events) == store.rows(schema.kept) == []


async def test_a_unit_whose_last_write_fails_takes_nobody_along(database: Database) -> None:
    def adds(name: str) -> Callable[[Work], None]:
        return lambda work: work.write(INSERT, EVENT | {"id": name})

    outcomes = await database.write_all([adds("a"), adds("b"), adds("a")])
    assert [type(one) for one in outcomes] == [type(None), type(None), IntegrityError]
    found = await database.read(lambda connection: sorted(connection.execute(select(schema.events.c.id)).scalars()))
    assert found == ["a", "b"]

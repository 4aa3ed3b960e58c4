"""A stop and a pause meet an opening and an admission in one PostgreSQL, statement by statement: they hold from their commit (D10).

Whoever moves a version sees, before it commits, everything that was done while it was not moved yet; nothing is done unseen after that.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select, text, update

from journey import ids
from journey.contract import Record
from store import journeys, pausing, profiles, runs, schema, versions
from store.steps import Opened
from store.work import Work
from tests.builders import message, profile, version
from tests.databases import Databases
from tests.store.driver import Driver, check, document, let_in, publish
from tests.store.test_interleaved_statements import Shop, admits, entrant, proposes
from tests.store.turns import Unit

TIMES = int(os.environ.get("INTERLEAVINGS", "300")) // 3
SHOP = version({"id": "one", "kind": "message", "message": "one", "next": "end"}, {"id": "end", "kind": "end"})
VERSION = ids.version("small", 1)
PEOPLE = [f"p{number:04}" for number in range(TIMES)]


@pytest.fixture
def shop(databases: Databases) -> Iterator[Shop]:
    opened = Shop(databases.kept() + "?options=-c%20synchronous_commit%3Doff")
    with opened.store() as store:
        publish(store, SHOP, {"one": message("one", "email")})
        store.connection.execute(schema.journeys.insert(), {"id": "small"})
    yield opened
    opened.ends()


def inside(shop: Shop) -> list[Driver]:
    with shop.store() as store:
        return [driver for at in range(0, TIMES, 200) for driver in let_in(store, SHOP, [profile(name) for name in PEOPLE[at : at + 200]])]


def sees(move: Unit, table: Any, person: str) -> Unit:
    """A move; what comes of it is how many rows about this person were there when it was done, before its commit."""

    def unit(work: Work) -> int:
        move(work)
        of = table.c.entrant if "entrant" in table.c else table.c.id
        rows = select(func.count()).where(of == entrant(person), text("n > 0") if table is schema.steps else text("true"))
        return int(work.connection.execute(rows).scalar_one())

    return unit


def goes_live(shop: Shop) -> None:
    with shop.store() as store:
        store.connection.execute(update(schema.versions).values(state="live", **pausing.NO_PAUSE))


def is_stopped(work: Work) -> object:
    return journeys.stop(work, "small")


def is_paused(work: Work) -> object:
    return pausing.pause(work, "small", "hold", 3600)


def ends_who_acts(work: Work) -> object:
    return pausing.pause(work, "small", "discard", 3600)


@pytest.mark.complaint(11)
@pytest.mark.timeout(600)
@pytest.mark.parametrize("move", [is_stopped, is_paused, ends_who_acts])
def test_nobody_is_written_to_after_the_commit_that_forbids_it(shop: Shop, move: Unit) -> None:
    outcomes: set[str] = set()
    for driver, name in zip(inside(shop), PEOPLE, strict=True):
        opened, seen = shop.meet(proposes(driver.proposal()), sees(move, schema.steps, name))
        if isinstance(opened, Opened):
            assert seen == 1, f"{name}: opened, and the move did not see it"
            outcomes.add("opened")
        else:
            assert isinstance(opened, Record)
            assert opened.held or opened.end
            outcomes.add("held" if opened.held else opened.end)
        goes_live(shop)
    assert "opened" in outcomes
    assert len(outcomes) == 2
    with shop.store() as store:
        check(store, SHOP)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("move", [is_stopped, ends_who_acts])
def test_nobody_is_let_in_after_the_commit_that_forbids_it(shop: Shop, move: Unit) -> None:
    with shop.store() as store:
        work = Work(store.connection, shop.clock)
        profiles.put_all(work, [document(profile(name)) for name in PEOPLE])
        row = versions.row(store.connection, VERSION)
        begun = [runs.start(work, row, SHOP.journey, [name]) for name in PEOPLE]
        store.connection.execute(update(schema.runs).values(state="done"))
    let = 0
    for name, run in zip(PEOPLE, begun, strict=True):
        with shop.store() as store:
            store.connection.execute(update(schema.runs).where(schema.runs.c.id == run).values(state="reading"))
        admitted, seen = shop.meet(admits(run), sees(move, schema.entrants, name))
        assert len(admitted.starts) == seen, f"{name}: let in, and the move did not see it"
        let += seen
        goes_live(shop)
    assert 0 < let < TIMES


@pytest.mark.timeout(600)
def test_whoever_is_held_while_the_pause_ends_is_let_go_on_and_nobody_is_forgotten(shop: Shop) -> None:
    outcomes: set[str] = set()

    def is_resumed(work: Work) -> object:
        return pausing.resume(work, "small")

    def is_released(work: Work) -> pausing.Page:
        return pausing.release(work, VERSION)

    for driver, name in zip(inside(shop), PEOPLE, strict=True):
        with shop.store() as store:
            store.write(lambda work: is_paused(work))
        opened, _, page = shop.meet(proposes(driver.proposal()), is_resumed, is_released)
        with shop.store() as store:
            row = store.row(schema.entrants, id=entrant(name))
            waits = isinstance(opened, Record) and opened.held
            assert waits or row.held == ""
            if waits and entrant(name) not in page.people:
                assert pausing.held_back(store.connection) == [VERSION], "the next page, or the sweep, finds them"
                assert store.write(is_released).people == (entrant(name),)
        outcomes.add("opened" if isinstance(opened, Opened) else "told" if entrant(name) in page.people else "left for the next page")
    assert "opened" in outcomes
    assert len(outcomes) > 1

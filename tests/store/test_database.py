"""Grouped commits: what fails takes only itself back, what is committed stays, and nobody who waits is forgotten (D4)."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, event, func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from journey.errors import Unavailable
from store import schema
from store.database import Database
from store.upgrade import upgrade
from store.work import Work


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Without a test's clock, and impatient: it waits 50 ms for somebody else's lock."""
    url = f"sqlite:///{tmp_path / 'sojourn.db'}"
    upgrade(url)
    opened = Database(url)
    event.listen(opened.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50").close())
    yield opened
    await opened.close()


def writes(name: str) -> Callable[[Work], str]:
    """A unit that leaves a discard and moves a counter, both by this name."""

    def unit(work: Work) -> str:
        work.discard(name)
        work.record("ada", len(name), "v", "live", 1, [(name, "arrived", "")])
        return name

    return unit


def fails(name: str) -> Callable[[Work], str]:
    def unit(work: Work) -> str:
        writes(name)(work)
        raise ValueError(name)

    return unit


def discarded(connection: Connection) -> list[str]:
    return list(connection.execute(select(schema.discards.c.code).order_by(schema.discards.c.id)).scalars())


def counted(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(schema.counters.c.node, schema.counters.c.count))
    return {row.node: row[1] for row in rows}


@asynccontextmanager
async def held(database: Database) -> AsyncIterator[None]:
    """The writer is kept busy inside a commit, so that what comes meanwhile waits and goes into the next one together."""
    entered, leave = threading.Event(), threading.Event()

    def unit(_work: Work) -> None:
        entered.set()
        leave.wait(10)

    holding = asyncio.create_task(database.write(unit))
    await asyncio.to_thread(entered.wait, 10)
    try:
        yield
    finally:
        leave.set()
        await holding


async def together(database: Database, *units: Callable[[Work], Any]) -> list[Any]:
    """Units that go into one commit; what each gave, or raised."""
    async with held(database):
        tasks = [asyncio.create_task(database.write(unit)) for unit in units]
        await asyncio.sleep(0)
    return await asyncio.gather(*tasks, return_exceptions=True)


@contextmanager
def commits(database: Database) -> Iterator[list[int]]:
    """How many commits there are meanwhile."""
    seen: list[int] = []
    event.listen(database.engine, "commit", lambda _: seen.append(1))
    yield seen


# ---- a group of units in one commit ----------------------------------------------------------------------------------------------


async def test_what_waits_goes_into_one_commit(database: Database) -> None:
    with commits(database) as seen:
        assert await together(database, *(writes(f"u{number}") for number in range(10))) == [f"u{number}" for number in range(10)]
    assert len(seen) == 2, "that of the unit that held the writer, and one for the ten"
    assert await database.read(discarded) == [f"u{number}" for number in range(10)]


async def test_a_group_has_an_end(database: Database) -> None:
    with commits(database) as seen:
        await together(database, *(writes(f"u{number}") for number in range(150)))
    assert len(seen) == 1 + 3


async def test_a_unit_that_fails_takes_only_itself_back_and_its_counters(database: Database) -> None:
    first, broken, last = await together(database, writes("first"), fails("broken"), writes("last"))
    assert (first, last) == ("first", "last")
    assert isinstance(broken, ValueError)
    assert await database.read(discarded) == ["first", "last"]
    assert await database.read(counted) == {"first": 1, "last": 1}


async def test_what_nobody_counts_fails_its_unit_alone(database: Database) -> None:
    def notes(work: Work) -> None:
        writes("odd")(work)
        work.noted["weather", "rain"] += 1  # type: ignore[index]

    with pytest.raises(KeyError, match="weather"):
        await database.write(notes)
    assert await database.write(writes("ada")) == "ada"
    assert await database.read(discarded) == ["ada"]


async def test_whose_commit_stands_hears_so_although_something_cannot_be_counted(database: Database) -> None:
    def notes(work: Work) -> str:
        work.noted["event", "decided"] -= 1
        return writes("ada")(work)

    assert await database.write(notes) == "ada"
    assert await database.read(discarded) == ["ada"]


async def test_a_fault_of_the_committing_thread_itself_is_told_and_those_who_come_next_are_served(database: Database) -> None:
    class Unreadable(psycopg.OperationalError):
        @property
        def sqlstate(self) -> str:  # type: ignore[override]
            raise ZeroDivisionError("nobody can tell what kind of trouble this is")

    def breaks(work: Work) -> None:
        writes("odd")(work)
        raise Unreadable

    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(database.write(breaks), 20)
    assert await asyncio.wait_for(database.write(writes("ada")), 20) == "ada"
    assert await database.read(discarded) == ["ada"]


async def test_a_unit_that_fails_alone_leaves_nothing(database: Database) -> None:
    with pytest.raises(ValueError, match="broken"):
        await database.write(fails("broken"))
    assert await database.read(discarded) == []
    assert await database.read(counted) == {}


async def test_a_unit_sees_what_the_one_before_it_in_the_group_wrote(database: Database) -> None:
    seen = await together(
        database, writes("first"), lambda work: discarded(work.connection), fails("x"), lambda work: discarded(work.connection)
    )
    assert seen[1] == ["first"]
    assert seen[3] == ["first"]


async def test_a_statement_that_the_database_refuses_fails_its_unit_alone(database: Database) -> None:
    def twice(work: Work) -> None:
        writes("twice")(work)
        writes("twice")(work)  # the same fact

    _, broken, last = await together(database, writes("first"), twice, writes("last"))
    assert isinstance(broken, IntegrityError)
    assert last == "last"
    assert await database.read(counted) == {"first": 1, "last": 1}


async def test_counters_of_a_group_are_added_up_and_written_once_in_the_order_of_their_keys(database: Database) -> None:
    written: list[str] = []

    def listen(connection: Any, _record: Any) -> None:
        connection.set_trace_callback(lambda statement: written.append(statement) if "INTO counters" in statement else None)

    event.listen(database.engine, "connect", listen)

    def counts(n: int, node: str) -> Callable[[Work], None]:
        return lambda work: work.record("ada", n, "v", "live", 1, [(node, "arrived", "")])

    await together(database, counts(1, "b"), counts(2, "a"), counts(3, "b"))
    assert [re.findall(r"VALUES \('v', 'live', '(\w)', .*?, (\d+)\) ON", one) for one in written] == [[("a", "1")], [("b", "2")]]
    assert await database.read(counted) == {"a": 1, "b": 2}


# ---- a commit that fails ---------------------------------------------------------------------------------------------------------


def break_the_commit(work: Work) -> None:
    """A foreign key that is looked at only when the transaction commits."""
    work.connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS parents (id INTEGER PRIMARY KEY)")
    work.connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    work.connection.exec_driver_sql("INSERT INTO children VALUES (7)")


async def test_when_the_commit_fails_everybody_hears_it_and_nothing_stays(database: Database) -> None:
    heard = await together(database, writes("first"), break_the_commit, writes("last"))
    assert [type(one) for one in heard] == [IntegrityError] * 3
    assert await database.read(discarded) == []
    assert await database.read(counted) == {}


async def test_after_a_commit_that_failed_the_next_one_stands(database: Database) -> None:
    await together(database, break_the_commit)
    assert await database.write(writes("after")) == "after"
    assert await database.read(discarded) == ["after"]


async def test_when_somebody_else_holds_the_database_the_unit_fails_and_the_next_one_stands(database: Database, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "sojourn.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(OperationalError, match="locked"):
            await database.write(writes("first"))
        other.execute("ROLLBACK")
    other.close()
    assert await database.write(writes("second")) == "second"
    assert await database.read(discarded) == ["second"]


async def test_a_database_that_cannot_be_opened_is_told_to_whoever_writes(tmp_path: Path) -> None:
    nowhere = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder.db'}")
    for _ in range(2):
        with pytest.raises(OperationalError):
            await nowhere.write(writes("x"))
    await nowhere.close()


# ---- many at once, and the end ---------------------------------------------------------------------------------------------------


async def test_a_thousand_units_at_once_are_all_there_and_took_few_commits(database: Database) -> None:
    def unit(number: int) -> Callable[[Work], int]:
        def count(work: Work) -> int:
            work.record(f"e{number}", 1, "v", "live", 1, [("n", "arrived", "")])
            if number % 10 == 3:
                raise ValueError
            return number

        return count

    began = time.monotonic()
    with commits(database) as seen:
        results = await asyncio.gather(*(database.write(unit(number)) for number in range(1000)), return_exceptions=True)
    took = time.monotonic() - began
    assert sum(isinstance(result, ValueError) for result in results) == 100
    assert [result for result in results if isinstance(result, int)] == [number for number in range(1000) if number % 10 != 3]
    assert await database.read(counted) == {"n": 900}
    assert await database.read(lambda c: c.execute(select(func.count()).select_from(schema.facts)).scalar_one()) == 900
    assert len(seen) < 100
    assert took < 10


async def test_one_who_no_longer_waits_stops_nobody_and_is_committed_all_the_same(database: Database) -> None:
    """The answer of a provider must be marked, whoever has given up on it meanwhile."""
    async with held(database):
        gone = asyncio.create_task(database.write(writes("gone")))
        other = asyncio.create_task(database.write(writes("other")))
        await asyncio.sleep(0)
        gone.cancel()
    assert await other == "other"
    assert gone.cancelled()
    assert await database.read(discarded) == ["gone", "other"]


async def test_closing_commits_what_waits_and_then_takes_nothing_more(database: Database, tmp_path: Path) -> None:
    async with held(database):
        tasks = [asyncio.create_task(database.write(writes(f"u{number:03}"))) for number in range(100)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable, match="going down"):
            await database.write(writes("late"))
    assert len(await asyncio.gather(*tasks)) == 100
    await closing
    await database.close()
    with sqlite3.connect(tmp_path / "sojourn.db") as file:
        assert file.execute("SELECT count(*) FROM discards").fetchone() == (100,)
    file.close()


async def test_a_reader_keeps_its_snapshot_and_holds_up_no_writer(database: Database) -> None:
    entered, leave = threading.Event(), threading.Event()

    def looks_twice(connection: Connection) -> tuple[list[str], list[str]]:
        before = discarded(connection)
        entered.set()
        leave.wait(10)
        return before, discarded(connection)

    await database.write(writes("before"))
    reading = asyncio.create_task(database.read(looks_twice))
    await asyncio.to_thread(entered.wait, 10)
    await database.write(writes("meanwhile"))
    leave.set()
    assert await reading == (["before"], ["before"])
    assert await database.read(discarded) == ["before", "meanwhile"]


async def test_a_reader_can_write_nothing_that_stays(database: Database) -> None:
    await database.read(lambda c: c.execute(schema.frozen.insert(), {"hash": "h", "canonical": "x"}))
    assert await database.read(lambda c: c.execute(select(schema.frozen)).all()) == []


async def test_the_file_is_synced_at_every_commit(database: Database) -> None:
    def pragmas(connection: Connection) -> tuple[Any, ...]:
        return tuple(connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys"))

    assert await database.read(pragmas) == ("wal", 2, 1)
    assert await database.write(lambda work: pragmas(work.connection)) == ("wal", 2, 1)

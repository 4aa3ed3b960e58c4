"""The one place that opens the database and the one place that commits.

Outside it is async; inside, a unit of work is a plain function on a connection, run in a thread of the database's own. Commits of many
people are grouped: the units that wait when a commit begins go into it together, a savepoint each, so that one that fails takes only
itself back (D4). docs/decisions/0002 says why.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import queue
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from journey.errors import Unavailable
from store import metrics, schema
from store.clock import Clock, SystemClock
from store.statements import Statement
from store.work import CounterKey, Work

T = TypeVar("T")
_MOST_IN_A_GROUP = 64


@dataclass(slots=True)
class _Waiting:
    unit: Callable[[Work], Any]
    done: Future[Any]
    since: float = field(default_factory=time.perf_counter)


class Database:
    """A database that is open. `write` and `read` may be awaited by any number of tasks."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.engine = open_engine(url)
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_for_ever, name="sojourn-commits", daemon=True)
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="sojourn-reads")
        self._closed = False
        self._writer.start()

    async def write(self, unit: Callable[[Work], T]) -> T:
        """Run a unit of work and wait until it is committed. What it raises is raised here, and nothing of it stays."""
        if self._closed:
            raise Unavailable("The database is closed: this process is going down.")
        done: Future[T] = Future()
        self._queue.put(_Waiting(unit, done))
        return await asyncio.wrap_future(done)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on a snapshot of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, query)

    async def close(self) -> None:
        """Commit what waits, then close."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join)
        self._readers.shutdown()
        self.engine.dispose()

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self.engine.connect() as connection:
            return query(connection)

    def _write_for_ever(self) -> None:
        connection: Connection | None = None
        last = False
        while not last:
            first = self._queue.get()
            if first is None:
                break
            group, last = self._gather(first)
            connection = self._commit(connection, group)
        if connection is not None:
            connection.close()

    def _gather(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        group = [first]
        while len(group) < _MOST_IN_A_GROUP:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                return group, False
            if following is None:
                return group, True
            group.append(following)
        return group, False

    def _commit(self, connection: Connection | None, group: list[_Waiting]) -> Connection | None:
        """One commit for a group, on a connection that is returned for the next one.

        When the commit itself fails, every member hears it and nothing of any stays; the connection is then not trusted again.
        """
        results: list[tuple[_Waiting, Any, BaseException | None]] = []
        counted: Counter[CounterKey] = Counter()
        noted: Counter[metrics.Noted] = Counter()
        began = time.perf_counter()
        try:
            connection = connection or self.engine.connect().execution_options(writes=True)
            with connection.begin():
                for member in group:
                    result, error = self._member(connection, member, counted, noted)
                    results.append((member, result, error))
                add_up(connection, counted)
        except BaseException as fault:
            results = [(member, None, fault) for member in group]
            metrics.FAILED_COMMITS.inc()
            if connection is not None:
                _throw_away(connection)
            connection = None
        else:
            metrics.committed(began, [member.since for member in group], noted)
        for member, result, error in results:
            _settle(member.done, result, error)
        return connection

    def _member(
        self, connection: Connection, member: _Waiting, counted: Counter[CounterKey], noted: Counter[metrics.Noted]
    ) -> tuple[Any, BaseException | None]:
        work = Work(connection, self.clock)
        cursor = connection.connection.cursor()  # the driver's own: these two words are said for everybody, and cost no more than that
        cursor.execute("SAVEPOINT member")
        try:
            result = member.unit(work)
        except BaseException as error:
            cursor.execute("ROLLBACK TO member")
            return None, error
        finally:
            cursor.execute("RELEASE member")
            cursor.close()
        counted.update(work.counted)
        noted.update(work.noted)
        return result, None


def open_engine(url: str) -> Engine:
    """The engine, with what the database needs to keep its word: on SQLite a full sync of each commit, and a write lock from its start."""
    engine = create_engine(url, json_serializer=_dump)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # we begin ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """The driver's own begin comes too late for a reader and too weak for a writer, so it is switched off and this one stands."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


_NEW = sqlite_insert(schema.counters)
_COUNT = Statement(
    _NEW.on_conflict_do_update(
        index_elements=list(schema.counters.primary_key.columns),
        set_={"count": schema.counters.c.count + _NEW.excluded.count},
    )
)


def add_up(connection: Connection, counted: Counter[CounterKey]) -> None:
    """Counters once a commit, in the order of their keys, so that two writers never wait for each other in a ring."""
    rows = [{**key._asdict(), "slot": 0, "count": count} for key, count in sorted(counted.items())]
    if rows:
        _COUNT.run(connection, rows)


def _throw_away(connection: Connection) -> None:
    with contextlib.suppress(Exception):  # it is broken already: how does not matter
        connection.invalidate()
        connection.close()


def _settle(done: Future[Any], result: Any, error: BaseException | None) -> None:
    with contextlib.suppress(Exception):  # whoever waited may have been cancelled meanwhile
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

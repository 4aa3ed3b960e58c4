"""The one place that opens the database and the one place that commits.

Outside it is async; inside, a unit of work is a plain function on a connection, run in a thread of the database's own. Commits of many
people are grouped: the units that wait when a commit begins go into it together, and one that fails takes only itself back (D4).
docs/decisions/0002 says why, and 0008 how the same store serves SQLite and PostgreSQL.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from journey.errors import Unavailable
from journey.events import Instant
from store import engines, guard, latest, metrics
from store.clock import Clock, ServerClock, SystemClock
from store.counting import add_up
from store.engines import Trouble
from store.engines import open_engine as open_engine
from store.work import CounterKey, Work

T = TypeVar("T")
_MOST_IN_A_GROUP = 64
_TRIES = 6
"""How often a unit is run that meets other processes at what it wants to write."""
_LOOK_AT_THE_CLOCK = 60.0

_log = logging.getLogger("sojourn.store")


@dataclass(slots=True)
class _Waiting:
    unit: Callable[[Work], Any]
    done: Future[Any]
    rank: int = 0
    since: float = field(default_factory=time.perf_counter)
    noted: Counter[metrics.Noted] = field(default_factory=Counter)  # measured when it is durable


class _Met(Exception):
    """A group has met another one: nothing of it stays, and its members are tried again one by one, in their order."""


class Database:
    """A database that is open. `write` and `read` may be awaited by any number of tasks.

    Without a clock of the caller's, deadlines are measured by the server's on PostgreSQL and by this machine's on SQLite. Raises
    Unavailable when another process works on a SQLite file (`alone` False only looks at it), or PostgreSQL does not answer.
    """

    def __init__(self, url: str, clock: Clock | None = None, *, alone: bool = True, writers: int = engines.WRITERS) -> None:
        self.engine = open_engine(url)
        kind = self.engine.dialect.name
        shared = kind == engines.POSTGRESQL
        self._held = guard.take(self.engine.url) if alone else None
        self._snapshots = self.engine.execution_options(isolation_level="REPEATABLE READ") if shared else self.engine
        self._ending = threading.Event()
        self.clock: Clock = clock or (self._clock_of_the_server() if shared else SystemClock(least=latest.instant(self.engine)))
        self._queue: queue.SimpleQueue[list[_Waiting] | None] = queue.SimpleQueue()
        slot = random.randrange(engines.SLOTS)
        self._writers = (
            [_Writer(self, self._queue, (slot + number) % engines.SLOTS) for number in range(writers)]
            if shared
            else [_Writer(self, self._queue, 0)]
        )
        self._readers = ThreadPoolExecutor(engines.READERS[kind], thread_name_prefix="sojourn-reads")
        self._closed = False
        for writer in self._writers:
            writer.start()

    async def write(self, unit: Callable[[Work], T], rank: int = 0) -> T:
        """Run a unit of work and wait until it is committed, in that commit before those of a lower rank. What it raises is raised here.

        A unit does nothing but read and write: where it meets another process it is taken back and run again. An error of the
        connection may come after its commit: whoever hears one repeats, and every unit takes a repeat.
        """
        (done,) = self._ask([unit], rank)
        return await done

    async def write_all(self, units: Sequence[Callable[[Work], T]]) -> list[T | BaseException]:
        """Run units in their order, each as `write` does; returns what each gave, or raised. All of them are over when this returns."""
        return await asyncio.gather(*self._ask(units), return_exceptions=True)

    def _ask(self, units: Sequence[Callable[[Work], T]], rank: int = 0) -> list[asyncio.Future[T]]:
        if self._closed:
            raise Unavailable("The database is closed: this process is going down.")
        waiting = [_Waiting(unit, Future(), rank) for unit in units]
        self._queue.put(waiting)
        return [asyncio.wrap_future(one.done) for one in waiting]

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run a query on a snapshot of its own."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, query)

    async def close(self) -> None:
        """Commit what waits, then close."""
        if self._closed:
            return
        self._closed = True
        self._ending.set()
        for _ in self._writers:
            self._queue.put(None)
        for writer in self._writers:
            await asyncio.to_thread(writer.join)
        self._readers.shutdown()
        self.engine.dispose()
        guard.leave(self._held)

    def _read(self, query: Callable[[Connection], T]) -> T:
        try:
            with self._snapshots.connect() as connection:
                return query(connection)
        except Exception as error:
            told = engines.as_told(error)
            if told is error:
                raise
            raise told from error

    def _clock_of_the_server(self) -> ServerClock:
        engines.reachable(self.engine)
        clock = ServerClock(self._server_time)

        def follow() -> None:
            while not self._ending.wait(_LOOK_AT_THE_CLOCK):
                try:
                    clock.measure()
                except Exception as error:
                    _log.warning("The clock of the database server could not be read, and is carried on: %s", type(error).__name__)

        threading.Thread(target=follow, name="sojourn-clock", daemon=True).start()
        return clock

    def _server_time(self) -> Instant:
        with self.engine.connect() as connection:
            return int(connection.execute(_TIME).scalar_one())


class _Writer(threading.Thread):
    """A thread that takes what waits into one commit after the other, on a connection of its own."""

    def __init__(self, database: Database, waiting: queue.SimpleQueue[list[_Waiting] | None], slot: int) -> None:
        super().__init__(name="sojourn-commits", daemon=True)
        self._engine, self._clock, self._queue, self._slot = database.engine, database.clock, waiting, slot
        self._connection: Connection | None = None

    def run(self) -> None:
        last = False
        while not last:
            first = self._queue.get()
            if first is None:
                break
            group, last = self._gather(first)
            try:
                for member in self._commit(group):
                    self._alone(member)
            except BaseException as fault:  # of ours: whoever waits hears it and repeats, and those who come next are served
                _log.error("A fault of the store itself: %s", type(fault).__name__, exc_info=fault)
                self._throw_away()
                for member in group:
                    _settle(member.done, None, fault)
        if self._connection is not None:
            self._connection.close()

    def _gather(self, first: list[_Waiting]) -> tuple[list[_Waiting], bool]:
        """A group, and whether it is the last one: higher ranks first. Units that were given together stay so, in their order."""
        parts, count, last = [first], len(first), False
        while not last and count < _MOST_IN_A_GROUP:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            last = following is None
            parts.append(following or [])
            count += len(parts[-1])
        parts.sort(key=lambda part: -part[0].rank if part else 0)
        return [member for part in parts for member in part], last

    def _alone(self, member: _Waiting) -> None:
        """Somebody who met another process: again in a commit of its own, after a pause of any length, as often as is worth while."""
        for tried in range(1, _TRIES):
            time.sleep(random.random() * 0.01 * 2**tried)
            if not self._commit([member], patient=True, last=tried + 1 == _TRIES):
                return

    def _commit(self, group: list[_Waiting], *, patient: bool = False, last: bool = False) -> list[_Waiting]:
        """One commit for a group. Returns those who are to be tried again, since nothing of them stays: all or none of them.

        When the commit itself fails every member hears it; the connection is then not trusted again. A connection that proves dead
        before its commit is replaced once: nothing of it stood. During the commit nobody knows, and nothing is run twice.
        """
        used, began = self._connection is not None, time.perf_counter()
        committing = False
        results: list[tuple[_Waiting, Any, BaseException | None]] = []
        counted: Counter[CounterKey] = Counter()
        try:
            connection = self._connection = self._connection or self._engine.connect().execution_options(writes=True)
            with connection.begin() as transaction:
                if patient and self._engine.dialect.name == engines.POSTGRESQL:
                    connection.exec_driver_sql(engines.PATIENT)
                for member in group:
                    result, error = self._member(connection, member, counted, grouped=len(group) > 1, last=member is group[-1])
                    results.append((member, result, error))
                alone = results[0][2] if len(group) == 1 else None
                if alone is not None and not last and engines.trouble(alone) is not Trouble.NONE:
                    raise _Met from alone
                if alone is not None:
                    transaction.rollback()
                else:
                    if self._engine.dialect.name == engines.SQLITE:
                        add_up(Work(connection, self._clock), counted, self._slot)
                    committing = True
        except _Met:
            return group
        except BaseException as fault:
            found = engines.trouble(fault)
            self._throw_away()
            if not committing and found is Trouble.GONE and used:
                return self._commit(group, patient=patient, last=last)
            if not committing and found in (Trouble.LOCK, Trouble.KEY) and not last:  # at the counters
                return group
            metrics.FAILED_COMMITS.inc()
            results = [(member, None, fault) for member in group]
        else:
            metrics.committed(began, [(member.since, member.noted) for member, _, error in results if committing and error is None])
        for member, result, error in results:
            _settle(member.done, result, error)
        return []

    def _member(
        self, connection: Connection, member: _Waiting, counted: Counter[CounterKey], *, grouped: bool, last: bool
    ) -> tuple[Any, BaseException | None]:
        """Run a unit. Its own error is returned; one of the connection, or one that the whole group must give way to, is raised.

        On SQLite a member of a group has a savepoint. On PostgreSQL that would be two round trips for everybody: there a member that
        fails has its group taken back, and all are tried again alone; and what the last one writes goes out with the group's counters.
        """
        saved = grouped and self._engine.dialect.name == engines.SQLITE
        work = Work(connection, self._clock)
        cursor = connection.connection.cursor() if saved else None  # the driver's own: two words, which cost no more than that
        if cursor is not None:
            cursor.execute("SAVEPOINT member")
        try:
            result = member.unit(work)
            metrics.check(work.noted)  # here it costs one unit of work; after the commit nobody could be told
            if last and self._engine.dialect.name == engines.POSTGRESQL:
                add_up(work, counted + work.counted, self._slot)
            work.send()
        except BaseException as error:
            if engines.trouble(error) is Trouble.GONE:
                raise
            if cursor is not None:
                cursor.execute("ROLLBACK TO member")
                cursor.execute("RELEASE member")
            elif grouped:
                raise _Met from error
            return None, error
        if cursor is not None:
            cursor.execute("RELEASE member")
            cursor.close()
        counted.update(work.counted)
        member.noted = work.noted
        return result, None

    def _throw_away(self) -> None:
        if self._connection is None:
            return
        with contextlib.suppress(Exception):  # it is broken already: how does not matter
            self._connection.invalidate()
            self._connection.close()
        self._connection = None


_TIME = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")


def _settle(done: Future[Any], result: Any, error: BaseException | None) -> None:
    with contextlib.suppress(Exception):  # whoever waited may have been cancelled meanwhile
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(engines.as_told(error))

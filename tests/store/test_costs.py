"""What one person costs the store is what the table in docs/walk.md says: each commit and each statement.

Heard is what SQLite itself executes, and what the driver of PostgreSQL is told to.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from sqlalchemy import event

from journey.contract import Record
from store import admission, journeys, profiles, versions
from store.database import Database
from store.steps import Opened
from store.work import Work
from tests import builders, stock
from tests.fakes import SettableClock
from tests.store.driver import Driver, Store, document, sent

T = TypeVar("T")
PAGE = Path(__file__).parents[2] / "docs" / "walk.md"
USE_CASE = builders.use_case_journey()
_PART = re.compile(r"INSERT INTO \w+ \([^()]*\) VALUES (?P<rows>(?:\([^()]*\)(?:, )?)+)|UPDATE \w+ SET|DELETE FROM \w+")
FRAME = ("BEGIN", "SAVEPOINT", "RELEASE")
"""What stands around the statements of every commit; the page says so once."""


@dataclass(frozen=True)
class Cost:
    """How often each table is read and written. A statement that writes many rows counts once for each."""

    commits: int
    reads: Counter[str]
    writes: Counter[str]


class Till:
    """Hears what is executed, and counts it between two looks."""

    def __init__(self, database: Database) -> None:
        self._executed: list[str] = []
        self._sent = 0
        self.round_trips: dict[str, int] = {}
        event.listen(database.engine, "connect", self._listen)
        if database.engine.dialect.name == "postgresql":
            event.listen(database.engine, "commit", lambda _: self._executed.append("COMMIT"))

    def _listen(self, connection: Any, _record: object) -> None:
        if isinstance(connection, sqlite3.Connection):
            connection.set_trace_callback(self._executed.append)
            return
        till, executed = self, self._executed

        class Telling(psycopg.RawCursor[Any]):
            def execute(self, query: Any, *arguments: Any, **more: Any) -> Any:
                till._sent += 1
                executed.extend(_apart(str(query)))
                return super().execute(query, *arguments, **more)

            def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:
                till._sent += len(params_seq)
                executed.extend([str(query)] * len(params_seq))
                super().executemany(query, params_seq, **more)

        connection.cursor_factory = Telling

    def taken(self, what: str = "") -> Cost:
        """What was executed since the last look, in which `what` happened."""
        self.round_trips[what], self._sent = self._sent, 0
        executed = [" ".join(statement.split()) for statement in self._executed if not statement.startswith(FRAME)]
        self._executed.clear()
        reads = Counter(table for one in executed for table in re.findall(r"^SELECT .*? FROM (\w+)", one))
        writes = Counter(table for one in executed for table in re.findall(r"^(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)", one))
        commits = executed.count("COMMIT")
        assert commits + reads.total() + writes.total() == len(executed), f"a statement of a kind not known here: {executed}"
        return Cost(commits, reads, writes)


def _apart(query: str) -> list[str]:
    """The writes in a statement, once for each row of an INSERT; the statement itself when it reads."""
    parts = [[part[0]] * (part["rows"] or "(").count("(") for part in _PART.finditer(query)]
    return [query] if query.startswith("SELECT") or not parts else [one for part in parts for one in part]


class Committing(Store):
    """A store in which every unit of work is committed, as those of the API and the activities are. Called from another thread."""

    def __init__(self, database: Database, clock: SettableClock) -> None:
        self.clock = clock
        self._database, self._loop = database, asyncio.get_running_loop()

    def write(self, unit: Callable[[Work], T]) -> T:
        return asyncio.run_coroutine_threadsafe(self._database.write(unit), self._loop).result()


async def test_the_page_names_every_commit_and_statement_of_a_person(database: Database, clock: SettableClock) -> None:
    till = Till(database)
    found = await asyncio.to_thread(costs, Committing(database, clock), till)
    page = PAGE.read_text(encoding="utf-8")
    assert found == told(page), "the table should be:\n" + "\n".join(row(*one) for one in found.items())
    if database.engine.dialect.name == "postgresql":
        sent = sum(times for what, times in till.round_trips.items() if what in found and "silent" not in what and "page" not in what)
        assert re.findall(r"the \d+\s+are (\d+) round trips", page) == [str(sent)]


def costs(store: Committing, till: Till) -> dict[str, Cost]:
    """Two people are let in: one opens and buys, the other lets the day pass. What each thing that happens costs, by its name."""
    found: dict[str, Cost] = {}

    def count(what: str) -> None:
        found[what] = till.taken(what)

    run = store.write(_published)
    till.taken()
    admitted = store.write(lambda work: admission.admit_page(work, run))
    count("two people are let in by one page")
    opens, silent = (Driver(store, USE_CASE, start.entrant.entrant, Record(0, start.entrant.place)) for start in admitted.starts)
    _stop(opens, "step 1", count)
    silent.stop()
    till.taken()
    opens.note(store.react(opens.entrant, 1, "email.opened"))
    count("the open is accepted")
    opens.stop()
    count("step 2, opened and closed at once")
    opens.note(store.accept(builders.purchase(), "opens"))
    count("the purchase is accepted")
    _stop(opens, "step 3", count)
    assert opens.record.end == "finished"
    store.clock.instant += builders.DAY
    _stop(silent, "step 2 of somebody silent", count)
    assert silent.record.said == "email-opened timed out; follow-up: sent on email; waits at purchase"
    return found


def _published(work: Work) -> str:
    stock.put_use_case(work)
    for name in ("opens", "silent"):
        profiles.put(work, document(builders.profile(name)))
    run = journeys.publish(work, "thank-you", stock.PUBLIC_URL).run
    live = versions.live(work.connection, "thank-you")
    assert run is not None
    assert live is not None
    versions.frozen_version(work.connection, live.hash)  # read once a process: that is nobody's cost
    return run


def _stop(driver: Driver, step: str, count: Callable[[str], None]) -> None:
    proposal = driver.proposal()
    opened = driver.open(proposal)
    count(f"{step}, opened")
    assert isinstance(opened, Opened)
    closed = driver.mark(proposal, *(sent(claim) for claim in opened.claims))
    count(f"{step}, marked and closed")
    assert closed is not None
    driver.record = closed


def test_the_sums_of_the_page_are_those_of_its_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    walked = [cost for what, cost in told(page).items() if "silent" not in what and "page" not in what]
    sums = (sum(cost.commits for cost in walked), sum(cost.reads.total() + cost.writes.total() for cost in walked))
    assert re.findall(r"costs (\d+) commits and (\d+) statements", page) == [tuple(map(str, sums))]


def told(page: str) -> dict[str, Cost]:
    """The table of the page: what happens, commits, reads and writes, each as a number and the tables that make it up."""
    rows = re.findall(r"^\| ([^|`]+?) \| (\d+) \| (\d+): ([^|]*?) \| (\d+): ([^|]*?) \|$", page, re.MULTILINE)
    found = {what: Cost(int(commits), _tables(reads), _tables(writes)) for what, commits, _, reads, _, writes in rows}
    totals = {what: (int(reads), int(writes)) for what, _, reads, _, writes, _ in rows}
    assert totals == {what: (cost.reads.total(), cost.writes.total()) for what, cost in found.items()}
    return found


def _tables(cell: str) -> Counter[str]:
    """`deliveries 2, steps` is two of one and one of the other."""
    return Counter({table: int(times or 1) for table, times in re.findall(r"(\w+)(?: (\d+))?", cell)})


def row(what: str, cost: Cost) -> str:
    """A line of the table as it should be; for whoever changes what something costs."""
    reads, writes = (
        f"{of.total()}: {', '.join(f'{table} {times}' if times > 1 else table for table, times in of.items())}"
        for of in (cost.reads, cost.writes)
    )
    return f"| {what} | {cost.commits} | {reads} | {writes} |"

"""What a unit of work gets: the connection, the instant, and the counters it moves. Every function that writes takes one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection

from journey.events import Instant
from store import schema
from store.clock import Clock
from store.engines import POSTGRESQL
from store.gathering import Gathered
from store.metrics import Noted
from store.statements import Statement, Values
from store.upserts import insert_into


class CounterKey(NamedTuple):
    """One counter: what happened (`kind`, and `channel` when it is about one) at which node of which version."""

    version: str
    mode: str
    node: str
    kind: str
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Decided:
    """What is to be signalled to an entrant: its gate was decided, which step `n` arrived at; or it must end for a reason, `ends`."""

    entrant: str
    n: int
    node: str
    source: str
    event: str
    ends: str = ""


class Work:
    """One unit of work inside a commit. It lives as long as its savepoint; what it counted is added up by the committer,
    and what it noted is measured when it is durable (store/metrics.py). `aside` is to be signalled to others than its own.

    What is given to `write` is gathered on PostgreSQL (store/gathering.py). It is sent before anything else is asked, and by whoever made
    the unit, when that is over.
    """

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self.dialect = connection.dialect.name
        self._connection = connection
        self._gathered = Gathered() if self.dialect == POSTGRESQL else None
        self.counted: Counter[CounterKey] = Counter()
        self.noted: Counter[Noted] = Counter()
        self.aside: list[object] = []
        self._clock = clock

    @property
    def connection(self) -> Connection:
        """The way to the database, which has seen all that this unit has written."""
        self.send()
        return self._connection

    def write(self, statement: Statement, values: Values | Sequence[Values]) -> None:
        """Write a row, or each of many, where nobody asks how many rows that changed."""
        if self._gathered is None:
            statement.run(self._connection, values)
        else:
            self._gathered.add(self._connection, statement, values)

    def send(self) -> None:
        """Send what is gathered."""
        if self._gathered is not None:
            self._gathered.send(self._connection)

    def now(self) -> Instant:
        """The store's clock. Read it after the locks are held, never before."""
        return self._clock.now()

    def record(self, entrant: str, n: int, version: str, mode: str, at: Instant, facts: Iterable[tuple[str, str, str]]) -> None:
        """Write facts (node, kind, channel) of a step and move their counters. A fact that is there already is a fault of ours."""
        rows: list[dict[str, Any]] = []
        for node, kind, channel in facts:
            rows.append({"entrant": entrant, "n": n, "node": node, "kind": kind, "channel": channel, "at": at})
            self.counted[CounterKey(version, mode, node, kind, channel)] += 1
        if rows:
            self.write(INSERT_FACTS, rows)

    def discard(
        self, code: str, *, source: str = "", event: str = "", profile: str = "", entrant: str = "", version: str = "", run: str = "",
        detail: str = "",
    ) -> None:  # fmt: skip
        """Put on record why something had no effect."""
        self.noted["discard", code] += 1
        self.write(
            _INSERT_DISCARD,
            {"source": source, "event": event, "profile": profile, "entrant": entrant, "version": version, "run": run,
             "code": code, "detail": detail, "at": self.now()},
        )  # fmt: skip

    def discard_once(self, code: str, source: str, event: str, detail: str) -> None:
        """The same of something that is kept nowhere: on record once however often it is sent, also to two processes at one moment.
        Without an id nobody can tell a repeat."""
        row = {"source": source, "event": event, "code": code, "detail": detail, "at": self.now(), "once": bool(event)}
        if _DISCARD_ONCE[self.connection.dialect.name].run(self.connection, row):
            self.noted["discard", code] += 1


INSERT_FACTS = Statement(schema.facts.insert())
INSERT_STEPS = Statement(schema.steps.insert())
_INSERT_DISCARD = Statement(schema.discards.insert())
_DISCARD_ONCE = {dialect: Statement(insert_into(dialect, schema.discards).on_conflict_do_nothing()) for dialect in ("sqlite", "postgresql")}

"""Drives entrants through a real store as their workflows do, without Temporal: the clock is set by hand, time never passes alone.

Everything runs in one transaction that is taken back when the test is over. A unit of work gets a savepoint, and its counters are added
up as the committer would, so that one which fails leaves nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, Table, select

from journey import ids, walk
from journey.contract import Happened, Proposal, Record
from journey.events import Event
from journey.graph import Journey
from journey.messages import MessageDocument
from journey.profiles import Profile, ProfileDocument
from journey.proposing import propose
from journey.version import Version
from journey.walk import Listen, Outcome
from store import acceptance, admission, closing, counting, definitions, messages, profiles, runs, schema, steps, versions
from store.acceptance import Arrived, Verdict
from store.changes import SetOff
from store.claims import Busy, Carrier, Policy
from store.closing import Mark
from store.steps import Opened
from store.taking import Claim
from store.versions import VersionRow
from store.work import CounterKey, Work
from tests.builders import SECOND, START
from tests.fakes import SettableClock

T = TypeVar("T")

_WRITTEN = "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables"
LEASE = 40 * SECOND
AT_RISK = Policy({"email": Carrier(LEASE, idempotent=False), "push": Carrier(LEASE, idempotent=True)})
"""E-mail may reach somebody twice, push does not: as SMTP and an HTTP provider are."""


@dataclass
class Store:
    """A store inside one transaction, with a clock that a test moves."""

    connection: Connection
    clock: SettableClock = field(default_factory=lambda: SettableClock(START))

    def write(self, unit: Callable[[Work], T]) -> T:
        """Run a unit of work as a member of a commit of its own."""
        work = Work(self.connection, self.clock)
        with self.connection.begin_nested():
            done = unit(work)
            counting.add_up(work, work.counted)
        return done

    def kept_work(self, unit: Callable[[Work], Any]) -> Work:
        """As `write`, for what the unit leaves on its work."""

        def keeping(work: Work) -> Work:
            unit(work)
            return work

        return self.write(keeping)

    def rows(self, table: Table, **where: Any) -> list[Row[Any]]:
        """Rows with these values, in the order of the primary key."""
        query = select(table).where(*(table.c[name] == value for name, value in where.items()))
        return list(self.connection.execute(query.order_by(*table.primary_key.columns)))

    def row(self, table: Table, **where: Any) -> Row[Any]:
        (found,) = self.rows(table, **where)
        return found

    def written(self) -> int:
        """How many rows were ever written on this connection: the same before and after means that nothing was."""
        if self.connection.dialect.name == "postgresql":
            return int(self.connection.exec_driver_sql(_WRITTEN).scalar_one())
        dbapi: Any = self.connection.connection.dbapi_connection
        return int(dbapi.total_changes)

    def accept(self, event: Event, key: str, **policy: Any) -> Verdict:
        """An event about whoever has this key comes in."""
        arrived = Arrived(replace(event, profile="", accepted_at=0), "customer_id", key)
        return self.write(lambda work: acceptance.accept(work, arrived, acceptance.Policy(**policy)))

    def react(self, entrant: str, n: int, to: str, link: str = "") -> Verdict:
        """Somebody opens or clicks what step `n` sent them: `to` is CHANNEL.KIND."""
        channel, _, kind = to.partition(".")
        return self.write(lambda work: acceptance.react(work, ids.delivery(entrant, n, channel), kind, link))

    def effect_of(self, source: str, event: str) -> str:
        """What has become of an event, by the rows that it left: `decided`, `kept`, or the code of its one discard."""
        return self.effects()[source, event]

    def effects(self) -> dict[tuple[str, str], str]:
        """What has become of every event, by (source, id): each has one effect, and is a discard at most once."""
        codes: dict[tuple[str, str], list[str]] = defaultdict(list)
        for row in self.rows(schema.discards):
            codes[row.source, row.event].append(row.code)
        kept = {(row.source, row.event) for row in self.rows(schema.kept)}
        found: dict[tuple[str, str], str] = {}
        for row in self.rows(schema.events):
            key = (row.source, row.id)
            has = ["decided"] * row.won + ["kept"] * (key in kept and not row.won) + codes[key]
            assert len(has) == 1, f"{key} has the effects {has}"
            found[key] = has[0]
        return found


@contextmanager
def store_in(engine: Engine, clock: SettableClock | None = None) -> Iterator[Store]:
    """A store on an engine whose tables are there; what is written is taken back at the end."""
    with engine.connect().execution_options(writes=True) as connection:
        transaction = connection.begin()
        try:
            yield Store(connection, clock or SettableClock(START))
        finally:
            transaction.rollback()


# ---- people let in ---------------------------------------------------------------------------------------------------------------


def document(person: Profile, **identities: str) -> ProfileDocument:
    """Somebody as they are put: with their id as the key of the journey, unless told otherwise."""
    raw = {"id": person.id, "attributes": person.attributes, "identities": identities or {"customer_id": person.id},
           "consents": person.consents, "push_tokens": [{"token": token} for token in person.push_tokens], "test": person.test}  # fmt: skip
    return ProfileDocument.model_validate(raw)


def publish(store: Store, version: Version, documents: Mapping[str, MessageDocument] | None = None) -> VersionRow:
    """A version goes live with the messages and definitions around it; nobody is let in yet."""
    journey, number = version.journey.id, 1
    row = VersionRow(ids.version(journey, number), journey, number, version.hash, "live", store.clock.now())

    def unit(work: Work) -> None:
        versions.keep(work, version)
        versions.insert(work, row)
        for message in (documents or {}).values():
            messages.put(work, message)
        for definition in version.events.values():
            definitions.put(work, definition)

    store.write(unit)
    return row


def let_in(store: Store, version: Version, people: Sequence[Profile], *, policy: Policy = AT_RISK) -> list[Driver]:
    """A run of these people, read to its end; the drivers of those who were let in."""

    def begin(work: Work) -> str:
        row = versions.row(work.connection, ids.version(version.journey.id, 1))
        for person in people:
            profiles.put(work, document(person))
        return runs.start(work, row, version.journey, [person.id for person in people])

    run = store.write(begin)
    admitted = store.write(lambda work: admission.admit_page(work, run))
    return [Driver(store, version.journey, start.entrant.entrant, Record(0, start.entrant.place), policy) for start in admitted.starts]


# ---- an entrant on the way -------------------------------------------------------------------------------------------------------


def next_proposal(journey: Journey, entrant: str, record: Record, heard: Happened | None = None) -> Proposal:
    """What the entrant's workflow proposes when it goes on from a record: the same walk, and the same words to the store.

    `heard` is the signal that decided the gate; without one, and without a decision in the record, time is up.
    """
    at = walk.ask(journey, record.place)
    if not isinstance(at, Listen):
        return propose(journey, entrant, record.n + 1, record.place)
    if record.node:
        heard = Happened(record.n, record.node, record.source, record.event)
    if heard is not None:
        left = Outcome(heard.node, "next")
        return propose(journey, entrant, record.n + 1, walk.follow(journey, left), left, heard)
    due = Outcome(record.due_node, record.due_exit) if record.due_node else at.due
    if due is None:
        return Proposal(entrant=entrant, n=record.n + 1)
    return propose(journey, entrant, record.n + 1, walk.follow(journey, due), due)


@dataclass
class Driver:
    """One entrant: what its workflow holds, and the two commits of its stops."""

    store: Store
    journey: Journey
    entrant: str
    record: Record
    policy: Policy = AT_RISK
    heard: Happened | None = None
    version: str = ""

    def __post_init__(self) -> None:
        self.version = self.version or ids.version(self.journey.id, 1)

    def waits(self) -> bool:
        """Is there nothing to do but to wait?"""
        listens = isinstance(walk.ask(self.journey, self.record.place), Listen)
        return listens and not self.record.end and not self.record.node and not self._is_told()

    def _is_told(self) -> bool:
        return self.heard is not None and self.heard.n == self.record.n

    def note(self, told: Verdict | SetOff) -> None:
        """The signals after an acceptance, or a write of a profile: those of them that are for this entrant."""
        for decided in told.decided:
            if decided.entrant == self.entrant and not decided.ends:
                self.heard = Happened(decided.n, decided.node, decided.source, decided.event)

    def proposal(self) -> Proposal:
        """The next step as the workflow would have it now."""
        return next_proposal(self.journey, self.entrant, self.record, self.heard if self._is_told() else None)

    def asks(self) -> Proposal:
        """What the workflow proposes that is told to leave: it does not know what is so, and the store does."""
        return Proposal(entrant=self.entrant, n=self.record.n + 1)

    def open(self, proposal: Proposal) -> Record | Opened | Busy:
        return self.store.write(lambda work: steps.open_step(work, proposal, self.policy))

    def mark(self, proposal: Proposal, *marks: Mark) -> Record | None:
        return self.store.write(lambda work: closing.mark(work, proposal, list(marks)))

    def ask(self) -> Record:
        """What the store has of it, as a workflow asks that has just been started."""
        found = self.open(Proposal(entrant=self.entrant, n=self.record.n))
        assert isinstance(found, Record)
        self.record = found
        self._go_on_elsewhere()
        return self.record

    def stop(self, *marks: Mark, proposal: Proposal | None = None) -> Record:
        """A whole stop: opened, and marked as told; a delivery that nothing is told of is sent."""
        proposed = proposal or self.proposal()
        opened = self.open(proposed)
        assert not isinstance(opened, Busy)
        if isinstance(opened, Opened):
            told = {mark.channel: mark for mark in marks}
            answers = [told.get(claim.channel, sent(claim)) for claim in opened.claims]
            closed = self.mark(proposed, *answers)
            assert closed is not None
            opened = closed
        self.record = opened
        self._go_on_elsewhere()
        return opened

    def _go_on_elsewhere(self) -> None:
        """Whoever was carried over goes on with the graph of that version, and asks the store where they wait."""
        if self.record.version in ("", self.version):
            return
        self.version, self.journey = self.record.version, versions.frozen_version(self.store.connection, self.record.hash).journey
        if isinstance(walk.ask(self.journey, self.record.place), Listen):
            self.ask()

    def walk_to(self, place: str) -> Record:
        """Stop after stop, everything sent, until it stands at this place; at a gate on the way its time passes."""
        while self.record.place != place:
            assert not self.record.end, f"ended with {self.record.end} before {place}"
            if self.waits():
                self.pass_time()
            self.stop()
        return self.record

    def pass_time(self) -> None:
        """The timer of the gate where it waits runs out."""
        row = self.row()
        self.store.clock.instant = max(self.store.clock.instant, row.due)

    def row(self) -> Row[Any]:
        return self.store.row(schema.entrants, id=self.entrant)

    def path(self) -> tuple[str, ...]:
        """Every node that was left, as NODE:EXIT, as the simulator tells it."""
        told: list[str] = []
        for row in self.store.rows(schema.steps, entrant=self.entrant):
            told += [f"{row.left}:{row.left_exit}"] if row.left else []
            told += [f"{row.node}:{row.outcome}"] if row.node and row.closed_at is not None else []
        return tuple(told)

    def deliveries(self) -> dict[str, str]:
        """What became of each delivery, as N.CHANNEL to STATUS or STATUS:REASON."""
        rows = self.store.rows(schema.deliveries, entrant=self.entrant)
        return {f"{row.n}.{row.channel}": f"{row.status}:{row.reason}" if row.reason else row.status for row in rows}


def sent(claim: Claim) -> Mark:
    return Mark(claim.channel, "sent", provider_id=f"id-of-{claim.delivery}")


# ---- what always holds -----------------------------------------------------------------------------------------------------------


def check(store: Store, version: Version) -> None:
    """Facts and counters are the same numbers, every node has what came minus what went, and every event one effect."""
    version_id = ids.version(version.journey.id, 1)
    of = {row.id: row for row in store.rows(schema.entrants, version=version_id)}
    facts = Counter(
        CounterKey(version_id, "live", row.node, row.kind, row.channel) for row in store.rows(schema.facts) if row.entrant in of
    )
    counters = Counter[CounterKey]()
    for row in store.rows(schema.counters, version=version_id):
        counters[CounterKey(row.version, row.mode, row.node, row.kind, row.channel)] += row._mapping["count"]
    assert facts == counters
    inside = Counter[str]()
    for row in of.values():
        if row.state == "open" and (not row.closed or isinstance(walk.ask(version.journey, row.place), Listen)):
            inside.update(walk.nodes_of(row.place))
    balance = Counter[str]()
    for key, count in facts.items():
        balance[key.node] += count if key.kind == "arrived" else -count if key.kind.startswith(("left.", "ended.")) and key.node else 0
    assert {node: count for node, count in balance.items() if count} == dict(inside)
    store.effects()
    inside_now = {row.id for row in store.rows(schema.entrants, state="open")}
    assert {row.entrant for row in store.rows(schema.kept)} <= inside_now

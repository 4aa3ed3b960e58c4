"""The row of an entrant: read it under its lock, change it, save it. It knows nothing of sending and hearing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from journey import durations, gate, ids, lifecycle, walk
from journey.events import Event, Instant
from journey.keeping import Kept
from journey.version import Version
from store import schema
from store.statements import Statement
from store.versions import frozen_version
from store.work import Work

DECIDED_DUE = 10 * gate.MICROSECONDS
"""An entrant whose gate is decided should have gone on by then; if not, the sweep looks after it."""


@dataclass
class Entrant:
    """An open or ended entrant as the store has it. Change the fields, then `save`."""

    id: str
    journey: str
    version: str
    mode: str
    key: str
    profile: str
    run: str
    entry_source: str
    entry_event: str
    entered_at: Instant
    state: str
    n: int
    closed: bool
    place: str
    waiting: bool
    arrived_at: Instant | None
    until: Instant | None
    ends: gate.Ends | None
    won_node: str
    won_source: str
    won_event: str
    keeps: bool
    due: Instant | None
    held: str
    parked: str
    parked_why: str
    ending: str
    ending_detail: str
    end_reason: str
    ended_at: Instant | None
    carried: bool
    hash: str
    version_state: str
    version_pause: str
    version_ends_at: Instant | None
    successor: str
    succession: dict[str, Any] | None
    frozen: Version
    is_past_end: bool = False  # the end date of its version, when it was read

    @cached_property
    def global_deadline(self) -> Instant:
        return self.entered_at + durations.seconds(self.frozen.journey.global_timeout) * gate.MICROSECONDS

    @property
    def is_test(self) -> bool:
        """Does it belong to a test session?"""
        return self.frozen.session is not None

    @property
    def must_end(self) -> str:
        """Why its next commit is its end; empty when it is not (D10)."""
        stopped = "test_ended" if self.is_test else "journey_stopped"
        return self.ending or (stopped if self.version_state == "stopped" else lifecycle.ENDED if self.is_past_end else "")

    @property
    def may_not_act(self) -> bool:
        """Its version is paused, or was and it has not been let go on yet."""
        return lifecycle.may_not_act(self.version_state, held=bool(self.held))

    @property
    def ended_by(self) -> str:
        """The exit criterion that ends it, in words, without the event that met it."""
        return self.ending_detail.partition(" (")[0]

    @property
    def next_instant(self) -> Instant:
        """When it is to be woken if nothing happens."""
        return self.global_deadline if self.until is None else min(self.until, self.global_deadline)

    def gate_here(self) -> gate.Gate | None:
        """The gate it stands at, None when it is under way to a node that acts."""
        if not self.closed or not self.place or self.arrived_at is None:
            return None
        if not isinstance(walk.ask(self.frozen.journey, self.place), walk.Listen):
            return None
        return gate.build(self.frozen.journey, self.place, self.arrived_at, self.ends)

    def waits(self, at: Instant) -> bool:
        """Waiting: at a gate that is undecided and not past its deadline. All else is under way (design section 1)."""
        return self.waiting and at <= self.next_instant

    def goes_on(self, at: Instant) -> bool:
        """Is it still inside at this instant, or is it only late that its time was up?"""
        return not self.waiting or at <= self.global_deadline

    def must_leave(self, reason: str, now: Instant, detail: str = "") -> None:
        """Its next commit is its end, for this reason; one that stands already stays (D10)."""
        if not self.must_end:
            self.ending, self.ending_detail, self.due = reason, detail, now + DECIDED_DUE

    def decide(self, won: gate.Won, now: Instant) -> None:
        """An event has decided its gate; from now on it is under way."""
        self.won_node, self.won_source, self.won_event = won.node, won.event.source, won.event.id
        self.waiting = False
        self.due = now + DECIDED_DUE


_OF_VERSION = ("hash", "version_state", "version_pause", "version_ends_at", "successor", "succession")
_OWN = tuple(field.name for field in fields(Entrant) if field.name not in (*_OF_VERSION, "frozen", "is_past_end"))
_NAMES = (*_OWN, *_OF_VERSION)
_CHANGING = (
    "state", "n", "closed", "place", "waiting", "arrived_at", "until", "ends", "won_node", "won_source", "won_event", "keeps", "due",
    "held", "parked", "parked_why", "ending", "ending_detail", "end_reason", "ended_at",
)  # fmt: skip
_COLUMNS = select(
    *(schema.entrants.c[name] for name in _OWN), schema.versions.c.hash, schema.versions.c.state.label("version_state"),
    schema.versions.c.pause.label("version_pause"), schema.versions.c.ends_at.label("version_ends_at"),
    schema.versions.c.successor, schema.versions.c.succession,
)  # fmt: skip
_WALKED = schema.versions.c.id == schema.entrants.c.version
"""On PostgreSQL whoever waits for the lock of somebody who is carried over meanwhile joins the new row to the version of before: an inner
join then finds nobody, an outer one nothing of a version. A second look, with the lock held, finds both."""
_ONE = _COLUMNS.join(schema.versions, _WALKED).where(schema.entrants.c.id == bindparam("entrant"))
_LOCK = Statement(_ONE.with_for_update(of=schema.entrants))
_LOCK_BOTH = Statement(_ONE.suffix_with("FOR UPDATE OF entrants FOR KEY SHARE OF versions", dialect="postgresql"))
_OPEN_OF_PROFILE = Statement(
    _COLUMNS.outerjoin(schema.versions, _WALKED)
    .where(schema.entrants.c.profile == bindparam("profile"), text("entrants.state = 'open'"))
    .order_by(schema.entrants.c.id)
    .with_for_update(of=schema.entrants)
)  # fmt: skip
_INSIDE = (
    select(schema.entrants.c.profile)
    .where(schema.entrants.c.profile.in_(bindparam("profiles", expanding=True)), text("entrants.state = 'open'"))
    .distinct()
)
_IDS_IN_ONE_STATEMENT = 500
_SAVE = Statement(
    schema.entrants.update()
    .where(schema.entrants.c.id == bindparam("entrant"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)


def lock(work: Work, entrant: str) -> Entrant | None:
    """The entrant, under its lock until the commit; None when there is none."""
    row = _LOCK.first(work.connection, {"entrant": entrant}) or _LOCK.first(work.connection, {"entrant": entrant})
    return None if row is None else _of(work, row)


def lock_to_act(work: Work, entrant: str) -> Entrant | None:
    """As `lock`; the state of its version stays as it is too: a stop or a pause of the journey waits for this commit, or is seen (D10).

    Any number of commits share that. The locks are taken in this order, entrant and then version, and who moves a version waits for no
    entrant.
    """
    row = _LOCK_BOTH.first(work.connection, {"entrant": entrant}) or _LOCK_BOTH.first(work.connection, {"entrant": entrant})
    return None if row is None else _of(work, row)


def open_of(work: Work, profile: str, source: str = ids.REACTIONS) -> list[Entrant]:
    """The open entrants of a person, all locked, in the order of their ids: those that hear what comes from a source. What comes from
    ourselves everybody hears, live or in a test."""
    found = _OPEN_OF_PROFILE.all(work.connection, {"profile": profile})
    if any(row.hash is None for row in found):
        found = _OPEN_OF_PROFILE.all(work.connection, {"profile": profile})
    return [_of(work, row) for row in found if ids.is_heard_in(source, row.version)]


def inside_among(connection: Connection, profiles: Sequence[str]) -> list[str]:
    """Those of these profiles that are in a journey now, in their order."""
    found: set[str] = set()
    for start in range(0, len(profiles), _IDS_IN_ONE_STATEMENT):
        part = profiles[start : start + _IDS_IN_ONE_STATEMENT]
        found.update(connection.execute(_INSIDE, {"profiles": part}).scalars())
    return [profile for profile in profiles if profile in found]


def save(work: Work, entrant: Entrant) -> None:
    """Write what may have changed."""
    values = {f"new_{name}": getattr(entrant, name) for name in _CHANGING}
    work.write(_SAVE, {"entrant": entrant.id, **values})


def keep(work: Work, entrant: Entrant, one: Kept) -> None:
    """Keep an event for a gate that the entrant has yet to come to."""
    work.write(_KEEP, {**_key(entrant, one.event), "back": one.back})
    if not entrant.keeps:
        entrant.keeps = True
        save(work, entrant)


def kept(work: Work, entrant: Entrant) -> list[Kept]:
    """What is kept for an entrant, with what was in it. Its row says when that is nothing, which is nearly always."""
    if not entrant.keeps:
        return []
    rows = _KEPT.all(work.connection, {"entrant": entrant.id})
    return [
        Kept(Event(row.source, row.id, row.name, row.data, row.profile, row.occurred_at, row.accepted_at), bool(row.back)) for row in rows
    ]


def keep_back(work: Work, entrant: Entrant, event: Event) -> None:
    """Keep an event on for nodes that look back alone."""
    work.write(_BACK, {f"{name}_": value for name, value in _key(entrant, event).items()})


def forget(work: Work, entrant: Entrant, event: Event, *, won: bool = False) -> None:
    """Keep an event no longer: it has won, or had no effect. Without effect anywhere it is a discard, once (G7)."""
    work.write(_FORGET, _key(entrant, event))
    if won:
        mark_won(work, event)
    elif not _is_of_use(work, event):
        code = "late" if event.is_reaction else "nobody_listening"
        work.discard(code, source=event.source, event=event.id, profile=event.profile, entrant=entrant.id, version=entrant.version)


def _is_of_use(work: Work, event: Event) -> bool:
    """Has it won somewhere, or is it kept for somebody else? Under the lock of the event: of two who drop it at once one is the last."""
    key = {"source": event.source, "event": event.id}
    return bool(_HAS_WON.scalar(work.connection, key) or _STILL_KEPT.scalar(work.connection, key))


def _key(entrant: Entrant, event: Event) -> dict[str, Any]:
    return {"entrant": entrant.id, "accepted_at": event.accepted_at, "source": event.source, "event": event.id}


def mark_won(work: Work, event: Event) -> None:
    """An event has decided a gate of somebody: it is no discard any more, wherever else it is dropped."""
    work.write(_WON, {"source_": event.source, "id_": event.id})


def _of(work: Work, row: tuple[Any, ...]) -> Entrant:
    """Read the clock after the lock, where there is an end date to be measured by it."""
    values = dict(zip(_NAMES, row, strict=True))
    ends_at = values["version_ends_at"]
    is_past_end = ends_at is not None and lifecycle.is_over(work.now(), ends_at)
    return Entrant(**values, frozen=frozen_version(work.connection, str(values["hash"])), is_past_end=is_past_end)


_KEEP = Statement(schema.kept.insert())
_KEPT = Statement(
    select(schema.events, schema.kept.c.back)
    .join(schema.kept, (schema.kept.c.source == schema.events.c.source) & (schema.kept.c.event == schema.events.c.id))
    .where(schema.kept.c.entrant == bindparam("entrant"))
    .order_by(schema.kept.c.accepted_at, schema.kept.c.event)
)
_BACK = Statement(
    schema.kept.update()
    .where(*(schema.kept.c[name] == bindparam(f"{name}_") for name in ("entrant", "accepted_at", "source", "event")))
    .values(back=True)
)
_FORGET = Statement(
    schema.kept.delete().where(*(schema.kept.c[name] == bindparam(name) for name in ("entrant", "accepted_at", "source", "event")))
)
_WON = Statement(
    schema.events.update().where(schema.events.c.source == bindparam("source_"), schema.events.c.id == bindparam("id_")).values(won=True)
)
_HAS_WON = Statement(
    select(schema.events.c.won)
    .where(schema.events.c.source == bindparam("source"), schema.events.c.id == bindparam("event"))
    .with_for_update()
)
_STILL_KEPT = Statement(
    select(
        select(schema.kept.c.event).where(schema.kept.c.source == bindparam("source"), schema.kept.c.event == bindparam("event")).exists()
    )
)

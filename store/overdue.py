"""Entrants who should have gone on by now and have not: what the sweep looks after, and what the metrics count. It knows no workflow.

An entrant is *overdue* when it is open and its `due` is more than a minute past; *stalled* when that is more than ten. A pause that a
provider asked for, or a turn that has not come, is no such thing: `due` lies behind it. Whoever stays overdue is left in peace for 1,
2, 4, ... minutes, then for an hour: a workflow that only waits for its worker must not get thousands of signals (it takes 10,000 in its
life).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, case, exists, func, or_, select, text, update

from journey import gate
from journey.contract import EntrantStart, Happened
from journey.events import Instant
from store import schema
from store.work import Work

OVERDUE = 60 * gate.MICROSECONDS
STALLED = 600 * gate.MICROSECONDS
LONGEST_REST = 3600 * gate.MICROSECONDS
"""Whoever was looked after and stays overdue is looked after again when as much time has passed as it was overdue then; at most this."""

_entrants, _steps = schema.entrants.c, schema.steps.c


@dataclass(frozen=True, slots=True)
class Owed:
    """An open entrant as the store has it, in this version, for whoever tells its workflow or starts one again.

    `ending` is why it must end, empty when it must not; `happened` what decided its gate, None when nothing has; `again` says that it
    was looked after before and has not moved since.
    """

    entrant: str
    ending: str
    happened: Happened | None
    again: bool = False
    version: str = ""


@dataclass(frozen=True, slots=True)
class Restart:
    """Where an open entrant stands: what its workflow is started with, the hash of its version, and when it entered."""

    start: EntrantStart
    hash: str
    entered_at: Instant


_OPEN = text("entrants.state = 'open'")
_PAST = and_(_OPEN, _entrants.due < bindparam("before"))
_OWED = select(
    _entrants.id, _entrants.n, _entrants.won_node, _entrants.won_source, _entrants.won_event, _entrants.ending,
    _entrants.due, _entrants.looked_at, _entrants.version,
)  # fmt: skip
_RESTED = or_(
    _entrants.looked_at.is_(None),
    _entrants.looked_at < _entrants.due,  # it has moved since
    bindparam("now") - _entrants.looked_at >= _entrants.looked_at - _entrants.due,
    _entrants.looked_at <= bindparam("an_hour_ago"),
)
_TAKE = (
    _OWED.where(_PAST, _RESTED)
    .order_by(_entrants.due)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True, of=schema.entrants)  # whoever is locked is being served
)
_COUNTS = select(func.count(), func.coalesce(func.sum(case((_entrants.due < bindparam("stalled"), 1), else_=0)), 0)).where(_PAST)
_RESTART = (
    select(
        _entrants.id, _entrants.version, _entrants.n, _entrants.closed, _entrants.entered_at, schema.versions.c.hash, _steps.place,
        _steps.n.label("step"),
    )
    .join(schema.versions, schema.versions.c.id == _entrants.version)
    .join(schema.steps, and_(_steps.entrant == _entrants.id, _steps.n == case((_entrants.closed, _entrants.n), else_=_entrants.n - 1)))
    .where(_entrants.id == bindparam("entrant"), _OPEN)
)  # fmt: skip
_AMONG = _OWED.where(_OPEN, _entrants.id.in_(bindparam("ids", expanding=True))).order_by(_entrants.id)
_STATES = select(_entrants.id, _entrants.state).where(_entrants.id.in_(bindparam("ids", expanding=True)))
_PAGE = _OWED.where(_OPEN, _entrants.id > bindparam("after")).order_by(_entrants.id).limit(bindparam("most"))
_UNTOLD = exists().where(_entrants.version == schema.versions.c.id, _OPEN, _entrants.ending == "")
_IS_STOPPED = schema.versions.c.state == "stopped"
_TO_WIND_DOWN = (
    select(schema.versions.c.id, case((_IS_STOPPED, "journey_stopped"), else_="journey_ended").label("reason"))
    .where(_IS_STOPPED | (schema.versions.c.ends_at <= bindparam("now")), _UNTOLD)
    .order_by(schema.versions.c.id)
)


def counts(connection: Connection, now: Instant) -> tuple[int, int]:
    """How many are overdue, and how many of them stalled. Costs one range of an index, as long as people are overdue."""
    found = connection.execute(_COUNTS, {"before": now - OVERDUE, "stalled": now - STALLED}).one()
    return int(found[0]), int(found[1])


def take(work: Work, patience: Instant, most: int) -> list[Owed]:
    """The next people who are so long past their due, the oldest first; they count as looked after from this commit on."""
    now = work.now()
    found = work.connection.execute(
        _TAKE, {"now": now, "before": now - patience, "an_hour_ago": now - LONGEST_REST, "most": most}
    ).all()  # fmt: skip
    if found:
        looked = case((_entrants.due > now, _entrants.due), else_=now)  # somebody taken before their due is not taken again before it
        work.connection.execute(update(schema.entrants).where(_entrants.id.in_([row.id for row in found])).values(looked_at=looked))
    return [_owed(row) for row in found]


def page(connection: Connection, after: str, most: int) -> list[Owed]:
    """Open entrants in the order of their ids, behind `after`."""
    return [_owed(row) for row in connection.execute(_PAGE, {"after": after, "most": most})]


def among(connection: Connection, ids: list[str]) -> list[Owed]:
    """Those of these entrants who are open."""
    return [_owed(row) for row in connection.execute(_AMONG, {"ids": ids})] if ids else []


def states(connection: Connection, ids: list[str]) -> dict[str, str]:
    """The state of each of these entrants that the store has."""
    return {row.id: row.state for row in connection.execute(_STATES, {"ids": ids})} if ids else {}


def restart(connection: Connection, entrant: str) -> Restart | None:
    """What the workflow of an open entrant is started again with: its last closed step, and where that led. None when it has ended."""
    row = connection.execute(_RESTART, {"entrant": entrant}).one_or_none()
    if row is None:
        return None
    return Restart(EntrantStart(row.id, row.version, row.place, row.step), row.hash, row.entered_at)


def to_wind_down(connection: Connection, now: Instant) -> list[tuple[str, str]]:
    """Stopped versions, and those whose end date is past, in which somebody has not been told to end; each with the reason of that."""
    return [(row.id, row.reason) for row in connection.execute(_TO_WIND_DOWN, {"now": now})]


def _owed(row: Any) -> Owed:
    happened = Happened(row.n, row.won_node, row.won_source, row.won_event) if row.won_node else None
    return Owed(row.id, row.ending, happened, row.looked_at is not None and row.looked_at >= row.due, row.version)

"""Test sessions: which one of a journey is on, when it was last used, and its end. How one begins is session_starting.py.

A session is a version in the state `test`, beside the published ones. It knows no workflow: whoever ends one has its people wound down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from journey import gate, lifecycle
from journey.errors import NotFound
from journey.events import Instant
from store import schema, versions
from store.versions import VersionRow
from store.work import Work

IDLE = 7 * 86400 * gate.MICROSECONDS
"""A session in which nobody was let in and no event fired for so long is over; the sweep ends it."""

_sessions = schema.test_sessions.c
_RUNNING = select(schema.test_sessions).where(_sessions.journey == bindparam("journey"), schema.RUNNING)
_LAST = select(func.count()).where(_sessions.journey == bindparam("journey"))
_IDLE = select(_sessions.journey).where(schema.RUNNING, _sessions.used_at < bindparam("before")).order_by(_sessions.journey)
_OVER = (
    select(_sessions.version)
    .where(_sessions.ended_at.is_not(None))
    .where(select(schema.counters.c.version).where(schema.counters.c.version == _sessions.version).exists())
    .where(~select(schema.entrants.c.id).where(schema.entrants.c.version == _sessions.version, schema.entrants.c.state == "open").exists())
)


@dataclass(frozen=True, slots=True)
class Running:
    """A session that is on. `etag` is that of the draft which it froze, `forms` what was last fired of each event definition."""

    version: str
    journey: str
    etag: str
    started_at: Instant
    used_at: Instant
    forms: dict[str, dict[str, Any]]

    @property
    def expires_at(self) -> Instant:
        return self.used_at + IDLE


def find(connection: Connection, journey_id: str) -> Running | None:
    """The session of a journey that is on, if there is one."""
    found = connection.execute(_RUNNING, {"journey": journey_id}).mappings().first()
    return None if found is None else Running(**{name: found[name] for name in Running.__dataclass_fields__})


def running(connection: Connection, journey_id: str) -> Running:
    """The session of a journey that is on. Raises NotFound."""
    found = find(connection, journey_id)
    if found is None:
        raise NotFound(f"{journey_id} is not being tested: begin with POST /v1/journeys/{journey_id}:test.")
    return found


def insert(work: Work, version: VersionRow, etag: str) -> None:
    """Write a session; its version has been written."""
    now = work.now()
    work.connection.execute(
        schema.test_sessions.insert(),
        {"version": version.id, "journey": version.journey, "etag": etag, "started_at": now, "used_at": now, "forms": {}},
    )


def next_number(connection: Connection, journey_id: str) -> int:
    """The number of the next session of a journey."""
    return int(connection.execute(_LAST, {"journey": journey_id}).scalar_one()) + 1


def use(work: Work, session: Running, form: tuple[str, dict[str, Any]] | None = None) -> None:
    """A session was used just now, so that it goes on for another week; `form` is an event definition and what was fired of it."""
    forms = session.forms if form is None else session.forms | {form[0]: form[1]}
    change = schema.test_sessions.update().where(_sessions.version == session.version)
    work.connection.execute(change.values(used_at=work.now(), forms=forms))


def end(work: Work, journey_id: str) -> str | None:
    """End the session of a journey, if one is on, and return its version. From this commit on nobody in it acts."""
    session = find(work.connection, journey_id)
    if session is None:
        return None
    row = versions.lock(work, session.version)
    versions.set_state(work, row.id, lifecycle.after(row.id, row.state, "end_test"))
    work.connection.execute(schema.test_sessions.update().where(_sessions.version == row.id).values(ended_at=work.now()))
    return row.id


def any_to_expire(connection: Connection) -> bool:
    """May `expire` have something to do, as far as can be seen without a clock? Nearly always not."""
    on = connection.execute(select(_sessions.version).where(schema.RUNNING).limit(1)).first()
    return on is not None or connection.execute(_OVER.limit(1)).first() is not None


def expire(work: Work) -> list[str]:
    """End every session that was not used for a week, and forget the numbers of those that are over and empty. Returns those it ended."""
    idle = work.connection.execute(_IDLE, {"before": work.now() - IDLE}).scalars().all()
    ended = [version for journey in idle if (version := end(work, journey)) is not None]
    over = work.connection.execute(_OVER).scalars().all()
    if over:
        work.connection.execute(schema.counters.delete().where(schema.counters.c.version.in_(over)))
    return ended

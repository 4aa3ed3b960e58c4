"""What is due next of each journey on a schedule: one row from its publish to its last occurrence. It begins no run: due_runs.py does."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, bindparam, select

from journey import occurrences
from journey.events import Instant
from journey.graph import Journey, reading
from journey.occurrences import Occurrence
from journey.schedule import Schedule
from store import runs, schema, versions
from store.upserts import upsert
from store.versions import VersionRow
from store.work import Work

AHEAD = 10
"""So many occurrences are told to the server at once: it goes on by itself that long while no worker is there."""

_schedules = schema.schedules.c
_ONE = select(schema.schedules).where(_schedules.journey == bindparam("journey"))
_LOCK = _ONE.with_for_update()
_DUE = (
    select(_schedules.journey)
    .where((_schedules.next_at <= bindparam("now")) | _schedules.next_at.is_(None))
    .order_by(_schedules.journey)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Next:
    """What is due next of a journey: the version that lets in, and the occurrence; None when there is no further one."""

    version: str
    occurrence: Occurrence | None


def of(journey: Journey) -> Schedule | None:
    """The schedule of a journey; None when it reads at once, by hand, or no segment at all."""
    entry = reading(journey)
    return None if entry is None or isinstance(entry.schedule, str) else entry.schedule


def keep(work: Work, version: VersionRow, journey: Journey) -> None:
    """A version goes live: what is due next is the first occurrence from now on, or one of the version before that is due already."""
    if of(journey) is None:
        end(work, version.journey)
        return
    since = max(work.now(), (version.starts_at or 0) - 1)  # nobody enters before the start
    former = find(work.connection, version.journey)
    due = former.occurrence if former is not None else None
    if due is not None and due.at <= since:
        since = due.at - 1
    following = next(occurrences.of_journey(journey, since), None)
    if due != following:
        end(work, version.journey)
    save(work, version, following)


def end(work: Work, journey_id: str) -> None:
    """Nobody more is let in. An occurrence that was due and had not begun is on record as missed."""
    there = find(work.connection, journey_id)
    if there is None:
        return
    if there.occurrence is not None and there.occurrence.at <= work.now():
        version = versions.row(work.connection, there.version)
        frozen = versions.frozen_version(work.connection, version.hash)
        runs.miss(work, version, frozen.journey, there.occurrence, "not_live")
    work.connection.execute(schema.schedules.delete().where(_schedules.journey == journey_id))


def save(work: Work, version: VersionRow, occurrence: Occurrence | None) -> None:
    """Write what is due next."""
    at, local = (occurrence.at, occurrence.local) if occurrence is not None else (None, "")
    row = {"journey": version.journey, "version": version.id, "next_at": at, "next_local": local}
    upsert(work.connection, schema.schedules, row)


def find(connection: Connection, journey_id: str) -> Next | None:
    """What is due next; None when the journey is on no schedule now."""
    return _read(connection.execute(_ONE, {"journey": journey_id}).one_or_none())


def lock(work: Work, journey_id: str) -> Next | None:
    """As `find`; nobody else begins or records an occurrence of the journey until the commit."""
    return _read(work.connection.execute(_LOCK, {"journey": journey_id}).one_or_none())


def due(connection: Connection, now: Instant) -> list[str]:
    """Journeys of which an occurrence is due, or the last one is over."""
    return list(connection.execute(_DUE, {"now": now}).scalars())


def upcoming(connection: Connection, journey_id: str, most: int = AHEAD) -> tuple[Occurrence, ...]:
    """The next occurrences of a journey; none when it is on no schedule now."""
    there = find(connection, journey_id)
    if there is None or there.occurrence is None:
        return ()
    journey = versions.frozen_version(connection, versions.row(connection, there.version).hash).journey
    return tuple(islice(occurrences.of_journey(journey, there.occurrence.at - 1), most))


def journeys_on_schedule(connection: Connection) -> list[str]:
    """Every journey of which an occurrence is still to come."""
    query = select(_schedules.journey).where(_schedules.next_at.is_not(None)).order_by(_schedules.journey)
    return list(connection.execute(query).scalars())


def _read(row: object) -> Next | None:
    if row is None:
        return None
    version, at, local = row.version, row.next_at, row.next_local  # type: ignore[attr-defined]  # a row of the table
    return Next(version, Occurrence(local, at) if at is not None else None)

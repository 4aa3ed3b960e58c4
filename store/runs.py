"""Runs: one reading of a segment, or of a list of profiles, into a version. It knows no page: admission.py reads and lets in.

A run of a schedule is known by its occurrence, of which there is one: also when it was missed, which is on record as a run too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, RowMapping, bindparam, func, select

from journey import ids
from journey.errors import Conflict, NotFound
from journey.events import Instant
from journey.graph import Journey, ReadSegment
from journey.occurrences import Occurrence
from store import schema, versions
from store.versions import VersionRow
from store.work import Work

RunState = Literal["waiting", "clearing", "reading", "paused", "done", "stopped", "missed"]
UNDER_WAY = ("waiting", "clearing", "reading", "paused")
"""Before the start of its journey, and while that is paused, a run waits."""
Missed = Literal["too_late", "superseded", "run_reading", "paused", "not_live"]
"""Why an occurrence has no run."""

_runs = schema.runs.c


@dataclass(frozen=True, slots=True)
class Run:
    """One run. `profiles` is the list that it reads instead of the segment; `ended_at` is None while it reads. The cutoff of
    one that waits is when it is to begin.

    `occurrence` is the local name of the time it was due at, `due_at` that instant; `reason` says why it was missed. `stayed` were members
    at the run before and are not let in again, `reentered` were inside and ended first.
    """

    id: str
    journey: str
    number: int
    version: str
    segment: str
    segment_hash: str
    profiles: tuple[str, ...] | None
    state: RunState
    reason: str
    occurrence: str
    due_at: Instant | None
    cutoff: Instant
    read: int
    admitted: int
    discarded: int
    stayed: int
    reentered: int
    ended_at: Instant | None


_COLUMNS = (
    _runs.id, _runs.journey, _runs.number, _runs.version, _runs.segment, _runs.segment_hash, _runs.profiles, _runs.state, _runs.reason,
    _runs.occurrence, _runs.due_at, _runs.cutoff, _runs.read, _runs.admitted, _runs.discarded, _runs.stayed, _runs.reentered,
    _runs.ended_at,
)  # fmt: skip
_ONE = select(*_COLUMNS).where(_runs.id == bindparam("id"))
_LAST_NUMBER = select(func.coalesce(func.max(_runs.number), 0)).where(_runs.journey == bindparam("journey"))
_READING = select(_runs.id).where(_runs.state.in_(("clearing", "reading"))).order_by(_runs.id)
_HELD = select(_runs.id).where(_runs.version == bindparam("version"), _runs.state == "paused").order_by(_runs.id)
_LOCK_OF_JOURNEY = (
    select(_runs.id).where(_runs.journey == bindparam("journey"), _runs.state.in_(UNDER_WAY)).order_by(_runs.id).with_for_update()
)
_TO_BEGIN = (
    select(_runs.id)
    .join(schema.versions, schema.versions.c.id == _runs.version)
    .where(_runs.state == "waiting", schema.versions.c.state == "live", schema.versions.c.starts_at <= bindparam("now"))
    .order_by(_runs.id)
)
_OF_OCCURRENCE = select(_runs.id).where(_runs.journey == bindparam("journey"), _runs.occurrence == bindparam("occurrence"))
_EARLIER = (
    select(_runs.id, _runs.state, _runs.cursor)
    .where(
        _runs.journey == bindparam("journey"), _runs.segment == bindparam("segment"), _runs.number < bindparam("number"),
        _runs.profiles.is_(None), _runs.state.in_(("done", "stopped")),
    )
    .order_by(_runs.number.desc())
)  # fmt: skip
_SEGMENT_HASH = select(schema.segments.c.hash).where(schema.segments.c.id == bindparam("id"))


def start(
    work: Work, version: VersionRow, journey: Journey, profiles: Sequence[str] | None = None, occurrence: Occurrence | None = None, *,
    at: Instant | None = None,
) -> str:  # fmt: skip
    """Write a run that is to read from now on, and return its id. Its cutoff is now: who comes later belongs to the next run (E3).

    With `at` it waits for that instant, and its cutoff is when it begins. Without `profiles` it reads the segment of the entry, and ends
    first whoever is inside when that is asked for. Raises Conflict while another run of this version reads the segment, and with code
    `not_by_run` where people enter by an event.
    """
    entry = journey.entry_node
    if not isinstance(entry, ReadSegment):
        raise Conflict(
            f"People enter {version.journey} by an event or a segment, not by a run: send the event, or write the profile.",
            code="not_by_run",
        )
    if profiles is None:
        _refuse_a_second_reader(work.connection, version)
    state: RunState = "waiting" if at is not None else "clearing" if entry.force_reentry and profiles is None else "reading"
    return _insert(work, version, entry, state, profiles, occurrence, cutoff=at)


def miss(work: Work, version: VersionRow, journey: Journey, occurrence: Occurrence, reason: Missed) -> None:
    """Put on record that an occurrence has no run, and why. One that is on record already stays as it is."""
    if of_occurrence(work.connection, version.journey, occurrence.local) is None:
        entry = journey.entry_node
        assert isinstance(entry, ReadSegment), "only a journey that reads a segment has occurrences"
        _insert(work, version, entry, "missed", None, occurrence, reason)


def of_occurrence(connection: Connection, journey: str, local: str) -> str | None:
    """The id of the run of an occurrence, if it is on record."""
    return connection.execute(_OF_OCCURRENCE, {"journey": journey, "occurrence": local}).scalar()


def earlier_readings(connection: Connection, run: Run) -> tuple[tuple[str, str | None], ...]:
    """The runs of the same segment that say who was a member before this one, the newest first: each with the last profile id that it came
    to, None when it came to all. It ends with the first that did."""
    found: list[tuple[str, str | None]] = []
    for row in connection.execute(_EARLIER, {"journey": run.journey, "segment": run.segment, "number": run.number}):
        found.append((row.id, None if row.state == "done" else row.cursor))
        if row.state == "done":
            break
    return tuple(found)


def get(connection: Connection, run_id: str) -> Run:
    """One run by its id. Raises NotFound."""
    found = connection.execute(_ONE, {"id": run_id}).mappings().first()
    if found is None:
        raise NotFound(f"There is no run {run_id}.")
    return _as_run(found)


def page(connection: Connection, journey: str, *, before: int | None, limit: int) -> list[Run]:
    """Runs of a journey, the newest first; `before` is the number of the last one seen."""
    query = select(*_COLUMNS).where(_runs.journey == journey).order_by(_runs.number.desc()).limit(limit)
    if before is not None:
        query = query.where(_runs.number < before)
    return [_as_run(found) for found in connection.execute(query).mappings()]


def reading(connection: Connection) -> list[str]:
    """The ids of all runs that are not over: their workflows must run, or run again after a crash."""
    return list(connection.execute(_READING).scalars())


def to_begin(connection: Connection, now: Instant) -> list[str]:
    """The ids of runs that wait for the start of a journey which is past, and that lets people in."""
    return list(connection.execute(_TO_BEGIN, {"now": now}).scalars())


def begin(work: Work, run_id: str) -> None:
    """Let a run read that has waited for the start of its journey."""
    run = get(work.connection, run_id)
    entry = versions.frozen_version(work.connection, versions.row(work.connection, run.version).hash).journey.entry_node
    clears = isinstance(entry, ReadSegment) and entry.force_reentry and run.profiles is None
    begun = {"state": "clearing" if clears else "reading", "cutoff": work.now()}
    work.connection.execute(schema.runs.update().where(_runs.id == run_id, _runs.state == "waiting").values(begun))


def hold(work: Work, version_id: str) -> None:
    """The runs of a version that is paused keep their place."""
    work.connection.execute(schema.runs.update().where(_runs.version == version_id, _runs.state == "reading").values(state="paused"))


def read_on(work: Work, version_id: str) -> list[str]:
    """The runs that a pause has held read on; returns their ids."""
    held = list(work.connection.execute(_HELD, {"version": version_id}).scalars())
    work.connection.execute(schema.runs.update().where(_runs.id.in_(held)).values(state="reading"))
    return held


def lock_of_journey(work: Work, journey: str) -> None:
    """The runs of a journey that are not over stay as they are until the commit. A page is read under the same lock, so that nobody is let
    in after the commit that forbids it."""
    work.connection.execute(_LOCK_OF_JOURNEY, {"journey": journey}).all()


def anyone_reads(connection: Connection, version_id: str) -> bool:
    """Has a run of this version still to read?"""
    query = select(_runs.id).where(_runs.version == version_id, _runs.state.in_(UNDER_WAY)).limit(1)
    return connection.execute(query).first() is not None


def anyone_reads_the_segment(connection: Connection, journey: str) -> bool:
    """Is a run of the journey's segment under way, whatever its version?"""
    query = select(_runs.id).where(_runs.journey == journey, _runs.state.in_(UNDER_WAY), _runs.profiles.is_(None)).limit(1)
    return connection.execute(query).first() is not None


def stop_all(work: Work, version_id: str) -> None:
    """End the runs of a version that lets in nobody more."""
    work.connection.execute(
        schema.runs.update().where(_runs.version == version_id, _runs.state.in_(UNDER_WAY)).values(state="stopped", ended_at=work.now())
    )


def let_in_now(connection: Connection, journey_id: str, now: Instant) -> tuple[VersionRow, Journey]:
    """The live version of a journey and its graph. Raises Conflict with code `not_live`, `paused`, `not_started` or `journey_ended` when
    nobody is let in now."""
    version = versions.open_to(connection, journey_id)
    if version is None:
        raise Conflict(f"{journey_id} has no live version: publish it first.", code="not_live")
    closed = version.closed(now)
    if closed is not None:
        raise Conflict(closed.detail, code=closed.code)
    return version, versions.frozen_version(connection, version.hash).journey


def _refuse_a_second_reader(connection: Connection, version: VersionRow) -> None:
    query = select(_runs.id).where(_runs.version == version.id, _runs.state.in_(UNDER_WAY), _runs.profiles.is_(None)).limit(1)
    under_way = connection.execute(query).scalar()
    if under_way is not None:
        raise Conflict(f"The run {under_way} is still reading the segment: wait until it is done.", code="run_reading")


def _insert(
    work: Work, version: VersionRow, entry: ReadSegment, state: RunState, profiles: Sequence[str] | None = None,
    occurrence: Occurrence | None = None, reason: str = "", cutoff: Instant | None = None,
) -> str:  # fmt: skip
    number = work.connection.execute(_LAST_NUMBER, {"journey": version.journey}).scalar_one() + 1
    run_id = ids.run_on_schedule(version.journey, occurrence.local) if occurrence is not None else ids.run(version.journey, number)
    segment = "" if profiles is not None else entry.segment
    now = work.now()
    work.connection.execute(
        schema.runs.insert(),
        {"id": run_id, "journey": version.journey, "number": number, "version": version.id, "segment": segment,
         "segment_hash": work.connection.execute(_SEGMENT_HASH, {"id": segment}).scalar() or "",
         "profiles": None if profiles is None else list(dict.fromkeys(profiles)), "state": state, "reason": reason,
         "occurrence": occurrence.local if occurrence is not None else "", "due_at": occurrence.at if occurrence is not None else None,
         "cutoff": cutoff or now, "ended_at": now if state == "missed" else None},
    )  # fmt: skip
    return run_id


def _as_run(found: RowMapping) -> Run:
    values = dict(found)
    listed = values.pop("profiles")
    return Run(**values, profiles=None if listed is None else tuple(listed))

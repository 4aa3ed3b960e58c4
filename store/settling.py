"""Events that overtake what they are about: one by which people enter, and whose filter is not true yet, is asked again at each write of
its person's profile, as long as its journey says (`settle_for`). It lets in, or is a discard when that is over.

The filter looks back from the event, whenever it is asked: only what the profile says may become true.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, select

from journey import durations, gate, ids, matching, sentences
from journey.changes import Attributes
from journey.events import Event, EventDefinition, Instant
from journey.graph import EventNode
from store import entering, knowing, schema, versions
from store.admission import Start
from store.statements import Row, Statement
from store.versions import VersionRow
from store.work import Work

CODE = "did_not_settle"
LONGEST: Instant = durations.seconds(matching.LONGEST_SETTLING) * gate.MICROSECONDS


def keep(work: Work, version: str, event: Event, until: Instant) -> None:
    """Ask again until then. The caller holds the profile, so that a write of it is either seen already, or finds the event here."""
    work.write(_KEEP, {"source": event.source, "event": event.id, "version": version, "profile": event.profile, "until": until})


def settle(work: Work, profile: str, attributes: Attributes) -> tuple[Start, ...]:
    """The profile was written, and these are its attributes now: whoever an event lets in by that is to be started after the commit. A
    journey that was published anew meanwhile asks what it asks now."""
    entered: list[Start] = []
    for row in _THEIRS.all(work.connection, {"profile": profile, "now": work.now()}):
        event = Event(row.source, row.event, row.name, row.data, profile, row.occurred_at, row.accepted_at)
        for version, definition in _begun(work, row):
            frozen = versions.frozen_version(work.connection, version.hash)
            before = knowing.before(work.connection, frozen, profile)
            if not matching.enters(frozen, definition, event, attributes, before) or not _is_taken(work, row):
                continue
            mode = entering.TEST if ids.is_test_version(version.id) else entering.LIVE
            entry, said = (event.source, event.id), sentences.entered(definition.id)
            start = entering.enter(work, version, profile, entry=entry, mode=mode, said=said)
            if start is not None:
                work.write(_WON, {"source_": event.source, "id_": event.id, "won": True})
                entered.append(start)
    return tuple(entered)


def expire(work: Work, most: int) -> int:
    """Put on record what has not come true in its time, so many at most; returns how many these were."""
    rows = _OVER.all(work.connection, {"now": work.now(), "most": most})
    for row in rows:
        if not _is_taken(work, row):
            continue
        entry = versions.frozen_version(work.connection, versions.row(work.connection, row.version).hash).journey.entry_node
        assert isinstance(entry, EventNode), "nothing else settles"
        detail = f"What {entry.id} asks did not become true within {entry.settle_for}."
        work.discard(CODE, source=row.source, event=row.event, profile=row.profile, version=row.version, detail=detail)
    return len(rows)


def count(connection: Connection) -> int:
    """How many events wait so."""
    return connection.execute(select(func.count()).select_from(schema.settling)).scalar_one()


def _begun(work: Work, row: Row) -> list[tuple[VersionRow, EventDefinition]]:
    """The version of its journey that people enter now, where there is one."""
    asked = versions.row(work.connection, row.version)
    tested = asked if ids.is_test_version(asked.id) else None
    return [one for one in versions.begun_by_an_event(work.connection, row.name, tested) if one[0].journey == asked.journey]


def _is_taken(work: Work, row: Row) -> bool:
    """It waits no more; False where another process was quicker."""
    return _FORGET.run(work.connection, {"source_": row.source, "event_": row.event, "version_": row.version}) == 1


_of, _events = schema.settling.c, schema.events.c
_KEEP = Statement(schema.settling.insert())
_THEIRS = Statement(
    select(_of.source, _of.event, _of.version, _events.name, _events.data, _events.occurred_at, _events.accepted_at)
    .join(schema.events, (_events.source == _of.source) & (_events.id == _of.event))
    .where(_of.profile == bindparam("profile"), _of.until >= bindparam("now"))
    .order_by(_events.accepted_at, _of.source, _of.event, _of.version)
)
_OVER = Statement(
    select(_of.source, _of.event, _of.version, _of.profile)
    .where(_of.until < bindparam("now"))
    .order_by(_of.until, _of.source, _of.event)
    .limit(bindparam("most"))
)
_FORGET = Statement(
    schema.settling.delete().where(
        _of.source == bindparam("source_"), _of.event == bindparam("event_"), _of.version == bindparam("version_")
    )
)
_WON = Statement(
    schema.events.update().where(_events.source == bindparam("source_"), _events.id == bindparam("id_")).values(won=bindparam("won"))
)

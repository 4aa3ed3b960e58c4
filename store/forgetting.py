"""What is so old that it is forgotten, a page at a time: the steps, deliveries and facts of people who ended long ago, and old events,
discards and members of runs. Reports keep their numbers, and of each entrance one row stays, so that who was in a journey is always known.

Nothing of anybody inside is forgotten: `before` lies further back than anybody can have been in a journey (docs/decisions/0020).
"""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, Table, bindparam, delete, exists, or_, select, text, tuple_, update

from journey import durations, gate
from journey.events import Instant
from journey.lifecycle import HOLDS_PEOPLE
from store import schema, versions
from store.upserts import insert_into
from store.work import Work

DAY = 86_400 * gate.MICROSECONDS
MARGIN = 7 * DAY
"""So long beyond the longest time that anybody may be in a journey the ids of events are remembered, whatever is asked for."""

OF_ENTRANTS: tuple[Table, ...] = tuple(table for table in schema.metadata.sorted_tables if "entrant" in table.primary_key.columns)
"""What is kept of each step of each person."""

_entrants, _events, _discards, _runs, _members = (
    schema.entrants.c, schema.events.c, schema.discards.c, schema.runs.c, schema.run_members.c,
)  # fmt: skip
_HASHES = select(schema.versions.c.hash).where(schema.versions.c.state.in_(("test", *HOLDS_PEOPLE))).distinct()
_ENDED = (
    select(_entrants.id)
    .where(text("entrants.state = 'ended' AND NOT entrants.forgotten"), _entrants.ended_at < bindparam("before"))
    .order_by(_entrants.ended_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_OLD_EVENTS = (
    select(_events.source, _events.id)
    .where(_events.accepted_at < bindparam("before"))
    .order_by(_events.accepted_at)
    .limit(bindparam("most"))
)
_OLD_DISCARDS = select(_discards.id, _discards.at).order_by(_discards.id).limit(bindparam("most"))
_bounces = schema.soft_bounces
_later = schema.runs.alias("later")
_OLD_RUNS = (
    select(_runs.id)
    .where(
        _runs.ended_at < bindparam("before"),
        exists().where(_members.run == _runs.id),
        or_(
            _runs.profiles.is_not(None),
            exists().where(
                _later.c.journey == _runs.journey, _later.c.segment == _runs.segment, _later.c.number > _runs.number,
                _later.c.profiles.is_(None), _later.c.state == "done", _later.c.ended_at < bindparam("before"),
            ),
        ),
    )
    .order_by(_runs.ended_at)
    .limit(1)
)  # fmt: skip
"""A run with members with which no later one is compared: it read a list, or a later one came to everybody (joining.py)."""


def horizon(connection: Connection, now: Instant, days: int) -> Instant:
    """What is older is forgotten: so many days, and never less than the longest time in a journey that holds people, and MARGIN."""
    longest = max(
        (durations.seconds(versions.frozen_version(connection, found).journey.global_timeout)
         for found in connection.execute(_HASHES).scalars()),
        default=0,
    )  # fmt: skip
    return now - max(days * DAY, longest * gate.MICROSECONDS + MARGIN)


def entrants(work: Work, before: Instant, most: int) -> int:
    """Forget all that is kept of people who ended before, but for the row that says when they were in which journey, and how it ended."""
    found = list(work.connection.execute(_ENDED, {"before": before, "most": most}).scalars())
    if found:
        for table in OF_ENTRANTS:
            work.connection.execute(delete(table).where(table.c.entrant.in_(found)))
        work.connection.execute(update(schema.entrants).where(_entrants.id.in_(found)).values(forgotten=True))
    return len(found)


def events(work: Work, before: Instant, most: int) -> int:
    """Forget events that were accepted before: their ids too, so that one of them that is sent again is a new one."""
    found = [tuple(row) for row in work.connection.execute(_OLD_EVENTS, {"before": before, "most": most})]
    for source in sorted({source for source, _ in found}):
        of_source = [event for name, event in found if name == source]
        work.connection.execute(delete(schema.events).where(_events.source == source, _events.id.in_(of_source)))
    return len(found)


def discards(work: Work, before: Instant, most: int) -> int:
    """Forget discards from before; how many each version had of each code stays for its report."""
    old = [row.id for row in work.connection.execute(_OLD_DISCARDS, {"most": most}) if row.at < before]
    if not old:
        return 0
    gone = work.connection.execute(delete(schema.discards).where(_discards.id.in_(old)).returning(_discards.version, _discards.code))
    counted = Counter((row.version, row.code) for row in gone if row.version)
    rows = [{"version": version, "code": code, "count": count} for (version, code), count in sorted(counted.items())]
    if rows:
        new = insert_into(work.connection.dialect.name, schema.old_discards)
        added = {"count": schema.old_discards.c["count"] + new.excluded["count"]}
        work.connection.execute(new.on_conflict_do_update(index_elements=["version", "code"], set_=added), rows)
    return len(old)


def members(work: Work, before: Instant, most: int) -> int:
    """Forget who was read by runs from before with which no run is compared any more."""
    run = work.connection.execute(_OLD_RUNS, {"before": before}).scalar()
    if run is None:
        return 0
    some = select(_members.profile).where(_members.run == run).limit(most)
    return work.connection.execute(delete(schema.run_members).where(_members.run == run, _members.profile.in_(some))).rowcount


def soft_bounces(work: Work, before: Instant, most: int) -> int:
    """Forget soft bounces from before: they are no longer in a row with anything."""
    old = select(*_bounces.primary_key.columns).where(_bounces.c.at < before).limit(most)
    return work.connection.execute(delete(_bounces).where(tuple_(*_bounces.primary_key.columns).in_(old))).rowcount


EACH = (entrants, events, discards, members, soft_bounces)

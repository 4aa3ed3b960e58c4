"""Reads the counters of a version and has a report made of them. It counts nothing itself: the facts did, when they were recorded."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, and_, bindparam, func, select

from journey import reports
from journey.graph import Journey, Message, Webhook
from journey.reports import Counted, Report
from store import parking, pausing, reviews, schema

_counters, _discards = schema.counters.c, schema.discards.c
_deliveries, _entrants = schema.deliveries.c, schema.entrants.c
_COUNTED = (
    select(_counters.node, _counters.kind, _counters.channel, func.sum(_counters.count))
    .where(_counters.version == bindparam("version"), _counters.mode == bindparam("mode"))
    .group_by(_counters.node, _counters.kind, _counters.channel)
    .order_by(_counters.node, _counters.kind, _counters.channel)
)
_DISCARDED = select(_discards.code, func.count().label("times")).where(_discards.version == bindparam("version")).group_by(_discards.code)

_FORGOTTEN = select(schema.old_discards.c.code, schema.old_discards.c["count"].label("times")).where(
    schema.old_discards.c.version == bindparam("version")
)


def counted(connection: Connection, version_id: str, mode: str = "live") -> list[Counted]:
    """Every counter of a version, its slots added up."""
    rows = connection.execute(_COUNTED, {"version": version_id, "mode": mode})
    return [Counted(node, kind, channel, int(times)) for node, kind, channel, times in rows]


def discarded(connection: Connection, version_id: str) -> dict[str, int]:
    """Discards of a version by code, those of its runs included: whoever discards names the version."""
    found = Counter({row.code: row.times for row in connection.execute(_DISCARDED, {"version": version_id})})
    found.update({row.code: row.times for row in connection.execute(_FORGOTTEN, {"version": version_id})})
    return dict(found)


def on_the_way(connection: Connection, version_id: str, journey: Journey, mode: str = "live") -> dict[tuple[str, str], int]:
    """Deliveries of people whose step is not closed, by node and channel: what becomes of them is counted when it is. Those who act stand
    at what they do, so that an index finds them among all who wait."""
    acting = [node.id for node in journey.nodes if isinstance(node, Message | Webhook)]
    query = (
        select(_deliveries.node, _deliveries.channel, func.count().label("times"))
        .join(schema.entrants, and_(_deliveries.entrant == _entrants.id, _deliveries.n == _entrants.n))
        .where(_entrants.version == version_id, _entrants.mode == mode, _entrants.place.in_(acting), schema.OPEN, ~_entrants.closed)
        .group_by(_deliveries.node, _deliveries.channel)
    )
    return {(row.node, row.channel): row.times for row in connection.execute(query)}


def report(connection: Connection, version_id: str, journey: Journey, mode: str = "live") -> Report:
    """The report of a version as of now. `journey` is its frozen graph; the numbers of a test session have the mode `test`."""
    held, parked = pausing.held(connection, version_id, mode), parking.parked(connection, version_id, mode)
    numbers, without_effect = counted(connection, version_id, mode), discarded(connection, version_id)
    on_their_way, in_review = on_the_way(connection, version_id, journey, mode), reviews.people(connection, version_id)
    return reports.build(journey, numbers, without_effect, held, parked, on_their_way, in_review)

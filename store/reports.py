"""Reads the counters of a version and has a report made of them. It counts nothing itself: the facts did, when they were recorded."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, bindparam, func, select

from journey import reports
from journey.graph import Journey
from journey.reports import Counted, Report
from store import parking, pausing, schema

_counters, _discards = schema.counters.c, schema.discards.c
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


def report(connection: Connection, version_id: str, journey: Journey, mode: str = "live") -> Report:
    """The report of a version as of now. `journey` is its frozen graph; the numbers of a test session have the mode `test`."""
    held, parked = pausing.held(connection, version_id, mode), parking.parked(connection, version_id, mode)
    return reports.build(journey, counted(connection, version_id, mode), discarded(connection, version_id), held, parked)

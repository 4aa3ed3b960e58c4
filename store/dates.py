"""What happens to versions by the clock: a run begins at the start date, everybody ends at the end date, a pause is over.

Each is a unit of work of its own, safe to repeat; whoever looks regularly runs them (activities/repairing.py).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from sqlalchemy import Connection, bindparam, select, text

from journey import lifecycle
from journey.events import Instant
from store import finishing, journeys, pausing, runs, schedules, schema, versions
from store.work import Work

_versions = schema.versions.c
_ENDED = (
    select(_versions.id)
    .where(_versions.state.in_(("live", "paused")), _versions.ends_at <= bindparam("now"))
    .order_by(_versions.id)
)  # fmt: skip
_OPEN = select(schema.entrants.c.id).where(schema.entrants.c.version == _versions.id, text("entrants.state = 'open'"))
_EMPTY = select(_versions.id).where(_versions.state == "closed", ~_OPEN.exists()).order_by(_versions.id)


def due(connection: Connection, now: Instant) -> list[Callable[[Work], object]]:
    """What is to be done by now and has not been, in its order."""
    found: list[Callable[[Work], object]] = [partial(_end, version_id=one) for one in connection.execute(_ENDED, {"now": now}).scalars()]
    found += [partial(finishing.finish_if_empty, version_id=one) for one in connection.execute(_EMPTY).scalars()]
    found += [partial(pausing.resume_by_itself, journey_id=one) for one in pausing.over(connection, now)]
    return found + [partial(runs.begin, run_id=one) for one in runs.to_begin(connection, now)]


def _end(work: Work, version_id: str) -> None:
    """Let in nobody more. Those inside are told by a winding down; until then each one's next commit is their end (entrants.py)."""
    journeys.hold(work, versions.row(work.connection, version_id).journey)
    version = versions.row(work.connection, version_id)
    if lifecycle.can(version.state, "end"):
        versions.move(work, version, "end", **pausing.NO_PAUSE)
        runs.stop_all(work, version_id)
        there = schedules.find(work.connection, version.journey)
        if there is not None and there.version == version_id:
            schedules.end(work, version.journey)
        finishing.finish_if_empty(work, version_id)

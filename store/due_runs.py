"""What a schedule has come to is begun as a run, or put on record as missed: each occurrence once, however often somebody asks.

It knows no schedule of the server's: whatever asks (the server, the sweep, a process that starts), this decides, in one commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice, takewhile

from journey import gate, lifecycle, occurrences
from journey.events import Instant
from journey.graph import Journey
from journey.occurrences import Occurrence
from store import journeys, runs, schedules, versions
from store.runs import Missed
from store.versions import VersionRow
from store.work import Work

CATCH_UP: Instant = 3600 * gate.MICROSECONDS
"""An occurrence that is later than that is missed. So long one waits for an earlier run to end, too."""
_AT_ONCE = 500
"""So many missed occurrences are put on record by one commit."""


@dataclass(frozen=True, slots=True)
class Served:
    """What came of it: the run to be started, how many occurrences were missed, whether more are due, and what is due next."""

    run: str | None = None
    missed: int = 0
    more: bool = False
    next_at: Instant | None = None


def serve(work: Work, journey_id: str) -> Served:
    """Begin the run that is due. Of several that are due only the last begins; it waits while an earlier run still reads."""
    journeys.locked(work, journey_id)
    there = schedules.lock(work, journey_id)
    if there is None:
        return Served()
    version = versions.row(work.connection, there.version)
    if version.state not in ("live", "paused"):
        schedules.end(work, journey_id)
        return Served()
    journey = versions.frozen_version(work.connection, version.hash).journey
    now = work.now()
    due = _due(journey, there.occurrence, now)
    more = len(due) > _AT_ONCE
    due = due[:_AT_ONCE]
    is_reading = runs.anyone_reads_the_segment(work.connection, version.journey)
    run, missed, following = None, 0, there.occurrence
    for occurrence in due:
        last = occurrence == due[-1] and not more
        reason = _reason(version, occurrence, now, last=last, is_reading=is_reading)
        if last and reason is None and is_reading:
            break
        if reason is not None:
            runs.miss(work, version, journey, occurrence, reason)
            missed += 1
        elif runs.of_occurrence(work.connection, journey_id, occurrence.local) is None:
            run = runs.start(work, version, journey, None, occurrence)
        following = next(occurrences.of_journey(journey, occurrence.at), None)
    if due:
        schedules.save(work, version, following)
    if following is None:
        _close_when_over(work, version)
    return Served(run, missed, more, following.at if following is not None else None)


def _due(journey: Journey, first: Occurrence | None, now: Instant) -> list[Occurrence]:
    """Every occurrence from the first on that is not later than now; one more than is put on record at once."""
    if first is None:
        return []
    found = takewhile(lambda one: one.at <= now, occurrences.of_journey(journey, first.at - 1))
    return list(islice(found, _AT_ONCE + 1))


def _reason(version: VersionRow, occurrence: Occurrence, now: Instant, *, last: bool, is_reading: bool) -> Missed | None:
    """Why an occurrence that is due has no run; None when it may have one."""
    is_late = now - occurrence.at > CATCH_UP
    if version.state not in lifecycle.LETS_IN:
        return "paused"
    if is_reading and (is_late or not last):
        return "run_reading"
    if is_late:
        return "too_late"
    return None if last else "superseded"


def _close_when_over(work: Work, version: VersionRow) -> None:
    """A version whose last occurrence is over lets in nobody more; it is finished when the last one has left (docs/schedules.md)."""
    if version.state == "live" and not runs.anyone_reads(work.connection, version.id):
        journeys.close(work, version.journey)

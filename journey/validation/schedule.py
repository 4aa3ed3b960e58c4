"""What can be wrong with when a journey reads its segment. It knows no clock: what is past is said where the instant is given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from journey import local_time, occurrences
from journey.errors import BadInput
from journey.events import Instant
from journey.findings import Finding, error, warning
from journey.graph import Journey, ReadSegment
from journey.schedule import AT_ONCE, BY_HAND, Cron, Daily, Monthly, Once, Schedule, Weekly

MINUTE = timedelta(minutes=1)
SHORTEST = 5 * MINUTE
"""No closer together than that: each occurrence reads the whole segment."""


def check(journey: Journey, now: Instant = 0) -> Iterator[Finding]:
    """What is wrong with the schedule of each entry. `now` 0 means that it is not known; then nothing is said about the past."""
    for node in journey.nodes:
        if not isinstance(node, ReadSegment):
            continue
        if node.incremental and node.force_reentry:
            said = "An incremental run lets in only who joined: with force_reentry everybody else would be ended for good. Remove one."
            yield error("incremental_and_forced", node.id, "force_reentry", said)
        if node.force_reentry and not journey.reentry.allowed:
            said = "force_reentry ends everybody so that they enter anew, which reentry.allowed forbids: remove one of them."
            yield error("reentry_and_forced", node.id, "force_reentry", said)
        if isinstance(node.schedule, str):
            if node.schedule not in (AT_ONCE, BY_HAND):
                said = f"There is no schedule {node.schedule!r}: write asap, manual, or the times, as {{kind: daily, at: '09:00'}}."
                yield error("schedule_invalid", node.id, "schedule", said)
            continue
        found = list(_fields(node.id, node.schedule))
        yield from found
        if not found and local_time.zone(journey.timezone) is not None:  # else another finding says so
            yield from _times(journey, node.id, node.schedule, now)


def _fields(node: str, schedule: Schedule) -> Iterator[Finding]:
    """What each field alone can tell."""
    reading: list[tuple[str, str, Callable[[str], object]]] = []
    match schedule:
        case Once():
            reading.append(("at", schedule.at, occurrences.moment))
        case Daily() | Weekly() | Monthly():
            reading.append(("at", schedule.at, occurrences.clock))
        case Cron():
            reading.append(("expression", schedule.expression, occurrences.cron))
    if isinstance(schedule, Weekly | Monthly) and not schedule.days:
        yield _missing(node, "days")
    if isinstance(schedule, Daily | Weekly) and schedule.every > 1 and not schedule.begins:
        yield _missing(node, "from")
    for field, text, read in reading:
        if not text:
            yield _missing(node, field)
            continue
        yield from _read(node, field, text, read)
    if not isinstance(schedule, Once):
        for field, text in (("from", schedule.begins), ("until", schedule.until)):
            if text:
                yield from _read(node, field, text, occurrences.moment)


def _times(journey: Journey, node: str, schedule: Schedule, now: Instant) -> Iterator[Finding]:
    """What the times of a schedule that can be read tell."""
    try:
        ever, again = (next(occurrences.of_journey(journey, after), None) for after in (0, now))
    except BadInput:  # its start or its end, of which another finding tells
        return
    if ever is None:
        yield error(
            "schedule_never",
            node,
            "schedule",
            "No time fits this schedule, so nobody would ever enter: correct its days, from or until, or the dates of the journey.",
        )
        return
    if again is None:
        field = "schedule.at" if isinstance(schedule, Once) else "schedule.until"
        yield error("schedule_past", node, field, "All times of this schedule are past, so nobody would enter: name a later one.")
    between = occurrences.shortest(schedule)
    if between is not None and between < SHORTEST:
        said = f"Runs would begin {between // MINUTE} min apart, and each reads the whole segment: let {SHORTEST // MINUTE} min pass."
        yield error("schedule_too_often", node, "schedule.expression", said)
    if isinstance(schedule, Monthly) and "last" not in schedule.days and max(day for day in schedule.days if isinstance(day, int)) > 28:
        said = "Some months lack this day, and go without it: write last for the end of each month."
        yield warning("day_not_in_every_month", node, "schedule.days", said)


def _read(node: str, field: str, text: str, read: Callable[[str], object]) -> Iterator[Finding]:
    try:
        read(text)
    except BadInput as fault:
        yield error("schedule_invalid", node, f"schedule.{field}", fault.sentence)


def _missing(node: str, field: str) -> Finding:
    return error("field_missing", node, f"schedule.{field}", f"The field {field} is missing: {_MEANT[field]}.")


_MEANT = {
    "at": "say at what time, as 09:00, or for once 2026-12-24T09:00",
    "days": "name the days, as [mon, fri], of a month as [1, 15, last]",
    "expression": "write five fields, as 0 9 * * mon-fri",
    "from": "write the day that every so many are counted from",
}

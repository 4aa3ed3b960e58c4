"""What is past when a journey is judged: a wait that is over, a date that no condition sees again. The instant is an argument."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from journey import dates, local_time
from journey.errors import BadInput
from journey.events import Instant
from journey.findings import Finding, error, warning
from journey.graph import Condition, EventNode, Journey, Wait
from journey.rule_tree import Test
from journey.rules import leaves
from journey.until import UntilAt, timed
from journey.validation.rules import tree

_WESTMOST = timedelta(hours=12) // timedelta(microseconds=1)
"""So much later than in UTC is a time on the last clocks of the world."""


def check(journey: Journey, now: Instant) -> Iterator[Finding]:
    """Everything that is past at the instant `now`; nothing when that is 0, which means that it is not known."""
    zone = local_time.zone(journey.timezone)
    if not now or zone is None:
        return
    yield from _end(journey, now)
    for node in journey.by_id.values():
        match node:
            case Wait():
                yield from _wait(node, zone, now)
            case Condition():
                for index, branch in enumerate(node.branches):
                    yield from _dates(node.id, f"branches[{index}].when", branch.when, local_time.clock(now, zone))
            case EventNode():
                yield from _dates(node.id, "where", node.where, local_time.clock(now, zone))
            case _:
                pass


def _end(journey: Journey, now: Instant) -> Iterator[Finding]:
    try:
        ends = dates.ends(journey)
    except BadInput:  # of which another finding tells
        return
    if ends is not None and ends <= now:
        said = f"The journey ends at {journey.end}, which is past, so nobody would enter: write a later date, or take end out."
        yield error("end_past", "", "end", said)


def _wait(node: Wait, zone: ZoneInfo, now: Instant) -> Iterator[Finding]:
    until = timed(node.until)
    if not isinstance(until, UntilAt):
        return
    anywhere = until.zone == "profile"
    at = local_time.read(until.at, ZoneInfo("UTC") if anywhere else zone)
    if at is not None and at + (_WESTMOST if anywhere else 0) < now:
        field = "until" if isinstance(node.until, str) else "until.at"
        said = f"{until.at} is past, so nobody waits here, all go on at once: write a later date-time, or take the wait out."
        yield warning("wait_past", node.id, field, said)


def _dates(node: str, field: str, written: object, today: datetime) -> Iterator[Finding]:
    rule = tree(written)  # type: ignore[arg-type]
    for test in leaves(rule) if rule is not None else ():
        if test.field == "now.date" and _is_over(test, today.date()):
            said = f"The date in now.date {_shown(test)} is past, so that this is never true again: write a later one, or take it out."
            yield warning("date_past", node, field, said)


def _is_over(test: Test, today: date) -> bool:
    """Does the test ask for a date before today?"""
    shown = today.isoformat()
    match test.operator, test.value:
        case ("=" | "<=", str(value)):
            return value < shown
        case ("<", str(value)):
            return value <= shown
        case ("in", tuple(values)):
            return bool(values) and all(isinstance(value, str) and value < shown for value in values)
    return False


def _shown(test: Test) -> str:
    return f"in {list(test.value)}" if isinstance(test.value, tuple) else f"{test.operator} {test.value}"

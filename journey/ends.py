"""When the waits of a gate end for somebody who arrives there: instants in, instants out. It knows no store and reads no clock.

The store asks it in the commit of an arrival and keeps what it says; the simulator asks it too. A workflow must not import it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from journey import durations, local_time, lots, windows
from journey.events import Instant
from journey.gate import MICROSECONDS, Ends
from journey.graph import Journey, Wait
from journey.rules import Scope
from journey.until import Timed, UntilAt, UntilField, UntilWindow, timed
from journey.walk import Place, nodes_of

TIMEZONE = "timezone"
"""The attribute of a profile that `zone: profile` reads."""
_UTC = ZoneInfo("UTC")


def ends(journey: Journey, place: Place, key: str, now: Instant, scope: Callable[[], Scope]) -> Ends:
    """The end of each wait at this place that hangs on a date, a field or a clock, for somebody who arrives now: never before now.

    None is a wait whose field holds no time: it is over at once. `scope` gives what fields are looked up in; it is asked only where a
    field or the person's own zone is needed.
    """
    found: Ends = {}
    for node in (journey.node(node_id) for node_id in nodes_of(place)):
        until = timed(node.until) if isinstance(node, Wait) else None
        if until is not None:
            at = _end(journey, until, now, scope)
            found[node.id] = at if at is None or at <= now else _spread(journey, node.id, key, at, until, scope)
    return {node: end if end is None else max(end, now) for node, end in found.items()}


def _end(journey: Journey, until: Timed, now: Instant, scope: Callable[[], Scope]) -> Instant | None:
    where = zone_of(journey, until, scope)
    match until:
        case UntilAt():
            return local_time.read(until.at, where)
        case UntilField():
            at = local_time.read(scope().find(until.field), where)
            return at if at is None else at + _shift(until)
        case UntilWindow():
            return windows.next_open(now, windows.hours(until.hours), until.weekdays, where)


def _shift(until: UntilField) -> Instant:
    written = until.before or until.after
    length = durations.seconds(written) * MICROSECONDS if written else 0
    return -length if until.before else length


def zone_of(journey: Journey, until: Timed, scope: Callable[[], Scope]) -> ZoneInfo:
    """Whose clock counts: that of the person where it is asked for and theirs can be read, else the journey's."""
    own: Any = scope().profile.get(TIMEZONE) if until.zone == "profile" else None
    found = local_time.zone(own) if isinstance(own, str) else None
    return found or local_time.zone(journey.timezone) or _UTC


def _spread(journey: Journey, node: str, key: str, at: Instant, until: Timed, scope: Callable[[], Scope]) -> Instant:
    """Their own moment of the spread. In a window they come while it is open, also in one that a jump of the clock has shortened."""
    if not until.spread:
        return at
    later = int(lots.place(journey.id, node, key) * durations.seconds(until.spread) * MICROSECONDS)
    if isinstance(until, UntilWindow):
        where, of = zone_of(journey, until, scope), windows.hours(until.hours)
        while later and not windows.is_open(at + later, of, until.weekdays, where):
            later //= 2
    return at + later

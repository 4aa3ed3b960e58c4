"""When quiet hours hold for a person, by the clock where they are. Pure: the instant is an argument.

By a clock that is put back quiet hours last from the first time their beginning is shown to the last time their end is: nobody is woken in
an hour that comes twice. An end that is skipped is the instant at which the clock is put forward.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from journey import local_time
from journey.events import Instant
from journey.policies import QUIET_HOURS, WEEKDAYS, QuietHours, length
from journey.profiles import Profile

_TIME = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)$", re.ASCII)
_DAY = timedelta(days=1)
_STRETCHES = 64
"""So many quiet hours may follow one another without a pause; validation refuses those that never end."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A delivery must not go now: it may be tried again at `until`; None when it is to be left out. `reason` says why."""

    until: Instant | None
    reason: str = QUIET_HOURS


def time_of_day(text: str) -> time | None:
    """A time as `21:00`; None when the text is none."""
    found = _TIME.match(text)
    return time(int(found[1]), int(found[2])) if found is not None else None


def zone_of(profile: Profile) -> str:
    """The name of a person's own time zone: that of their device, else the attribute `timezone`; empty when neither is one."""
    for name in (profile.device_zone, profile.attributes.get("timezone")):
        if isinstance(name, str) and name and local_time.zone(name) is not None:
            return name
    return ""


def judge(quiet: Sequence[QuietHours], channel: str, person_zone: str, asked_at: Instant, now: Instant) -> Quiet | None:
    """Whether quiet hours forbid a message to somebody now, and until when; None when none do.

    `person_zone` is the person's own, empty when they have none; `asked_at` is when the message was first to be sent.
    """
    holding = [one for one in quiet if one.covers(channel) and _end(one, person_zone, now) is not None]
    if not holding:
        return None
    until = _free_at(quiet, channel, person_zone, now)
    too_long = any(one.then == "queue" and until > asked_at + length(one.longest) for one in holding)
    return Quiet(None if too_long or any(one.then == "discard" for one in holding) else until)


def _free_at(quiet: Sequence[QuietHours], channel: str, person_zone: str, now: Instant) -> Instant:
    """The first instant from now on at which none of them hold."""
    at = now
    for _ in range(_STRETCHES):
        ends = [end for one in quiet if one.covers(channel) and (end := _end(one, person_zone, at)) is not None]
        if not ends:
            break
        at = max(ends)
    return at


def _end(one: QuietHours, person_zone: str, now: Instant) -> Instant | None:
    """When these quiet hours are over, if they hold now."""
    where = (local_time.zone(person_zone) if person_zone else None) or local_time.zone(one.zone)
    start, end = time_of_day(one.start), time_of_day(one.end)
    if where is None or start is None or end is None:
        return None
    today = local_time.clock(now, where).date()
    for day in (today - _DAY, today):
        if one.weekdays and WEEKDAYS[day.weekday()] not in one.weekdays:
            continue
        begins, ends = _stretch(day.toordinal(), start, end, where)
        if begins <= now < ends:
            return ends
    return None


@lru_cache(maxsize=4096)
def _stretch(ordinal: int, start: time, end: time, where: ZoneInfo) -> tuple[Instant, Instant]:
    """The quiet hours that begin on this day: found once for all people of a zone."""
    day = date.fromordinal(ordinal)
    last = day if end > start else day + _DAY
    return local_time.first_instant(datetime.combine(day, start), where), local_time.second_instant(datetime.combine(last, end), where)

"""Windows of hours and weekdays on a wall clock: whether one is open, and when it opens next. It knows no wait and no person.

A window is open whenever the clock shows it. In an hour that comes twice it may be open twice; hours that a clock jumps over are missing
from it, and when all of them are, that day has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from journey import local_time
from journey.errors import BadInput
from journey.events import Instant
from journey.until import WEEKDAYS, Weekday

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)", re.ASCII)
_WHOLE_DAY = timedelta(days=1)
_LOOKED_AT = 16
"""Days: two weeks and one to each side, for a window a week that falls into a jump is missing once."""


@dataclass(frozen=True, slots=True)
class Hours:
    """From when to when on a clock; the end is not in it. An end that is not behind the start is that of the next day."""

    start: timedelta
    end: timedelta

    @property
    def length(self) -> timedelta:
        return self.end - self.start if self.end > self.start else self.end - self.start + _WHOLE_DAY


def hours(written: str) -> Hours:
    """`09:00-17:00`, `22:00-06:00`, `18:00-24:00`; the empty text is the whole day. Raises BadInput."""
    if not written:
        return Hours(timedelta(), _WHOLE_DAY)
    found = _HOURS.fullmatch(written)
    if found is None:
        raise BadInput(f"{written!r} are no hours: write from and to on a 24-hour clock, as 09:00-17:00.", code="hours_invalid")
    start = timedelta(hours=int(found[1]), minutes=int(found[2]))
    end = timedelta(hours=int(found[3]), minutes=int(found[4])) if found[3] else _WHOLE_DAY
    if start == end:
        raise BadInput(f"{written!r} begin when they end: write 00:00-24:00 for the whole day.", code="hours_invalid")
    return Hours(start, end)


def is_open(at: Instant, of: Hours, weekdays: tuple[Weekday, ...], where: ZoneInfo) -> bool:
    """Does the clock show the window at this instant?"""
    shown = local_time.clock(at, where)
    passed = shown - datetime.combine(shown.date(), time())
    if of.end > of.start:
        return of.start <= passed < of.end and _falls(shown.date(), weekdays)
    if passed >= of.start:
        return _falls(shown.date(), weekdays)
    return passed < of.end and _falls(shown.date() - _WHOLE_DAY, weekdays)


def next_open(at: Instant, of: Hours, weekdays: tuple[Weekday, ...], where: ZoneInfo) -> Instant:
    """This instant when the window is open, else the next one at which it opens."""
    if is_open(at, of, weekdays, where):
        return at
    today = local_time.clock(at, where).date()
    for step in range(-1, _LOOKED_AT):
        for begins in _beginnings(today + timedelta(days=step), of, where):
            if begins > at and is_open(begins, of, weekdays, where):
                return begins
    return at  # a window that no clock shows in two weeks does not hold anybody up


def _beginnings(day: date, of: Hours, where: ZoneInfo) -> Iterator[Instant]:
    """When a window could open on a day: at its start, at its start once more, and when the clock is put back into it."""
    start = datetime.combine(day, time()) + of.start
    found = [local_time.first_instant(start, where), local_time.second_instant(start, where)]
    moved = local_time.put_back(day, where)
    yield from sorted(found if moved is None else [*found, moved])


def _falls(day: date, weekdays: tuple[Weekday, ...]) -> bool:
    return not weekdays or WEEKDAYS[day.weekday()] in weekdays

"""Clocks on the wall: what one shows at an instant, and at which instant one shows a time. It reads no clock: an instant is an argument.

A workflow must not import it: the rules of a zone may be others tomorrow. One rule holds for every time that is written: it is the first
instant at which the clock shows that time or a later one. So a time that a clock jumps over when summer begins is the moment of the jump,
and one that it shows twice when summer ends is the first of the two.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from journey.events import Instant
from journey.until import WEEKDAYS

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND: Instant = 1_000_000
_SHAPE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """The zone of a name, as America/New_York; None when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def clock(at: Instant, where: ZoneInfo) -> datetime:
    """What the clock shows there at this instant, without an offset."""
    return (_BEGINNING + timedelta(microseconds=at)).astimezone(where).replace(tzinfo=None, fold=0)


def first_instant(shown: datetime, where: ZoneInfo) -> Instant:
    """The first instant at which the clock there shows this time or a later one."""
    early, late = _instant(shown.replace(tzinfo=where, fold=0)), _instant(shown.replace(tzinfo=where, fold=1))
    return early if clock(early, where) == shown else jump(late, early, where)


def second_instant(shown: datetime, where: ZoneInfo) -> Instant:
    """The last instant at which the clock shows this time: another than the first one when the clock is put back over it."""
    late = _instant(shown.replace(tzinfo=where, fold=1))
    return late if clock(late, where) == shown else first_instant(shown, where)


def put_back(day: date, where: ZoneInfo) -> Instant | None:
    """The instant at which the clock jumps on this day, forward or back; None on nearly all days."""
    start, end = (first_instant(datetime.combine(one, time()), where) for one in (day, day + timedelta(days=1)))
    return None if _offset(start, where) == _offset(end, where) else jump(start, end, where)


def jump(before: Instant, after: Instant, where: ZoneInfo) -> Instant:
    """The instant between these two at which the offset changes."""
    wanted = _offset(after, where)
    low, high = before // _SECOND, -(-after // _SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(middle * _SECOND, where) == wanted else (middle, high)
    return high * _SECOND


def read(written: object, where: ZoneInfo) -> Instant | None:
    """The instant of a written date-time (RFC 3339; without an offset in this zone; a date is its midnight). None when it is none."""
    if not isinstance(written, str) or _SHAPE.fullmatch(written.strip()) is None:
        return None
    try:
        found = datetime.fromisoformat(written.strip())
        return _instant(found) if found.tzinfo is not None else first_instant(found, where)
    except (ValueError, OverflowError):
        return None


def reading(at: Instant, name: str) -> dict[str, int | str]:
    """What a rule sees of the clock of a zone: `hour` (0 to 23), `time` (09:30), `weekday` (mon to sun), `date` (2026-03-01)."""
    shown = clock(at, zone(name) or ZoneInfo("UTC"))
    return {"hour": shown.hour, "time": f"{shown:%H:%M}", "weekday": WEEKDAYS[shown.weekday()], "date": f"{shown:%Y-%m-%d}"}


def said(at: Instant, name: str) -> str:
    """An instant as people of a zone say it: `on 2026-03-01 at 09:30`, in UTC where there is no such zone."""
    return f"{clock(at, zone(name) or ZoneInfo('UTC')):on %Y-%m-%d at %H:%M}"


def _instant(at: datetime) -> Instant:
    return (at - _BEGINNING) // _MICROSECOND


def _offset(at: Instant, where: ZoneInfo) -> timedelta | None:
    return (_BEGINNING + timedelta(microseconds=at)).astimezone(where).utcoffset()

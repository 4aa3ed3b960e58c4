"""The times at which a schedule happens, in its timezone. It knows no clock: whoever asks says after which instant.

An occurrence has the name that the clocks there show, `2026-03-29T02:30`. Where clocks are set back and show a time twice, it happens the
first time. Where they jump over it, it happens as they jump; several that come to one instant so are one, named after the last.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice, pairwise, takewhile

from cronsim import CronSim, CronSimError

from journey import dates, local_time
from journey.errors import BadInput
from journey.events import Instant
from journey.graph import Journey, reading
from journey.schedule import Cron, Daily, Monthly, Once, Repeating, Schedule, Weekly
from journey.until import WEEKDAYS

LATEST_YEAR = 2999
_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)
_LOOKED_BACK = 2 * _DAY
"""Clocks of one zone never differ by more: Samoa left out one day."""
_ENOUGH = 500
"""So many times of a cron expression show how close together they can be: a whole day of every fifth minute, and more."""
_SOME_DAY = datetime(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time at which a schedule happens: its local name, and the instant in microseconds."""

    local: str
    at: Instant


def following(schedule: Schedule, timezone: str, after: Instant) -> Iterator[Occurrence]:
    """Every occurrence that is later than an instant, in order; a schedule without end never stops giving.

    The schedule is one that the validator has no error for. Raises BadInput for a time or a timezone that cannot be read.
    """
    zone = local_time.zone(timezone)
    if zone is None:
        raise BadInput(f"There is no time zone {timezone!r}.", code="timezone_unknown")
    held: Occurrence | None = None
    for local in locals_from(schedule, local_time.clock(after, zone) - _LOOKED_BACK):
        at = local_time.first_instant(local, zone)
        if at <= after:
            continue
        if held is not None and held.at != at:
            yield held
        held = Occurrence(local.isoformat(timespec="minutes"), at)
    if held is not None:
        yield held


def upcoming(schedule: Schedule, timezone: str, after: Instant, most: int) -> tuple[Occurrence, ...]:
    """The next so many occurrences."""
    return tuple(islice(following(schedule, timezone, after), most))


def of_journey(journey: Journey, after: Instant) -> Iterator[Occurrence]:
    """Every occurrence of a journey that is later than an instant: not before its start, and before its end. None for a journey that
    reads at once, by hand, or no segment at all. Raises BadInput for what cannot be read."""
    entry = reading(journey)
    if entry is None or isinstance(entry.schedule, str):
        return iter(())
    starts_at, ends_at = dates.opens(journey), dates.ends(journey)
    found = following(entry.schedule, journey.timezone, after if starts_at is None else max(after, starts_at - 1))
    return found if ends_at is None else takewhile(lambda one: one.at < ends_at, found)


def locals_from(schedule: Schedule, start: datetime) -> Iterator[datetime]:
    """Every local time of a schedule from one on, whether or not clocks show it."""
    if isinstance(schedule, Once):
        at = moment(schedule.at)
        if at >= start:
            yield at
        return
    end = moment(schedule.until, end=True) if schedule.until else datetime(LATEST_YEAR, 12, 31)
    start = max(start, moment(schedule.begins)) if schedule.begins else start
    for local in _without_end(schedule, start):
        if local > end:
            return
        if local >= start:
            yield local


def shortest(schedule: Schedule) -> timedelta | None:
    """The shortest time between two occurrences that follow each other, by the clock on the wall; None when there are no two."""
    if isinstance(schedule, Once):
        return None
    unbounded = schedule.model_copy(update={"begins": "", "until": ""}) if isinstance(schedule, Cron) else schedule
    start = _SOME_DAY if isinstance(schedule, Cron) or not schedule.begins else moment(schedule.begins)
    return min((later - earlier for earlier, later in pairwise(islice(locals_from(unbounded, start), _ENOUGH))), default=None)


# ---- what is written -------------------------------------------------------------------------------------------------------------


def clock(text: str) -> time:
    """A time of day, `09:00`. Raises BadInput."""
    try:
        return _strict(text, "%H:%M").time()
    except ValueError:
        raise BadInput(f"{text!r} is no time of day: write hours and minutes, as 09:00.", code="schedule_invalid") from None


def moment(text: str, *, end: bool = False) -> datetime:
    """A local date with a time, `2026-12-24T09:00`; of a date alone its first minute, or with `end` its last. Raises BadInput."""
    for shape in ("%Y-%m-%dT%H:%M", "%Y-%m-%d"):
        try:
            found = _strict(text, shape)
        except ValueError:
            continue
        if not 1970 <= found.year <= LATEST_YEAR:
            break
        return found + _DAY - _MINUTE if end and shape == "%Y-%m-%d" else found
    said = f"{text!r} is no date of our time: write it as 2026-12-24T09:00, in the journey's own timezone and without an offset."
    raise BadInput(said, code="schedule_invalid")


def cron(expression: str) -> None:
    """Raises BadInput when five fields of cron cannot be read."""
    if len(expression.split()) != 5:
        said = f"{expression!r} has not five fields: write minute, hour, day of the month, month, day of the week, as in 0 9 * * mon-fri."
        raise BadInput(said, code="schedule_invalid")
    try:
        CronSim(expression, _SOME_DAY)
    except CronSimError as fault:
        raise BadInput(f"{expression!r} is no cron expression: {str(fault).lower()}.", code="schedule_invalid") from None


def _strict(text: str, shape: str) -> datetime:
    """strptime also takes 9:0, which is no ISO 8601."""
    found = datetime.strptime(text, shape)
    if found.strftime(shape) != text:
        raise ValueError(text)
    return found


# ---- day after day ---------------------------------------------------------------------------------------------------------------


def _without_end(schedule: Repeating, start: datetime) -> Iterator[datetime]:
    if isinstance(schedule, Cron):
        yield from CronSim(schedule.expression, start - _MINUTE)
        return
    at = clock(schedule.at)
    for day in _days(schedule, start.date()):
        yield datetime.combine(day, at)


def _days(schedule: Daily | Weekly | Monthly, start: date) -> Iterator[date]:
    counted_from = moment(schedule.begins).date() if schedule.begins else start
    match schedule:
        case Daily():
            day = start + timedelta(days=(counted_from - start).days % schedule.every)
            while True:
                yield day
                day += timedelta(days=schedule.every)
        case Weekly():
            days = sorted(WEEKDAYS.index(name) for name in schedule.days)
            monday = start - timedelta(days=start.weekday())
            monday += timedelta(weeks=((counted_from - timedelta(days=counted_from.weekday()) - monday).days // 7) % schedule.every)
            while days:
                yield from (monday + timedelta(days=number) for number in days)
                monday += timedelta(weeks=schedule.every)
        case Monthly():
            year, month = start.year, start.month
            while schedule.days:
                last = monthrange(year, month)[1]
                wanted = {last if day == "last" else day for day in schedule.days}
                yield from (date(year, month, day) for day in sorted(wanted) if day <= last)
                year, month = (year, month + 1) if month < 12 else (year + 1, 1)

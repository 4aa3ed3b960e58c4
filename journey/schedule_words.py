"""A schedule as people say it: for the diagram, a report and the command line. It counts no times."""

from __future__ import annotations

from journey.schedule import Cron, Daily, Monthly, Once, Schedule, Weekly


def spoken(schedule: str | Schedule) -> str:
    """In words: `every 2 weeks on monday and friday at 09:00, until 2026-12-31`."""
    if isinstance(schedule, str):
        return {"asap": "at once", "manual": "by hand"}.get(schedule, schedule)
    match schedule:
        case Once():
            return f"once, at {schedule.at or '?'}"
        case Daily():
            said = f"{_every(schedule.every, 'day')} at {schedule.at or '?'}"
        case Weekly():
            said = f"{_every(schedule.every, 'week')} on {_listed(schedule.days)} at {schedule.at or '?'}"
        case Monthly():
            said = f"every month on {_of_month(schedule.days)} at {schedule.at or '?'}"
        case Cron():
            said = f"by cron {schedule.expression or '?'}"
    said += f", from {schedule.begins}" if schedule.begins else ""
    return said + (f", until {schedule.until}" if schedule.until else "")


def _every(count: int, unit: str) -> str:
    return f"every {unit}" if count == 1 else f"every {count} {unit}s"


def _of_month(days: tuple[int | str, ...]) -> str:
    if days == ("last",):
        return "the last day"
    return f"day {_listed(tuple(str(day) if isinstance(day, int) else f'the {day}' for day in days))}"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part) if names else "?"

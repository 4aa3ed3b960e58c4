"""The dates of a journey as its document writes them, and the instants that they are. It knows time zones: no workflow may import it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from journey import local_time
from journey.errors import BadInput
from journey.events import Instant
from journey.graph import Journey

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def instant(text: str, timezone: str) -> Instant:
    """The instant of a date-time in microseconds: as the clocks of `timezone` show it, unless it says its own offset (local_time.py).

    A date alone is its first moment. Raises BadInput with code `date_invalid`, and `timezone_unknown` where the zone is.
    """
    zone = local_time.zone(timezone)
    if zone is None:
        raise BadInput(f"There is no time zone {timezone!r}.", code="timezone_unknown")
    found = local_time.read(text, zone)
    if found is None or found <= 0:
        raise BadInput(f"{text!r} is no date: write one as 2026-12-01 or 2026-12-01T09:30, in the journey's zone.", code="date_invalid")
    return found


def opens(journey: Journey) -> Instant | None:
    """When the first may enter; None when that is as soon as it is published. Raises BadInput as `instant` does."""
    return instant(journey.start, journey.timezone) if journey.start else None


def ends(journey: Journey) -> Instant | None:
    """When nobody more enters and everybody inside ends; None when never. Raises BadInput as `instant` does."""
    return instant(journey.end, journey.timezone) if journey.end else None


def told(at: Instant) -> str:
    """An instant as sentences say it."""
    return (_BEGINNING + timedelta(microseconds=at)).strftime("%Y-%m-%d %H:%M UTC")

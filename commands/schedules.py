"""When a journey lets people in, for whoever reads a folder offline: in words, and the next times. It starts nothing."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

from journey import occurrences, schedule_words
from journey.errors import BadInput
from journey.events import Instant
from journey.graph import Journey, reading
from journey.occurrences import Occurrence
from journey.schedule import Schedule

SHOWN = 5


def now() -> Instant:
    """The clock of this machine, in microseconds."""
    return time.time_ns() // 1000


def sentence(journey: Journey, at: Instant) -> str | None:
    """The next occurrences after an instant; None for a journey that is on no schedule, or on one that cannot be read."""
    schedule = _of(journey)
    following = _upcoming(journey, at)
    if schedule is None or following is None:
        return None
    times = ", ".join(one.local for one in following) or "never again"
    return f"{journey.id} reads its segment {schedule_words.spoken(schedule)} ({journey.timezone}): {times}."


def as_data(journey: Journey, at: Instant) -> dict[str, Any] | None:
    """The same for machines."""
    schedule = _of(journey)
    if schedule is None:
        return None
    following = _upcoming(journey, at) or ()
    return {"says": schedule_words.spoken(schedule), "timezone": journey.timezone, "next": [one.local for one in following]}


def _of(journey: Journey) -> Schedule | None:
    entry = reading(journey)
    return None if entry is None or isinstance(entry.schedule, str) else entry.schedule


def _upcoming(journey: Journey, at: Instant) -> tuple[Occurrence, ...] | None:
    """None when a finding says what is wrong."""
    try:
        return tuple(islice(occurrences.of_journey(journey, at), SHOWN))
    except BadInput:  # a finding says what is wrong with it
        return None

"""What a journey is judged against: everything it can name, as the store has it now. It knows no verdict: validation/judging.py does."""

from __future__ import annotations

from sqlalchemy import Connection

from journey.events import Instant
from journey.graph import Journey, reading
from journey.schedule import AT_ONCE
from journey.surroundings import Surroundings
from store import attributes, definitions, messages, segments, versions


def read(connection: Connection, public_url: str = "", now: Instant = 0, judged: Journey | None = None) -> Surroundings:
    """Attributes, segments, event definitions and messages, all at one moment. `public_url` is where the links of mails lead, `now` the
    instant at which a draft is judged; without it nothing is said about the past. With `judged`, the journey that is to be published,
    also its versions so far, and whether anybody is in its segment."""
    journeys, live = versions.jumped_to(connection)
    return Surroundings(
        attributes=attributes.all_of(connection),
        segments=segments.all_of(connection),
        events=definitions.all_of(connection),
        messages=messages.all_of(connection),
        public_url=public_url,
        now=now,
        journeys=journeys,
        not_live=frozenset(journeys) - live,
        earlier=tuple(versions.frozen_version(connection, one.hash).journey for one in versions.of_journey(connection, judged.id))
        if judged is not None
        else (),
        nobody_in=_nobody_in(connection, judged, now) if judged is not None else frozenset(),
    )


def _nobody_in(connection: Connection, judged: Journey, now: Instant) -> frozenset[str]:
    """The segment that a publish is to read at once, when nobody is in it."""
    entry = reading(judged)
    if entry is None or entry.schedule != AT_ONCE or segments.anybody_in(connection, entry.segment, now) is not False:
        return frozenset()
    return frozenset({entry.segment})

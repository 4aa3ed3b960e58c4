"""What a journey is judged against: everything it can name, as the store has it now. It knows no verdict: validation.py does."""

from __future__ import annotations

from sqlalchemy import Connection

from journey.events import Instant
from journey.surroundings import Surroundings
from store import attributes, definitions, messages, segments, versions


def read(connection: Connection, public_url: str = "", now: Instant = 0, of: str = "") -> Surroundings:
    """Attributes, segments, event definitions and messages, all at one moment. `public_url` is where the links of mails lead, `now` the
    instant at which a draft is judged; without it nothing is said about the past. `of` is the journey that is judged: its versions so
    far."""
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
        earlier=tuple(versions.frozen_version(connection, one.hash).journey for one in versions.of_journey(connection, of)),
    )

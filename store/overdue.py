"""Entrants of whom the store knows more than their workflow has acted on. It knows no workflow: whoever asks tells it."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, text

from journey.contract import Happened
from journey.events import Instant
from store import schema, versions

_UNTOLD = select(
    schema.entrants.c.id, schema.entrants.c.n, schema.entrants.c.won_node, schema.entrants.c.won_source, schema.entrants.c.won_event
).where(
    text("entrants.state = 'open'"), schema.entrants.c.due < bindparam("before"), schema.entrants.c.won_node != "", schema.entrants.c.closed
)  # fmt: skip


_TO_LEAVE = select(schema.entrants.c.id, schema.entrants.c.ending).where(
    text("entrants.state = 'open'"), schema.entrants.c.version == bindparam("version"), schema.entrants.c.ending != ""
)


def untold(connection: Connection, before: Instant) -> list[tuple[str, Happened]]:
    """Entrants whose gate is decided and who have not gone on, though they should have by this instant, with the signal each is owed."""
    rows = connection.execute(_UNTOLD, {"before": before})
    return [(row.id, Happened(row.n, row.won_node, row.won_source, row.won_event)) for row in rows]


def must_leave(connection: Connection) -> list[tuple[str, str]]:
    """Entrants who must end and have not, with the reason: their winding down was cut short. Only stopped versions are looked at."""
    stopped = versions.to_wind_down(connection)
    rows = (row for version in stopped for row in connection.execute(_TO_LEAVE, {"version": version}))
    return [(row.id, row.ending) for row in rows]

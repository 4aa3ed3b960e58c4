"""Entrants of whom the store knows more than their workflow has acted on. It knows no workflow: whoever asks tells it."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, text

from journey.contract import Happened
from journey.events import Instant
from store import schema

_UNTOLD = select(
    schema.entrants.c.id, schema.entrants.c.n, schema.entrants.c.won_node, schema.entrants.c.won_source, schema.entrants.c.won_event
).where(
    text("entrants.state = 'open'"), schema.entrants.c.due < bindparam("before"), schema.entrants.c.won_node != "", schema.entrants.c.closed
)  # fmt: skip


def untold(connection: Connection, before: Instant) -> list[tuple[str, Happened]]:
    """Entrants whose gate is decided and who have not gone on, though they should have by this instant, with the signal each is owed."""
    rows = connection.execute(_UNTOLD, {"before": before})
    return [(row.id, Happened(row.n, row.won_node, row.won_source, row.won_event)) for row in rows]

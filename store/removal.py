"""People are told to end: the reason stands on their row from this commit on, their next commit is their end (D10)."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import bindparam, select, text, update

from journey.errors import NotFound
from store import entrants, schema
from store.work import Work

REMOVED = "removed"
_TO_TELL = (
    select(schema.entrants.c.id)
    .where(schema.entrants.c.version == bindparam("version"), text("entrants.state = 'open'"), schema.entrants.c.ending == "")
    .order_by(schema.entrants.c.id)
    .limit(bindparam("most"))
    .with_for_update()
)


def tell(work: Work, entrant: str, reason: str) -> None:
    """Write the reason on one entrant, whom the sweep looks after if it does not end at once. The first reason stays, and one that has
    ended has ended."""
    found = entrants.lock(work, entrant)
    if found is not None and found.state == "open" and not found.must_end:
        found.must_leave(reason, work.now())
        entrants.save(work, found)


def remove(work: Work, entrant: str) -> tuple[Literal["open", "ended"], str]:
    """Take one entrant out, as its workflow's cancel does; returns its state and why it ends or ended. Raises NotFound."""
    tell(work, entrant, REMOVED)
    found = entrants.lock(work, entrant)
    if found is None:
        raise NotFound(f"There is no entrant {entrant}.")
    return ("open", found.must_end) if found.state == "open" else ("ended", found.end_reason)


def tell_page(work: Work, version: str, reason: str, most: int) -> list[str]:
    """Write the reason on the next entrants of a version that have none, and return their ids. The first reason stays."""
    ids = list(work.connection.execute(_TO_TELL, {"version": version, "most": most}).scalars())
    if ids:
        due = work.now() + entrants.DECIDED_DUE
        work.connection.execute(update(schema.entrants).where(schema.entrants.c.id.in_(ids)).values(ending=reason, due=due))
    return ids

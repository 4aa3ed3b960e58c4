"""Before a run that forces its people to enter anew: everybody inside is told to end, a page at a time. Whoever is still inside when the
run reads is left out as `already_inside`."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, select, text, update

from store import schema, versions
from store.entrants import DECIDED_DUE
from store.work import Work

REENTERED = "reentered"
_entrants, _runs = schema.entrants.c, schema.runs.c
_INSIDE = (
    select(_entrants.id)
    .where(
        _entrants.journey == bindparam("journey"),
        _entrants.mode == "live",
        text("entrants.state = 'open'"),
        _entrants.entered_at <= bindparam("cutoff"),
    )
    .order_by(_entrants.key)
)
_TO_TELL = _INSIDE.where(_entrants.ending == "").limit(bindparam("most")).with_for_update()
_RUN = select(_runs.state, _runs.journey, _runs.version, _runs.cutoff).where(_runs.id == bindparam("run")).with_for_update()


@dataclass(frozen=True, slots=True)
class Cleared:
    """Who is to be told to end now; `done` when the run may read, or is over."""

    told: tuple[str, ...] = ()
    done: bool = False


def clear_page(work: Work, run_id: str, most: int, *, patient: bool = True) -> Cleared:
    """Write the reason on the next people inside, whatever their version; the first reason stays. When all have it the run reads, as soon
    as nobody of them is inside any more; at once when the caller has no more patience."""
    run = work.connection.execute(_RUN, {"run": run_id}).one_or_none()
    if run is None or run.state != "clearing":
        return Cleared(done=True)
    version = versions.row(work.connection, run.version)
    if version.state != "live" and version.pause != "hold":
        _save(work, run_id, state="reading")  # the first page sees the same, and lets in nobody: so nobody more is to lose their place
        return Cleared(done=True)
    inside = {"journey": run.journey, "cutoff": run.cutoff}
    told = tuple(work.connection.execute(_TO_TELL, inside | {"most": most}).scalars())
    if told:
        due = work.now() + DECIDED_DUE
        work.connection.execute(update(schema.entrants).where(_entrants.id.in_(told)).values(ending=REENTERED, due=due))
        _save(work, run_id, reentered=_runs.reentered + len(told))
        return Cleared(told)
    if patient and work.connection.execute(_INSIDE.limit(1), inside).first() is not None:
        return Cleared()
    _save(work, run_id, state="reading")
    return Cleared(done=True)


def _save(work: Work, run_id: str, **values: object) -> None:
    work.connection.execute(schema.runs.update().where(_runs.id == run_id).values(**values))

"""What a workflow is told of an entrant: the last closed step, as the store has it. It changes nothing.

To somebody who was carried over it names the version: a workflow that does not know that yet goes on with the graph of that one.
"""

from __future__ import annotations

from sqlalchemy import bindparam, select

from journey import gate
from journey.contract import Record
from journey.events import Instant
from store import schema, successions
from store.entrants import Entrant
from store.statements import Row, Statement
from store.work import Work


def last_record(work: Work, entrant: Entrant, *, ahead: bool = False) -> Record:
    """The last closed step, and what has become of the gate it led to: an open step behind it says how that was left.

    `ahead`: the workflow knows of later steps than there are. An older database was restored, and in which version it is nobody here knows.
    """
    if entrant.closed:
        last = _STEP.first(work.connection, {"entrant": entrant.id, "step": entrant.n})
        told = record(work, entrant, work.now(), "" if last is None else last.said)  # forgotten: it ended long ago
        return _named(told, entrant, ahead=ahead)
    last, opened = step(work, entrant.id, entrant.n - 1), step(work, entrant.id, entrant.n)
    heard = opened.left if opened.by_event else ""
    told = Record(last.n, last.place, node=heard, source=opened.by_source, event=opened.by_event, said=last.said)
    return _named(told, entrant, ahead=ahead)


def step(work: Work, entrant: str, n: int) -> Row:
    """Step n as it stands."""
    return _STEP.first(work.connection, {"entrant": entrant, "step": n})


def _named(told: Record, entrant: Entrant, *, ahead: bool = False) -> Record:
    """The record with the version that its entrant walks, if the workflow may not know it."""
    if entrant.carried or ahead:
        told.version, told.hash, told.purpose = entrant.version, entrant.hash, entrant.frozen.journey.purpose
    return told


def record(work: Work, entrant: Entrant, now: Instant, said: str) -> Record:
    """The record of an entrant whose last step is closed: where it stands, how long, and what has decided its gate.

    Who must end goes on at once, as what told them so may have found no workflow; so does who goes on in another version.
    """
    waits = entrant.waiting and not entrant.must_end and successions.way(work, entrant) is None
    seconds = max(entrant.next_instant - now, 0) / gate.MICROSECONDS if waits else 0.0
    told = Record(entrant.n, entrant.place, seconds, entrant.won_node, entrant.won_source, entrant.won_event, entrant.end_reason, said)
    here = entrant.gate_here() if entrant.ends else None
    if here is not None and here.due_exit is not None:
        told.due_node, told.due_exit = here.due_exit.node, here.due_exit.exit
    return _named(told, entrant)


_STEP = Statement(select(schema.steps).where(schema.steps.c.entrant == bindparam("entrant"), schema.steps.c.n == bindparam("step")))

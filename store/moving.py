"""Somebody goes on in the version that succeeds theirs: a step like any other, with nothing done in it but that.

Their time at a gate counts from when they came there: the new deadline is that instant and the new length. What the old version has counted
of them stays its own; from this step on the new one counts.
"""

from __future__ import annotations

from sqlalchemy import bindparam

from journey import sentences, walk
from journey.contract import Proposal, Record
from journey.events import Instant
from store import closing, entrants, finishing, records, schema
from store.entrants import Entrant
from store.statements import Statement
from store.successions import Way
from store.work import INSERT_STEPS, Work

MOVED = "moved"
"""The outcome of the step that carried somebody over."""


def move(work: Work, entrant: Entrant, way: Way, now: Instant) -> Record:
    """Carry an entrant over, who is locked, or end them where the map says so: their next step. The record names the version."""
    found = way.destination
    if found.kind == "leaves":
        return closing.end_waiting(work, entrant, found.reason, now)
    stood = walk.nodes_of(entrant.place) if entrant.gate_here() is not None else ()
    work.write(_CARRY, {"entrant_": entrant.id, "to": way.to})
    moved = entrants.lock(work, entrant.id)
    assert moved is not None, "it is locked already"
    moved.n, moved.place = entrant.n + 1, found.place
    arrived = closing.arrive(work, moved, Proposal(entrant=moved.id, n=entrant.n), now, won=found.nodes.get(entrant.won_node, ""))
    moved.due = max(moved.due or 0, now)  # their time may have been up before they came
    here = walk.nodes_of(moved.place)
    out = [("", "moved_out", ""), *((node, f"left.{MOVED}", "") for node in stood)]
    come = [("", "moved_in", ""), *((node, "moved_in", "") for node in here)]
    work.record(moved.id, moved.n, entrant.version, moved.mode, now, out)
    work.record(moved.id, moved.n, moved.version, moved.mode, now, come + arrived)
    said = sentences.joined(sentences.moved(entrant.version, moved.version), sentences.went(moved.place if moved.waiting else "", ""))
    INSERT_STEPS.run(
        work.connection,
        {"entrant": moved.id, "n": moved.n, "opened_at": now, "closed_at": now, "outcome": MOVED, "place": moved.place, "said": said,
         "from_version": entrant.version, "to_version": moved.version},
    )  # fmt: skip
    entrants.save(work, moved)
    if entrant.version_state == "closed":
        finishing.finish_if_empty(work, entrant.version)
    return records.record(work, moved, now, said)


def stay(work: Work, entrant: Entrant) -> None:
    """They were woken, and do not go after all: they are due when they were before."""
    if entrant.waiting and not entrant.held and entrant.due is not None and entrant.due < entrant.next_instant:
        entrant.due = entrant.next_instant
        entrants.save(work, entrant)


_CARRY = Statement(
    schema.entrants.update().where(schema.entrants.c.id == bindparam("entrant_")).values(version=bindparam("to"), carried=True)
)

"""Whoever comes to an error that no exit is drawn for, in a journey that parks: they stay there until what failed is mended.

The step stays open with its deliveries failed, or is not opened at all; its place, its numbers and its keys are those of the same step when
it is tried again, so nothing is sent twice. An update of the profile is a stop without deliveries: nothing of it is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from journey import gate, sentences, walk
from journey.contract import Landing, Proposal, Record
from journey.events import Instant
from journey.review import IN_REVIEW
from store import claims, entrants, in_review, messages, records, schema
from store.entrants import Entrant
from store.work import Work

PAGE = 200
_entrants, _steps = schema.entrants.c, schema.steps.c


@dataclass(frozen=True, slots=True)
class Unparked:
    """People who try their step again from this commit on; `done` when there were no more."""

    people: tuple[str, ...] = ()
    done: bool = True


def parks(entrant: Entrant, landing: Landing, now: Instant) -> bool:
    """Is this an end by error that the journey would rather have mended?"""
    return walk.parks(entrant.frozen.journey, landing.reason) and not over(entrant, now)


def park(work: Work, entrant: Entrant, proposal: Proposal, why: str, now: Instant) -> Record:
    """They stay at the node that failed; `why` is the code of what failed first."""
    if not entrant.closed and not claims.of_step(work, entrant.id, proposal.n):  # opened in this commit, of which nothing is written
        again = entrants.lock(work, entrant.id)
        assert again is not None, "it is locked already"
        entrant = again
    entrant.parked, entrant.parked_why, entrant.due = proposal.node, why, entrant.global_deadline
    entrants.save(work, entrant)
    work.noted["parked", why] += 1
    return record(work, entrant, now)


def record(work: Work, entrant: Entrant, now: Instant) -> Record:
    """The record of somebody who is parked, until they are told or their time in the journey is over."""
    seconds = max(entrant.global_deadline - now, 0) / gate.MICROSECONDS
    return replace(
        records.last_record(work, entrant), held=True, seconds=seconds, said=sentences.parked(entrant.parked, entrant.parked_why)
    )


def over(entrant: Entrant, now: Instant) -> str:
    """Why somebody parked ends all the same; empty when they stay."""
    return entrant.must_end or ("global_timeout" if now >= entrant.global_deadline else "")


def unpark(work: Work, journey_id: str, *, node: str = "", only: str = "", after: str = "", most: int = PAGE) -> Unparked:
    """Let the next people parked in a journey try again, with the newest message: those at one node, or one of them. Nobody is told."""
    query = select(_entrants.id).where(_entrants.journey == journey_id, schema.PARKED, _entrants.id > after)
    query = query.where(_entrants.parked == node) if node else query
    query = query.where(_entrants.id == only) if only else query
    found = list(work.connection.execute(query.order_by(_entrants.id).limit(most).with_for_update()).scalars())
    for one in found:
        _try_again(work, one)
    return Unparked(tuple(found), len(found) < most)


def _try_again(work: Work, entrant_id: str) -> None:
    entrant = entrants.lock(work, entrant_id)
    assert entrant is not None, "it was found"
    now = work.now()
    if not entrant.closed:
        failed = [row for row in claims.of_step(work, entrant.id, entrant.n) if row.status == "failed"]
        reviewed = in_review.holds(entrant, entrant.parked)
        fresh: dict[str, Any] = claims.OVER | {"status": "claimed", "reason": "", "tries": 0, "marked_at": None, "detail": ""}
        fresh |= {"reason": IN_REVIEW} if reviewed else {}
        claims.save(work, [claims.change(row, **fresh) for row in failed])
        message = next((row.message for row in failed if row.message), "")
        if message:
            revision, _ = messages.latest(work.connection, message)
            step = update(schema.steps).where(_steps.entrant == entrant.id, _steps.n == entrant.n)
            work.connection.execute(step.values(revision=revision))
            if reviewed:  # the newest is another than was approved
                in_review.add(work, entrant, entrant.n, entrant.parked, message, revision, [row.channel for row in failed], now)
    entrant.parked, entrant.parked_why, entrant.due = "", "", now + entrants.DECIDED_DUE
    entrants.save(work, entrant)


def parked(connection: Connection, version_id: str, mode: str = "live") -> dict[str, int]:
    """How many people of a version are parked at each node."""
    return {row.parked: row.people for row in connection.execute(_PARKED, {"version": version_id, "mode": mode})}


_PARKED = (
    select(_entrants.parked, func.count().label("people"))
    .where(_entrants.version == bindparam("version"), _entrants.mode == bindparam("mode"), schema.PARKED)
    .group_by(_entrants.parked)
)

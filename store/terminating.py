"""Somebody whose workflow was ended from outside ends here too, in a commit of its own: facts, counters and a step as for any end.

It knows no workflow: whoever asks has seen that there is none.
"""

from __future__ import annotations

from journey import walk
from journey.contract import Happened, Proposal
from journey.proposing import propose
from journey.walk import Outcome
from store import claims, closing, entrants, records
from store.entrants import Entrant
from store.work import Work

TERMINATED = "terminated"


def end_terminated(work: Work, entrant_id: str) -> bool:
    """End an open entrant; a reason that stands already stays. False when it has ended, or a message of it is still on its way.

    In the latter case it hears nothing any more, and whoever marks that message closes its last step.
    """
    entrant = entrants.lock(work, entrant_id)
    if entrant is None or entrant.state != "open":
        return False
    now = work.now()
    if not entrant.must_end:
        entrant.ending = TERMINATED
    if entrant.closed:
        closing.end_waiting(work, entrant, entrant.must_end, now)
        return True
    claims.give_up(work, entrant, entrant.n, now)
    deliveries = claims.of_step(work, entrant.id, entrant.n)
    if any(row.status == "claimed" for row in deliveries):
        entrants.save(work, entrant)
        return False
    closing.close(work, entrant, _as_proposed(work, entrant), now, standing=closing.standing_of(deliveries))
    return True


def _as_proposed(work: Work, entrant: Entrant) -> Proposal:
    """The proposal that the open step was opened with."""
    journey = entrant.frozen.journey
    step = records.step(work, entrant.id, entrant.n)
    if not step.left:
        return propose(journey, entrant.id, entrant.n, records.step(work, entrant.id, entrant.n - 1).place)
    left = Outcome(step.left, step.left_exit)
    heard = Happened(entrant.n - 1, step.left, step.by_source, step.by_event) if step.by_event else None
    return propose(journey, entrant.id, entrant.n, walk.follow(journey, left), left, heard)

"""What an entrant proposes as its next step: the walk's answer for every outcome of one stop. It knows no Temporal, no store, no time.

The entrant's workflow sends what is built here to the store, which disposes; tests drive the store by the same proposals.
"""

from __future__ import annotations

from journey import walk
from journey.calls import CHANNEL
from journey.contract import Happened, Landing, Proposal
from journey.graph import Journey
from journey.walk import Outcome, Place


def propose(journey: Journey, entrant: str, n: int, place: Place, left: Outcome | None = None, heard: Happened | None = None) -> Proposal:
    """Step `n` of an entrant that acts at, or goes on to, this place. `left` is how the gate before was left, `heard` the event that
    decided it."""
    proposal = Proposal(entrant=entrant, n=n)
    if left is not None:
        proposal.left, proposal.exit = left.node, left.exit
    if heard is not None:
        proposal.source, proposal.event = heard.source, heard.event
    todo = walk.ask(journey, place, left=left)
    if not isinstance(todo, walk.Acting):
        proposal.landings[""] = landing(journey, place, left)
        return proposal
    proposal.node = todo.node
    if isinstance(todo, walk.Send):
        proposal.message, proposal.channels = todo.message, list(todo.channels)
    elif isinstance(todo, walk.Call):
        proposal.channels, proposal.host = [CHANNEL], todo.host
    for taken in walk.outcomes(journey, todo):
        outcome = Outcome(todo.node, taken)
        proposal.landings[taken] = landing(journey, walk.follow(journey, outcome), outcome)
    return proposal


def landing(journey: Journey, place: Place, left: Outcome | None) -> Landing:
    """Where a stop comes to rest: at a place, or at the end for a reason."""
    answer = walk.ask(journey, place, left=left)
    if isinstance(answer, walk.Finish):
        return Landing(answer.node, answer.reason)
    return Landing(place)

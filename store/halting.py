"""Whoever comes to an action of a paused journey: held there until the pause is over, or at their end. Nothing of the stop is written.

That somebody is held stands on their row, so that they are seen, counted, and found when they may go on (pausing.py).
"""

from __future__ import annotations

from dataclasses import replace

from journey import gate, lifecycle, sentences
from journey.contract import Proposal, Record
from journey.events import Instant
from journey.lifecycle import ACTING
from store import closing, entrants, records
from store.entrants import Entrant
from store.work import Work


def acts(entrant: Entrant, proposal: Proposal) -> bool:
    """Would this step do something to its person? Going on, deciding and waiting do not."""
    return bool(proposal.node) and entrant.frozen.journey.node(proposal.node).kind in ACTING


def ending(entrant: Entrant, now: Instant) -> str:
    """Why somebody ends who may not act; empty when they are held. Their own time in the journey runs on."""
    return lifecycle.ends_held(entrant.version_state, entrant.version_pause, now, entrant.global_deadline)


def halted_at_gate(work: Work, entrant: Entrant, proposal: Proposal, now: Instant) -> Record:
    """Step n is not opened. Where the last one led, whatever decided it, they stay."""
    reason = ending(entrant, now)
    return closing.end_waiting(work, entrant, reason, now) if reason else halted(work, entrant, proposal.node, now)


def halted(work: Work, entrant: Entrant, node: str, now: Instant) -> Record:
    """The record of somebody who is held before a node, until they are told or their time in the journey is over."""
    if (entrant.held, entrant.due) != (node, entrant.global_deadline):
        entrant.held, entrant.due = node, entrant.global_deadline
        entrants.save(work, entrant)
    seconds = (entrant.global_deadline - now) / gate.MICROSECONDS
    return replace(records.last_record(work, entrant), held=True, seconds=seconds, said=sentences.halted(node))

"""An event reaches the entrants of its person: each one's gate is decided, or the event is kept, or it ends them, or has no effect (D5).

It knows neither where the event came from nor who else it concerns: store/acceptance.py and store/changes.py do. What it returns is to be
signalled after the commit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from journey import exit_criteria, gate, keeping, matching
from journey.changes import Attributes
from journey.events import Event
from journey.keeping import Kept
from journey.matching import NOTHING, About
from store import entrants, knowing
from store.entrants import Entrant
from store.work import Decided, Work


@dataclass(frozen=True, slots=True)
class Heard:
    """What an event has come to among those inside. `journeys` are those in which it was heard: it has decided something there, has ended
    somebody, or is kept."""

    decided: tuple[Decided, ...] = ()
    journeys: frozenset[str] = frozenset()


def hear(work: Work, event: Event, inside: Sequence[Entrant], person: Attributes | None = None) -> Heard:
    """Tell an event to the open entrants of its person, who are locked. `person` are their attributes after the write that it is."""
    decided: list[Decided] = []
    journeys: set[str] = set()
    for entrant in inside:
        if entrant.must_end:
            continue
        asks = entrant.waiting or entrant.frozen.journey.exit_criteria
        about = knowing.about(work, entrant) if asks else NOTHING
        criterion = exit_criteria.met_by(entrant.frozen, event, about) if entrant.goes_on(event.accepted_at) else ""
        won = None if criterion else _decides(entrant, event, about, person)
        if criterion:
            entrant.must_leave(exit_criteria.REASON, event.accepted_at, f"{criterion} ({event.source}/{event.id})")
            entrants.save(work, entrant)
            decided.append(Decided(entrant.id, entrant.n, "", event.source, event.id, exit_criteria.REASON))
        elif won is not None:
            entrant.decide(won, event.accepted_at)
            entrants.save(work, entrant)
            decided.append(Decided(entrant.id, entrant.n, won.node, event.source, event.id))
        elif (kept := _keeps(work, entrant, event, about)) is not None:
            entrants.keep(work, entrant, kept)
        else:
            continue
        journeys.add(entrant.journey)
    return Heard(tuple(decided), frozenset(journeys))


def _decides(entrant: Entrant, event: Event, about: About, person: Attributes | None) -> gate.Won | None:
    """The gate where somebody waits is decided at once, or the event has no effect on it (G6)."""
    at = entrant.gate_here() if entrant.waits(event.accepted_at) else None
    return gate.hear(at, event, matching.fits(entrant.frozen, entrant.id, about, person)) if at is not None else None


def _keeps(work: Work, entrant: Entrant, event: Event, about: About) -> Kept | None:
    """Kept is what finds somebody under way, a reaction that can still be heard further on, and what a node ahead looks back for."""
    waits = entrant.waits(event.accepted_at)
    passed = knowing.been(work, entrant) if waits else {}
    return keeping.keeps(entrant.frozen, entrant.place, entrant.id, event, waits=waits, about=about, passed=passed)

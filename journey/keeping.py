"""Which events an entrant keeps that decide nothing now, and for which nodes: those that find them under way (G6), those that came after
the event which decides a gate, and those that a node looks back for (`since`). It knows no store and no clock.

A workflow must not import this module: it reads rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from journey import gate, walk
from journey.events import Event, Instant
from journey.gate import Won
from journey.graph import EventNode, Node
from journey.matching import NOTHING, About, fits, fits_definition, is_kept, stays_kept
from journey.version import Version

ENTRY = "entry"
"""What `since` says for the admission."""

Passed = Mapping[str, Instant]
"""When somebody came to each node where they have been, and to `entry`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An event that is kept. `back`: only for nodes that look back, as it found its person waiting for something else."""

    event: Event
    back: bool = False


def looks_back(version: Version) -> bool:
    """Does any node of this version look back? If none does, nobody need know where its people have been."""
    return any(isinstance(node, EventNode) and node.since for node in version.journey.nodes)


def keeps(
    version: Version, place: walk.Place, entrant: str, event: Event, *, waits: bool, about: About = NOTHING, passed: Passed | None = None
) -> Kept | None:  # fmt: skip
    """How an entrant at this place keeps an event that has decided nothing; None when it has no effect on them.

    Whoever is under way keeps what a definition of the version describes, for the gate that comes next. A reaction is kept as long as a
    node ahead listens to it, and any other event by whoever `waits` when a node ahead looks back for it.
    """
    if (event.is_reaction or not waits) and is_kept(version, place, entrant, event):
        return Kept(event)
    return Kept(event, back=True) if _looked_for(version, place, event, None, about, passed or {}) else None


def arrive(
    version: Version, at: gate.Gate, entrant: str, kept: Iterable[Kept], about: About = NOTHING, passed: Passed | None = None
) -> Won | None:  # fmt: skip
    """What of the kept decides the gate at which an entrant arrives."""
    everything = tuple(kept)
    back = {(one.event.source, one.event.id) for one in everything if one.back}
    fitting = fits(version, entrant, about)

    def counts(node: Node, event: Event) -> bool:
        return ((event.source, event.id) not in back or _covers(node, event, passed or {})) and fitting(node, event)

    return gate.arrive(at, (one.event for one in everything), counts)


def stays(
    version: Version, place: walk.Place, entrant: str, kept: Kept, won: Won | None, about: About = NOTHING, passed: Passed | None = None
) -> Kept | None:  # fmt: skip
    """How somebody who arrives at the gate of this place keeps on what did not decide it; None when it is without effect from now on.

    A reaction stays as long as a node ahead listens to it (docs/decisions/0005). Any other event finds them on the way to the next gate
    when it came after the one that decides this one: it stays when an event node behind that one listens to it (0009). Else it stays for
    nodes that look back alone.
    """
    if not kept.back and stays_kept(version, place, entrant, kept.event, won, about):
        return kept
    return replace(kept, back=True) if _looked_for(version, place, kept.event, won, about, passed or {}) else None


def _looked_for(version: Version, place: walk.Place, event: Event, won: Won | None, about: About, passed: Passed) -> bool:
    return any(
        _covers(node, event, passed) and fits_definition(version, node.event, node.where, event, about)
        for node in _behind(version, place, won)
        if isinstance(node, EventNode) and node.since
    )


def _behind(version: Version, place: walk.Place, won: Won | None) -> Iterable[Node]:
    """Every node that can still be reached behind the gate of a place; when it is decided, behind the node that was."""
    journey = version.journey
    here = walk.nodes_of(place)
    ahead = walk.ahead(journey, place if won is None else walk.follow(journey, won.outcome))
    return (journey.node(node) for node in ahead if node not in here)


def _covers(node: Node, event: Event, passed: Passed) -> bool:
    """Does this node look back so far? What was accepted when its person came to the node named by `since`, or later."""
    since = passed.get(node.since) if isinstance(node, EventNode) and node.since else None
    return since is not None and since <= event.accepted_at

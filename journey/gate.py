"""The twin of the walk: what a gate hears, and when it is over. Pure: instants and events are arguments.

G1 to G8 of the design stand here and nowhere else: the store, the stop and the simulator call these functions, so that nobody has a
tie rule of his own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from journey.events import Event, Instant
from journey.graph import Journey, Node
from journey.walk import Listen, Outcome, Place, ask, nodes_of

MICROSECONDS = 1_000_000
Fits = Callable[[Node, Event], bool]
"""Does this event fit this node? journey/matching.py makes one of a version."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A place where somebody waits. `due_at` is the instant at which it ends without an event, and `due_exit` how; 0 is never."""

    nodes: tuple[Node, ...]
    arrived_at: Instant
    due_at: Instant = 0
    due_exit: Outcome | None = None

    def open_at(self, at: Instant) -> bool:
        """An event accepted at the deadline still counts (G4)."""
        return not self.due_at or at <= self.due_at


@dataclass(frozen=True, slots=True)
class Won:
    """A gate that an event decided."""

    node: str
    event: Event

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.node, "next")


def build(journey: Journey, place: Place, arrived_at: Instant) -> Gate:
    """The gate at a place, for somebody who arrived at this instant: its end is absolute (G3)."""
    nodes = tuple(journey.node(node_id) for node_id in nodes_of(place))
    listen = ask(journey, place)
    assert isinstance(listen, Listen), f"{place} is no gate"
    if listen.length is None:
        return Gate(nodes, arrived_at)
    return Gate(nodes, arrived_at, arrived_at + listen.length * MICROSECONDS, listen.due)


def hear(gate: Gate, event: Event, fits: Fits) -> Won | None:
    """An event that reaches somebody waiting: it decides the gate now, or has no effect (G6).

    Of two nodes that it fits, the earlier in `next` (G4).
    """
    if not gate.open_at(event.accepted_at):
        return None
    for node in gate.nodes:
        if fits(node, event):
            return Won(node.id, event)
    return None


def arrive(gate: Gate, kept: Iterable[Event], fits: Fits) -> Won | None:
    """Somebody arrives at a gate with events kept on the way: the earliest accepted that fits wins, then the id (G4, G6)."""
    for event in sorted(kept, key=order):
        for node in gate.nodes:
            if fits(node, event):
                return Won(node.id, event)
    return None


def due(gate: Gate, now: Instant) -> Outcome | None:
    """How the gate is left at this instant if no event decided it; None while it still listens."""
    return gate.due_exit if gate.due_at and now >= gate.due_at else None


def order(event: Event) -> tuple[Instant, str, str]:
    """Between events the earlier accepted, then the id."""
    return (event.accepted_at, event.id, event.source)

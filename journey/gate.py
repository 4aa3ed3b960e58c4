"""The twin of the walk: what a gate hears, and when it is over. Pure: instants and events are arguments.

G1 to G8 of the design stand here and nowhere else: the store, the stop and the simulator call these functions, so that nobody has a
tie rule of his own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from journey.events import Event, Instant
from journey.graph import Journey, Node
from journey.walk import Listen, Outcome, Place, ask, moving, nodes_of

MICROSECONDS = 1_000_000
Fits = Callable[[Node, Event], bool]
"""Does this event fit this node? journey/matching.py makes one of a version."""


Ends = dict[str, Instant | None]
"""When each wait of a gate is over that hangs on a date, a field or a clock: journey/ends.py computes it at the arrival. None is a wait
whose field holds no time."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A place where somebody waits. `due_at` is the instant at which it ends without an event, and `due_exit` how; None is never."""

    nodes: tuple[Node, ...]
    arrived_at: Instant
    due_at: Instant | None = None
    due_exit: Outcome | None = None

    def open_at(self, at: Instant) -> bool:
        """An event accepted at the deadline still counts (G4)."""
        return self.due_at is None or at <= self.due_at


@dataclass(frozen=True, slots=True)
class Won:
    """A gate that an event decided."""

    node: str
    event: Event

    @property
    def outcome(self) -> Outcome:
        return Outcome(self.node, "next")


def build(journey: Journey, place: Place, arrived_at: Instant, ends: Mapping[str, Instant | None] | None = None) -> Gate:
    """The gate at a place, for somebody who arrived at this instant: its end is absolute (G3).

    `ends` are those of its waits until a time. One that holds no time is over at once: by its timeout where one is drawn, as nothing has
    come of what was waited for.
    """
    nodes = tuple(journey.node(node_id) for node_id in nodes_of(place))
    listen = ask(journey, place)
    assert isinstance(listen, Listen), f"{place} is no gate"
    found: list[tuple[Instant, int, Outcome]] = []
    if listen.length is not None and listen.due is not None:
        found.append((arrived_at + listen.length * MICROSECONDS, int(listen.due.exit == "timeout"), listen.due))
    for node in moving(journey, place):
        if ends is not None and node.id in ends:
            at, timed_out = ends[node.id], ends[node.id] is None and node.timeout is not None
            found.append((arrived_at if at is None else at, int(timed_out), Outcome(node.id, "timeout" if timed_out else "next")))
    if not found:
        return Gate(nodes, arrived_at)
    order = {node.id: index for index, node in enumerate(nodes)}
    due_at, _, due_exit = min(found, key=lambda end: (end[0], end[1], order[end[2].node]))  # at one instant the wait, then the timeout
    return Gate(nodes, arrived_at, due_at, due_exit)


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
    """Somebody arrives at a gate with events kept on the way: the earliest accepted that fits wins, then the id (G4, G6).

    One who is carried over to a gate that was to be over earlier may have kept what came after that.
    """
    for event in sorted((one for one in kept if gate.open_at(one.accepted_at)), key=order):
        for node in gate.nodes:
            if fits(node, event):
                return Won(node.id, event)
    return None


def already(gate: Gate, event: Event, holds: Callable[[Node], bool]) -> Won | None:
    """Somebody arrives at a gate that no kept event has decided: a rule that is waited for may be true of them already.

    `holds` tells whether a node waits for a rule that is true now; the first in `next` wins. `event` is what this is on record as.
    """
    for node in gate.nodes:
        if holds(node):
            return Won(node.id, event)
    return None


def due(gate: Gate, now: Instant) -> Outcome | None:
    """How the gate is left at this instant if no event decided it; None while it still listens."""
    return gate.due_exit if gate.due_at is not None and now >= gate.due_at else None


def order(event: Event) -> tuple[Instant, str, str]:
    """Between events the earlier accepted, then the id."""
    return (event.accepted_at, event.id, event.source)

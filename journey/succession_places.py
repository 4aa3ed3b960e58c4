"""Where people can be in a version, and which of its places hold some nodes. It knows no other version."""

from __future__ import annotations

from journey import walk
from journey.graph import LISTENING, End, Journey, exits
from journey.walk import Place


def places(journey: Journey) -> tuple[Place, ...]:
    """Every place where somebody inside can be: where an exit leads, but for the ends."""
    ways = dict.fromkeys("+".join(way) for node in journey.nodes for _, way in exits(node) if way)
    return tuple(place for place in ways if not _is_end(journey, place))


def is_gate(journey: Journey, place: Place) -> bool:
    """Does somebody wait here, and not just pass?"""
    nodes = [journey.by_id.get(node) for node in walk.nodes_of(place)]
    return all(node is not None and node.kind in LISTENING for node in nodes) and bool(nodes)


def holding(journey: Journey, nodes: tuple[str, ...], like: Place = "") -> tuple[Place, ...]:
    """The smallest places that hold all these nodes: one is an answer, several are none, and none is none.

    Of places with the same nodes in another order that counts which is written as `like`, else the first. A node that no exit leads to is
    a place by itself.
    """
    ways = dict.fromkeys(way for node in journey.nodes for _, way in exits(node) if set(nodes) <= set(way))
    if not ways:
        return nodes if len(nodes) == 1 else ()
    least = min(len(way) for way in ways)
    found: dict[frozenset[str], Place] = {}
    for way in ways:
        if len(way) == least and (frozenset(way) not in found or "+".join(way) == like):
            found[frozenset(way)] = "+".join(way)
    return tuple(found.values())


def _is_end(journey: Journey, place: Place) -> bool:
    return isinstance(journey.by_id.get(place), End)

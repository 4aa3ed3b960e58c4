"""What can be wrong with a jump: where it leads, and that it leads back. It knows the other journeys as their surroundings show them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from journey.findings import Finding, error
from journey.graph import EventNode, Journey, Jump
from journey.nearest import absent
from journey.surroundings import Surroundings


def check(journey: Journey, surroundings: Surroundings) -> Iterator[Finding]:
    """Each jump of a journey."""
    for node in journey.nodes:
        if isinstance(node, Jump) and node.journey:
            yield from _jump(journey, node, surroundings)


def _jump(journey: Journey, node: Jump, surroundings: Surroundings) -> Iterator[Finding]:
    around = {**surroundings.journeys, journey.id: journey}
    target = around.get(node.journey)
    if target is None:
        yield error("unknown_journey", node.id, "journey", absent("journey", node.journey, surroundings.journeys))
        return
    if node.journey in surroundings.not_live and node.journey != journey.id:
        yield error("jump_not_live", node.id, "journey", f"{node.journey} lets nobody in: publish it first.")
    if not isinstance(target.entry_node, EventNode):
        said = f"{node.journey} does not begin with an event, so that nobody can jump there: name one that does."
        yield error("jump_not_by_event", node.id, "journey", said)
    if target.namespace != journey.namespace:
        said = f"{node.journey} knows people by {target.namespace}, this journey by {journey.namespace}: they must be the same."
        yield error("namespace_differs", node.id, "journey", said)
    circle = _back(around, node.journey, journey.id)
    if circle:
        said = f"The jump leads back to this journey: {' -> '.join((journey.id, *circle))}. Take one of the jumps on the way out."
        yield error("jump_circle", node.id, "journey", said)


def _back(around: Mapping[str, Journey], start: str, goal: str) -> tuple[str, ...]:
    """The journeys from one to another by jumps, both included; none when no jumps lead there."""
    todo: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while todo:
        way = todo.pop(0)
        if way[-1] == goal:
            return way
        if way[-1] in seen or way[-1] not in around:
            continue
        seen.add(way[-1])
        todo += [(*way, node.journey) for node in around[way[-1]].nodes if isinstance(node, Jump) and node.journey]
    return ()

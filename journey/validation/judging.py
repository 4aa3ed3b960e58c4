"""Judges a journey: everything that forbids or should delay a publish, as findings. It knows no store and no files.

Each code is described in docs/findings.md. The documents that a journey refers to are judged by functions of their own, so that a
folder can show each finding in the file where it stands.
"""

from __future__ import annotations

from journey.findings import Finding
from journey.graph import Journey
from journey.surroundings import Surroundings
from journey.validation import (
    continues,
    dates,
    graph,
    jumps,
    paths,
    reactions,
    references,
    schedule,
    settling,
    shadows,
    size,
    versions,
    ways,
)
from journey.validation.content import of_event, of_message, of_segment

__all__ = ["Surroundings", "of_event", "of_journey", "of_message", "of_segment", "validate"]


def validate(journey: Journey, surroundings: Surroundings) -> tuple[Finding, ...]:
    """Every finding about a journey and what it refers to: errors first, else in the order of the nodes."""
    return _in_order(journey, [*of_journey(journey, surroundings), *references.content(journey, surroundings)])


def of_journey(journey: Journey, surroundings: Surroundings) -> tuple[Finding, ...]:
    """What is wrong with the journey's own document; what is wrong inside a message that it sends is not."""
    found = [
        *size.check(journey),
        *graph.check(journey),
        *schedule.check(journey, surroundings.now),
        *dates.check(journey, surroundings.now),
        *settling.check(journey),
        *paths.check(journey),
        *ways.check(journey),
        *references.check(journey, surroundings),
        *shadows.check(journey),
        *reactions.check(journey, surroundings),
        *jumps.check(journey, surroundings),
        *continues.check(journey, surroundings),
        *versions.check(journey, surroundings),
    ]
    return _in_order(journey, found)


def _in_order(journey: Journey, found: list[Finding]) -> tuple[Finding, ...]:
    """Errors first; then what is about the whole journey, then node after node. The same finding once."""
    places = {node_id: index for index, node_id in enumerate(journey.by_id)}
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.grade != "error", places.get(one.node, -1))))

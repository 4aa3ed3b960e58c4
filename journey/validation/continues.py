"""What can be wrong with what message nodes continue: nodes of earlier versions. It knows no store."""

from __future__ import annotations

from collections.abc import Iterator

from journey.findings import Finding, error, warning
from journey.graph import Journey, Message
from journey.surroundings import Surroundings


def check(journey: Journey, surroundings: Surroundings) -> Iterator[Finding]:
    """Each node of an earlier version is one node of this one at most, and there was such a message."""
    first: dict[str, str] = {}
    known = {name for version in surroundings.earlier for name in _messages(version)}
    for node in journey.nodes:
        if not isinstance(node, Message):
            continue
        for name in dict.fromkeys(node.continues):
            if name in journey.by_id:
                said = f"{name} is still a node of this journey, so it continues itself: take it out of continues, or the node out."
                yield error("continues_twice", node.id, "continues", said)
            elif name in first:
                yield error("continues_twice", node.id, "continues", f"{first[name]} continues {name} already: only one node can be it.")
            elif surroundings.earlier and name not in known:
                said = f"No earlier version had a message node {name}, so nobody can have got it: check the name."
                yield warning("continues_unknown", node.id, "continues", said)
            first.setdefault(name, node.id)


def _messages(journey: Journey) -> Iterator[str]:
    for node in journey.nodes:
        if isinstance(node, Message):
            yield from (node.id, *node.continues)

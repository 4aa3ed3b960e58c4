"""What a new version must keep of the one before, and what others count on. It is known in the store; a folder has no versions."""

from __future__ import annotations

from collections.abc import Iterator

from journey.findings import Finding, error, warning
from journey.graph import EventNode, Journey, Jump, reading
from journey.surroundings import Surroundings


def check(journey: Journey, surroundings: Surroundings) -> Iterator[Finding]:
    """What differs from the version that was published last, and who jumps here."""
    if surroundings.earlier:
        before = surroundings.earlier[-1]
        if before.namespace and journey.namespace and before.namespace != journey.namespace:
            said = (
                f"The version before knows people by {before.namespace}: by {journey.namespace} somebody could be inside twice. "
                f"Keep it, or make a journey with another id."
            )
            yield error("namespace_changed", "", "namespace", said)
        yield from _incremental(before, journey)
    if not isinstance(journey.entry_node, EventNode):
        for name, other in sorted(surroundings.journeys.items()):
            jumps = name != journey.id and name not in surroundings.not_live and any(_leads_to(node, journey.id) for node in other.nodes)
            if jumps and journey.entry_node is not None:
                said = f"{name} is live and jumps here, which only works where an event lets people in: take the jump out of it first."
                yield warning("jumped_to", journey.entry_node.id, "kind", said)


def _incremental(before: Journey, journey: Journey) -> Iterator[Finding]:
    """Who has joined since is told by the runs of the same segment, of whatever version."""
    old, new = reading(before), reading(journey)
    if new is not None and new.incremental and new.segment and (old is None or old.segment != new.segment):
        was = f"read {old.segment}" if old is not None else "read no segment"
        said = f"The version before {was}: the first run lets in everybody who is in {new.segment}, not only who joins from now on."
        yield warning("incremental_anew", new.id, "segment", said)


def _leads_to(node: object, journey: str) -> bool:
    return isinstance(node, Jump) and node.journey == journey

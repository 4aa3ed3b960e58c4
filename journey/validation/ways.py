"""Ways that nobody drew, and that people take all the same: they end there. It knows no rules."""

from __future__ import annotations

from collections.abc import Iterator

from journey.arrows import Paths
from journey.findings import Finding, warning
from journey.graph import Condition, End, Journey, Next, Webhook


def check(journey: Journey) -> Iterator[Finding]:
    """Each condition, call and end."""
    entry = journey.entry_node
    reached = Paths(journey).reachable(entry.id) if entry is not None else ()
    ends = [node for node in journey.by_id.values() if isinstance(node, End) and node.id in reached]
    for node in journey.by_id.values():
        match node:
            case Condition() if node.branches and not node.otherwise:
                said = "Whoever no branch is true of ends here, with the reason no_branch: draw otherwise, if only to an end."
                yield warning("no_otherwise", node.id, "otherwise", said)
            case Webhook() if not node.error and journey.on_error == "end" and _goes_on(journey, node.next):
                said = "Whoever's call is refused ends here, with the reason error: draw error, or write on_error: park for the journey."
                yield warning("no_error_exit", node.id, "error", said)
            case End() if len(ends) > 1 and node in ends and not node.label and not node.name:
                said = "Of several ends this one has no label, so reports show its id alone: write what it means, as label: Has bought."
                yield warning("end_unlabelled", node.id, "label", said)
            case _:
                pass


def _goes_on(journey: Journey, way: Next) -> bool:
    """Does anything happen on this way, but an end?"""
    return any(target in journey.by_id and not isinstance(journey.node(target), End) for target in way)

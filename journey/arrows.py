"""The arrows of a drawing, by the fields they are written in. It knows no walk: walk.py follows exits, this says where each is drawn."""

from __future__ import annotations

from collections.abc import Iterator

from journey.graph import Condition, EventNode, Journey, Message, Next, Node, Qualification, Reaction, Split, UpdateProfile, Wait, Webhook


def arrows(node: Node) -> Iterator[tuple[str, Next]]:
    """Each field of a node that leads somewhere, by its dotted name, with where it leads."""
    if isinstance(node, Condition):
        for index, branch in enumerate(node.branches):
            yield f"branches[{index}].next", branch.next
        yield "otherwise", node.otherwise
    elif isinstance(node, Split):
        for index, share in enumerate(node.shares):
            yield f"shares[{index}].next", share.next
    elif node.kind != "end":
        yield "next", node.next
    if isinstance(node, Message | UpdateProfile | Webhook):
        yield "error", node.error
    if isinstance(node, EventNode | Qualification | Reaction | Wait) and node.timeout is not None:
        yield "timeout.next", node.timeout.next


class Paths:
    """Where one can come to in a drawing. It reads each arrow once, and remembers what it was asked."""

    def __init__(self, journey: Journey) -> None:
        self._targets = {
            node_id: tuple(dict.fromkeys(target for _, targets in arrows(node) for target in targets if target in journey.by_id))
            for node_id, node in journey.by_id.items()
        }
        self._found: dict[tuple[str, str], frozenset[str]] = {}

    def reachable(self, start: str, *, without: str = "") -> frozenset[str]:
        """Every node on a path from `start`, itself included, when nobody may pass through `without`."""
        known = self._found.get((start, without))
        if known is not None:
            return known
        seen: set[str] = set()
        todo = [start]
        while todo:
            node_id = todo.pop()
            if node_id in seen or node_id == without or node_id not in self._targets:
                continue
            seen.add(node_id)
            todo += self._targets[node_id]
        return self._found.setdefault((start, without), frozenset(seen))

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


def reachable(journey: Journey, start: str, *, without: str = "") -> set[str]:
    """Every node on a path from `start`, itself included, when nobody may pass through `without`."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        node_id = todo.pop()
        if node_id in seen or node_id == without or node_id not in journey.by_id:
            continue
        seen.add(node_id)
        todo += [target for _, targets in arrows(journey.node(node_id)) for target in targets]
    return seen

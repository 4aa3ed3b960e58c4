"""Which message nodes of earlier versions a message node is: what was sent there was sent here, and what people did with it counts here.

It knows no store and no versions: a later node says itself which earlier ones it continues.
"""

from __future__ import annotations

from collections.abc import Iterable

from journey.graph import Journey, Message


def names(journey: Journey, node_id: str) -> tuple[str, ...]:
    """Every id under which this message node may have sent: its own, then those that it continues."""
    node = journey.by_id.get(node_id)
    return (node_id, *node.continues) if isinstance(node, Message) else (node_id,)


def same_message(journey: Journey, node_id: str, delivery_node: str) -> bool:
    """Was what a node sent, in this version or an earlier one, sent by the message node of this id?"""
    return node_id == delivery_node or delivery_node in names(journey, node_id)


def heir(journey: Journey, node_id: str) -> str:
    """The message node that continues the one that had this id in an earlier version; empty when none says so."""
    return next((node.id for node in journey.nodes if isinstance(node, Message) and node_id in node.continues), "")


def inherited(journey: Journey, node: Message, earlier: Iterable[Journey]) -> tuple[str, ...]:
    """All that a node of a draft continues: what it names, and what those nodes, or itself, continued in the versions before it.

    So a chain over several versions need be drawn link by link alone. An id that the draft has given to a node is that node's.
    """
    found = dict.fromkeys(node.continues)
    todo = [node.id, *node.continues]
    versions = tuple(earlier)
    while todo:
        wanted = todo.pop(0)
        for version in versions:
            was = version.by_id.get(wanted)
            further = [name for name in was.continues if name not in found] if isinstance(was, Message) else []
            further = [name for name in further if name not in journey.by_id]
            found |= dict.fromkeys(further)
            todo += further
    return tuple(found)

"""Which running versions still need a message or a segment: what is needed must not be deleted. It decides nothing else."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from journey import past
from journey.errors import Conflict
from journey.freezing import rules_of
from journey.graph import Message, Node, ReadSegment
from journey.lifecycle import HOLDS_PEOPLE
from store import versions
from store.schema import versions as table


def check_message(connection: Connection, message_id: str) -> None:
    """Raises Conflict `in_use` when a version that people can be in sends this message."""
    _check(connection, f"The message {message_id}", lambda node: isinstance(node, Message) and node.message == message_id)


def check_segment(connection: Connection, segment_id: str) -> None:
    """Raises Conflict `in_use` when a version that people can be in reads this segment, or asks about it in a rule."""

    def needs(node: Node) -> bool:
        if isinstance(node, ReadSegment):
            return node.segment == segment_id
        return segment_id in past.needs(rules_of(node)).segments

    _check(connection, f"The segment {segment_id}", needs)


def _check(connection: Connection, what: str, needs: Callable[[Node], bool]) -> None:
    in_them = table.c.state.in_(("test", *HOLDS_PEOPLE))
    rows = connection.execute(select(table.c.id, table.c.hash).where(in_them).order_by(table.c.id))
    users = [row.id for row in rows if any(needs(node) for node in versions.frozen_version(connection, row.hash).journey.nodes)]
    if users:
        raise Conflict(f"{what} is in use by {', '.join(users)}: stop the journey first.", code="in_use")

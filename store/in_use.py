"""Which running versions still need a message or a segment: what is needed must not be deleted. It decides nothing else."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from journey import past
from journey.errors import Conflict
from journey.freezing import rules_of
from journey.graph import Message, reading
from journey.lifecycle import HOLDS_PEOPLE
from journey.version import Version
from store import versions
from store.schema import versions as table


def check_message(connection: Connection, message_id: str) -> None:
    """Raises Conflict `in_use` when a version that people can be in sends this message."""

    def needs(version: Version) -> bool:
        return any(isinstance(node, Message) and node.message == message_id for node in version.journey.nodes)

    _check(connection, f"The message {message_id}", needs)


def check_segment(connection: Connection, segment_id: str) -> None:
    """Raises Conflict `in_use` when a version that people can be in reads this segment, asks about it in a rule, or who enters or leaves
    it."""

    def needs(version: Version) -> bool:
        parts = (*version.journey.nodes, *version.journey.exit_criteria)
        entry = reading(version.journey)
        asked = past.needs(rule for part in parts for rule in rules_of(part)).segments
        return (entry is not None and entry.segment == segment_id) or segment_id in asked or segment_id in version.segments_heard

    _check(connection, f"The segment {segment_id}", needs)


def _check(connection: Connection, what: str, needs: Callable[[Version], bool]) -> None:
    in_them = table.c.state.in_(("test", *HOLDS_PEOPLE))
    rows = connection.execute(select(table.c.id, table.c.hash).where(in_them).order_by(table.c.id))
    users = [row.id for row in rows if needs(versions.frozen_version(connection, row.hash))]
    if users:
        raise Conflict(f"{what} is in use by {', '.join(users)}: stop the journey first.", code="in_use")

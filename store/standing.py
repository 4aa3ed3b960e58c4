"""How many people stand at each node of a version, counted as they stand now. A report says the same of nodes by its counters."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, literal_column, select

from journey import walk
from store import schema

_entrants = schema.entrants.c
_STANDING = (
    select(_entrants.place, func.count().label("people"))
    .where(
        _entrants.version == bindparam("version"),
        _entrants.state == literal_column("'open'"),
        _entrants.mode == bindparam("mode"),
    )
    .group_by(_entrants.place)
)


def by_place(connection: Connection, version_id: str, mode: str = "live") -> dict[str, int]:
    """People inside by place: each is counted once."""
    return {row.place: row.people for row in connection.execute(_STANDING, {"version": version_id, "mode": mode})}


def standing(connection: Connection, version_id: str, mode: str = "live") -> dict[str, int]:
    """People inside by node. Whoever waits at a gate stands at each of its nodes; whoever is under way where they act or set off from."""
    found: dict[str, int] = {}
    for place, people in by_place(connection, version_id, mode).items():
        for node in walk.nodes_of(place):
            found[node] = found.get(node, 0) + people
    return found

"""Who stands at a node: since when, until when, and for what. It changes nothing."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from journey import durations, gate, walk
from journey.events import Instant
from journey.graph import Journey
from store import schema
from store.views import AwaitedView, awaited

_entrants = schema.entrants.c


@dataclass(frozen=True, slots=True)
class Standing:
    """An open entrant at a node. `waiting` is False for one whose gate is decided, who acts there, or whom a pause holds;
    `until` is None while it listens for ever; `awaited` is everything that the gate waits for, this node among it."""

    entrant: str
    profile: str
    since: Instant | None
    waiting: bool
    until: Instant | None
    global_timeout_at: Instant
    awaited: tuple[AwaitedView, ...]


def at_node(connection: Connection, version: str, journey: Journey, node: str, *, after: str = "", limit: int = 100) -> list[Standing]:
    """The open entrants of a version who stand at a node, alone or in a gate, in order of id, behind `after`.

    The places that hold the node are known from the graph, so that an index finds those who stand there among millions.
    """
    places = walk.places(journey, node)
    query = (
        select(
            _entrants.id,
            _entrants.profile,
            _entrants.place,
            _entrants.arrived_at,
            _entrants.waiting,
            _entrants.held,
            _entrants.until,
            _entrants.entered_at,
        )
        .where(_entrants.version == version, _entrants.place.in_(places), schema.OPEN, _entrants.id > after)
        .order_by(_entrants.id)
        .limit(limit)
    )
    waited_for = {place: awaited(journey, place) for place in places}
    longest = durations.seconds(journey.global_timeout) * gate.MICROSECONDS
    return [
        Standing(
            row.id, row.profile, row.arrived_at, row.waiting and not row.held, row.until, row.entered_at + longest, waited_for[row.place]
        )
        for row in connection.execute(query)
    ]

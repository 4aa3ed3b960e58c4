"""Where somebody goes on whose version has been succeeded: looked up at each of their stops. It moves nobody; moving.py does."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from journey import succession
from journey.succession import Destination, Succession
from journey.version import Version
from journey.walk import Place
from store import schema
from store.entrants import Entrant
from store.statements import Row, Statement
from store.versions import frozen_version
from store.work import Work

_versions = schema.versions.c
_SUCCESSOR = Statement(select(_versions.id, _versions.hash, _versions.published_at).where(_versions.id == bindparam("id")))

_found: dict[tuple[str, str, str], dict[Place, Destination]] = {}
_MOST_FOUND = 256
"""Of so many pairs of versions it is kept where their places lead: that never changes."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where an entrant's next step leads them: `to` is the version, and `destination` what becomes of everybody where they stand."""

    to: str
    destination: Destination


def way(work: Work, entrant: Entrant) -> Way | None:
    """How an entrant goes on in the version that succeeds theirs, or leaves; None when they go on, or stay, where they are.

    Whoever is held by a pause, or must end, is not moved. A gate that was over before the publish is left as it was drawn then; one that
    an event has decided goes along only where the node that won does.
    """
    if not entrant.successor or entrant.state != "open" or not entrant.closed or entrant.may_not_act or entrant.must_end:
        return None
    successor = successor_of(work.connection, entrant.successor)
    if not entrant.won_node and entrant.next_instant <= successor.published_at:
        return None
    new = frozen_version(work.connection, successor.hash)
    found = destination(entrant.frozen, new, Succession.model_validate(entrant.succession or {}), entrant.place)
    if found.kind == "leaves" or (found.kind == "moves" and (not entrant.won_node or entrant.won_node in found.nodes)):
        return Way(successor.id, found)
    return None


def successor_of(connection: Connection, version_id: str) -> Row:
    """The id, hash and publish of a version that succeeds another."""
    return _SUCCESSOR.first(connection, {"id": version_id})


def destination(old: Version, new: Version, told: Succession, place: Place) -> Destination:
    """What becomes of everybody at a place of the old version; looked up once."""
    key = (old.hash, new.hash, told.model_dump_json(exclude={"rate"}))
    if key not in _found and len(_found) >= _MOST_FOUND:
        _found.clear()
    known = _found.setdefault(key, {})
    if place not in known:
        known[place] = succession.destination(old, new, told, place)
    return known[place]

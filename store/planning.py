"""What would become of people inside if a draft were published now: counted by place, for every version in which people are. It changes
nothing and moves nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from journey import succession, succession_places
from journey.events import Instant
from journey.findings import Finding
from journey.succession import Destination, Succession
from journey.version import Version
from journey.walk import Place
from store import drafted, journeys, standing, succeeding, successions, versions
from store.versions import VersionRow, frozen_version


@dataclass(frozen=True, slots=True)
class PlannedPlace:
    """A place of an older version, the people there now, and what becomes of them: in the version `to`, where they move."""

    place: Place
    people: int
    destination: Destination
    to: str = ""


@dataclass(frozen=True, slots=True)
class PlannedVersion:
    """An older version in which people are, place by place in the order of its drawing."""

    version: str
    places: tuple[PlannedPlace, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a publish would do: `version` is the one that it would make, `findings` are warnings about the draft."""

    version: str
    older: tuple[PlannedVersion, ...]
    findings: tuple[Finding, ...]


def plan(connection: Connection, journey_id: str, told: Succession, public_url: str, now: Instant) -> Plan:
    """What would become of everybody inside. Raises as a publish would: Invalid with the findings of the draft or of the map, Conflict
    when there is nothing to publish, NotFound without a draft."""
    document = journeys.get_draft(connection, journey_id).document
    new = drafted.judge(connection, journey_id, document, public_url, now)
    decided = succeeding.concerned(connection, journey_id)
    succeeding.demand(connection, told, new.journey, decided)
    ways = {one.id: _Way(new.id, new.frozen, told) for one in decided} if told.people != "finish" else {}
    older = [one for one in versions.of_journey(connection, journey_id) if versions.anybody_inside(connection, one.id)]
    return Plan(new.id, tuple(_planned(connection, one, ways) for one in older), new.warnings)


@dataclass(frozen=True, slots=True)
class _Way:
    """What succeeds a version, and how."""

    to: str
    new: Version
    told: Succession


def _planned(connection: Connection, older: VersionRow, ways: Mapping[str, _Way]) -> PlannedVersion:
    old = frozen_version(connection, older.hash)
    people = standing.by_place(connection, older.id)
    everywhere = dict.fromkeys((*succession_places.places(old.journey), *sorted(people)))
    found = []
    for place in everywhere:
        destination, to = _followed(connection, older, place, ways)
        found.append(PlannedPlace(place, people.get(place, 0), destination, to))
    return PlannedVersion(older.id, tuple(found))


def _followed(connection: Connection, older: VersionRow, place: Place, ways: Mapping[str, _Way]) -> tuple[Destination, str]:
    """Where those at a place of a version end up: one that was succeeded before keeps its way, and they go on from there."""
    destination, to = Destination("stays"), ""
    row, at = older, place
    while at:
        way = ways.get(row.id) or _kept(connection, row)
        if way is None:
            break
        here = succession.destination(frozen_version(connection, row.hash), way.new, way.told, at)
        if here.kind != "moves":
            return (here, "") if row is older or here.kind == "leaves" else (destination, to)
        destination, to = (here, way.to) if row is older else (_over(destination, here), way.to)
        if row.id in ways:
            break
        row, at = versions.row(connection, way.to), here.place
    return destination, to


def _over(first: Destination, then: Destination) -> Destination:
    nodes = {was: then.nodes[now] for was, now in first.nodes.items() if now in then.nodes}
    return Destination("moves", then.place, nodes, first.wakes or then.wakes)


def _kept(connection: Connection, row: VersionRow) -> _Way | None:
    """How a version was succeeded before."""
    if not row.successor:
        return None
    new = frozen_version(connection, successions.successor_of(connection, row.successor).hash)
    return _Way(row.successor, new, Succession.model_validate(row.succession or {}))

"""The version that a publish would make of a draft now, judged and frozen. It writes nothing: a publish does, a plan does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from journey import dates, documents, freezing, ids
from journey.errors import Conflict
from journey.events import Instant
from journey.findings import Finding
from journey.graph import Journey
from journey.version import Version
from store import surroundings, versions
from store.versions import VersionRow


@dataclass(frozen=True, slots=True)
class Drafted:
    """A version to be: `former` is the one that it takes the place of, `warnings` is what the validator says without forbidding it."""

    id: str
    number: int
    journey: Journey
    frozen: Version
    former: VersionRow | None
    starts_at: Instant | None
    ends_at: Instant | None
    warnings: tuple[Finding, ...]


def judge(connection: Connection, journey_id: str, document: dict[str, Any], public_url: str, now: Instant) -> Drafted:
    """The version that this draft makes. Raises Invalid with every finding, Conflict with code `unchanged` when just this lets people in
    already."""
    journey = documents.parse(Journey, document)
    frozen, warnings = freezing.judged(journey, surroundings.read(connection, public_url, now, journey))
    former = versions.open_to(connection, journey_id)
    if former is not None and former.hash == frozen.hash:
        raise Conflict(f"{former.id} is {former.state} with just this content: there is nothing to publish.", code="unchanged")
    number = 1 + max((one.number for one in versions.of_journey(connection, journey_id)), default=0)
    name = ids.version(journey_id, number)
    return Drafted(name, number, journey, frozen, former, dates.opens(journey), dates.ends(journey), warnings)

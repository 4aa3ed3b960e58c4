"""A version is succeeded by another: which versions that concerns, and who is woken since what they wait for is another now.

It knows no workflow: whoever calls tells them. Nobody is moved here; each one is at their next stop (moving.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select, text, update

from journey import lifecycle, succession
from journey.events import Instant
from journey.graph import Journey
from journey.succession import WAKE_RATE, Succession
from journey.validation import succession as validation_succession
from store import entrants, finishing, schema, successions, versions
from store.versions import VersionRow, frozen_version
from store.work import Work

PAGE = 200
_entrants, _versions = schema.entrants.c, schema.versions.c


@dataclass(frozen=True, slots=True)
class Page:
    """People who are to ask where they go on, and how fast the next may: people a second. `done` when there were no more."""

    people: tuple[str, ...] = ()
    rate: int = WAKE_RATE
    done: bool = True


def concerned(connection: Connection, journey_id: str, number: int | None = None) -> list[VersionRow]:
    """The versions whose people a publish decides about, the oldest first: somebody is inside, or comes there, and no other version
    succeeds them. `number` is that of the new version when it is there already.

    One that is succeeded keeps its chain: its people go on version by version.
    """
    return [
        one for one in versions.of_journey(connection, journey_id)
        if (number is None or one.number < number) and one.state in lifecycle.HOLDS_PEOPLE and not one.successor
        and (versions.anybody_inside(connection, one.id) or finishing.anybody_may_come(connection, one))
    ]  # fmt: skip


def demand(connection: Connection, told: Succession, new: Journey, before: list[VersionRow]) -> None:
    """Raises Invalid with every finding where a map names what is not there."""
    validation_succession.demand(told, new, [frozen_version(connection, one.hash).journey for one in before])


def succeed(work: Work, before: list[VersionRow], new: VersionRow, told: Succession) -> tuple[str, ...]:
    """Have the people of these versions go on in the new one, from this commit on; the ids of the versions. The journey is locked."""
    if told.people == "finish" or not before:
        return ()
    names = tuple(one.id for one in before)
    written = told.model_dump(mode="json", exclude_defaults=True)
    work.connection.execute(update(schema.versions).where(_versions.id.in_(names)).values(successor=new.id, succession=written))
    return names


def wake(work: Work, version_id: str, most: int = PAGE) -> Page:
    """The next people of a version who wait for something else now, or must leave: they are due from this commit on."""
    version = versions.row(work.connection, version_id)
    places = _waking(work.connection, version)
    rate = Succession.model_validate(version.succession or {}).rate or WAKE_RATE
    if not places:
        return Page()
    now, most = work.now(), min(most, rate)
    query = _asleep(version_id, places, now).order_by(_entrants.id).limit(most).with_for_update(skip_locked=True)
    people: list[str] = list(work.connection.execute(query).scalars())
    if people:
        due = now + entrants.DECIDED_DUE
        work.connection.execute(update(schema.entrants).where(_entrants.id.in_(people)).values(due=due))
    return Page(tuple(people), rate, len(people) < most)


def to_wake(connection: Connection, now: Instant) -> list[str]:
    """Versions in which people wait who are still to be woken."""
    found = [versions.row(connection, name) for name in connection.execute(_SUCCEEDED).scalars()]
    return [
        one.id for one in found
        if (places := _waking(connection, one)) and connection.execute(_asleep(one.id, places, now).limit(1)).first() is not None
    ]  # fmt: skip


def _waking(connection: Connection, version: VersionRow) -> list[str]:
    """The places of a version whose people are not to wait for their next stop. While it is paused nobody is moved."""
    if not version.successor or version.state != "closed":
        return []
    old = frozen_version(connection, version.hash)
    new = frozen_version(connection, successions.successor_of(connection, version.successor).hash)
    told = Succession.model_validate(version.succession or {})
    return [place for place, found in succession.destinations(old, new, told).items() if found.wakes]


def _asleep(version_id: str, places: list[str], now: Instant) -> Select[Any]:
    """Those who wait at these places and are not about to ask by themselves: who was woken is due."""
    return select(_entrants.id).where(
        _entrants.version == version_id, _entrants.place.in_(places), schema.OPEN, _entrants.waiting,
        _entrants.held == "", _entrants.parked == "", _entrants.ending == "", _entrants.due > now + entrants.DECIDED_DUE,
    )  # fmt: skip


_SUCCEEDED = select(_versions.id).where(text("successor <> '' AND state = 'closed'")).order_by(_versions.id)

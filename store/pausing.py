"""Pausing and resuming the versions of a journey, and letting those go on who were held. It knows no workflow: whoever calls tells them.

A pause holds from its commit on: who acts reads the state of the version in the same commit (entrants.py: lock_to_act).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, literal_column, select, text, update

from journey import gate, lifecycle
from journey.errors import Conflict
from journey.events import Instant
from journey.lifecycle import Pause, State
from store import entrants, finishing, journeys, runs, schema, versions
from store.versions import VersionRow
from store.work import Work

PAGE = 200
BY_ITSELF = "its time was over"

_entrants, _versions = schema.entrants.c, schema.versions.c
NO_PAUSE: dict[str, Any] = {"pause": "", "resumes": "", "paused_at": None, "pause_until": None}


@dataclass(frozen=True, slots=True)
class Paused:
    """What a pause did: the versions, and the instant at which it ends by itself. `wake` are those in which people whom an earlier pause
    has held are to hear of this one."""

    versions: tuple[str, ...]
    until: Instant
    wake: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a resume did: the state of each version, the runs that read on, and how many people are held and go on at the rate. Of the
    versions `succeeded` people go on in another one."""

    versions: dict[str, State]
    runs: tuple[str, ...]
    held: int
    rate: int
    succeeded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """People who may go on from this commit on, and how fast the next may: people a second. `done` when there were no more."""

    people: tuple[str, ...] = ()
    rate: int = lifecycle.RELEASE_RATE
    done: bool = True


def pause(work: Work, journey_id: str, what: Pause, seconds: int) -> Paused:
    """Pause every version in which people can be. Runs that read hold their place, or discard who is still to come.

    Raises Conflict when there is nothing to pause, NotFound.
    """
    journeys.hold(work, journey_id)
    now = work.now()
    until = now + seconds * gate.MICROSECONDS
    of_journey = versions.of_journey(work.connection, journey_id)
    found = [one for one in of_journey if lifecycle.can(one.state, "pause")]
    if not found:
        why = "is paused already" if any(one.state == "paused" for one in of_journey) else "has no live or closed version to be paused"
        raise Conflict(f"{journey_id} {why}.", code="state")
    for one in found:
        versions.move(work, one, "pause", detail=what, pause=what, resumes=one.state, paused_at=now, pause_until=until)
        if what == "hold":
            runs.hold(work, one.id)
    paused = tuple(one.id for one in found)
    wake = {*held_back(work.connection)} if what == "discard" else set[str]()
    return Paused(paused, until, tuple(one for one in paused if one in wake))


def resume(work: Work, journey_id: str, rate: int = lifecycle.RELEASE_RATE) -> Resumed:
    """End the pause: people enter again, runs read on, and those held go on at a rate. Raises Conflict when it is not paused, NotFound."""
    journeys.hold(work, journey_id)
    paused = [one for one in versions.of_journey(work.connection, journey_id) if one.state == "paused"]
    if not paused:
        raise Conflict(f"{journey_id} is not paused.", code="state")
    return _resume(work, paused, rate, "")


def resume_by_itself(work: Work, journey_id: str) -> Resumed | None:
    """As `resume`, of those versions whose pause has lasted as long as it was to; None when there are none any more."""
    journeys.hold(work, journey_id)
    now = work.now()
    over = [
        one for one in versions.of_journey(work.connection, journey_id)
        if one.state == "paused" and one.pause_until is not None and one.pause_until <= now
    ]  # fmt: skip
    return _resume(work, over, lifecycle.RELEASE_RATE, BY_ITSELF) if over else None


def _resume(work: Work, paused: list[VersionRow], rate: int, detail: str) -> Resumed:
    found: dict[str, State] = {}
    reading: list[str] = []
    for one in paused:
        act: lifecycle.Act = "resume" if one.resumes == "live" else "resume_closed"
        found[one.id] = versions.move(work, one, act, detail=detail, release_rate=rate, **NO_PAUSE)
        reading += runs.read_on(work, one.id)
        if found[one.id] == "closed" and finishing.finish_if_empty(work, one.id):
            found[one.id] = "finished"
    people = sum(sum(held(work.connection, one.id).values()) for one in paused)
    return Resumed(found, tuple(reading), people, rate, tuple(one.id for one in paused if one.successor))


def over(connection: Connection, now: Instant) -> list[str]:
    """Journeys whose pause has lasted as long as it was to."""
    return list(connection.execute(_OVER, {"now": now}).scalars())


def held(connection: Connection, version_id: str, mode: str = "live") -> dict[str, int]:
    """How many people of a version are held before each node."""
    return {row.held: row.people for row in connection.execute(_HELD, {"version": version_id, "mode": mode})}


def held_back(connection: Connection) -> list[str]:
    """Versions in which people are held who should not be any more: the pause is over, or is one that ends them."""
    return list(connection.execute(_HELD_BACK).scalars())


def release(work: Work, version_id: str, most: int = PAGE) -> Page:
    """Let the next people of a version go on, or come to the end that a pause has for them."""
    version = versions.row(work.connection, version_id)
    if (version.state, version.pause) == ("paused", "hold"):
        return Page()
    rate = version.release_rate or lifecycle.RELEASE_RATE
    people = list(work.connection.execute(_NEXT, {"version": version_id, "most": min(most, rate)}).scalars())
    if people:
        due = work.now() + entrants.DECIDED_DUE
        work.connection.execute(update(schema.entrants).where(_entrants.id.in_(people)).values(held="", due=due))
    return Page(tuple(people), rate, len(people) < min(most, rate))


_IS_HELD = text("entrants.state = 'open' AND entrants.held <> ''")
_OVER = (
    select(_versions.journey)
    .where(_versions.state == "paused", _versions.pause_until <= bindparam("now"))
    .distinct()
    .order_by(_versions.journey)
)
_HELD = (
    select(_entrants.held, func.count().label("people"))
    .where(_entrants.version == bindparam("version"), _entrants.mode == bindparam("mode"), _IS_HELD)
    .group_by(_entrants.held)
)
_HELD_BACK = (
    select(_versions.id)
    .where(
        _versions.state.in_(("live", "closed")) | ((_versions.state == "paused") & (_versions.pause == literal_column("'discard'"))),
        select(literal_column("1")).where(_entrants.version == _versions.id, _IS_HELD).exists(),
    )
    .order_by(_versions.id)
)
_NEXT = (
    select(_entrants.id)
    .where(_entrants.version == bindparam("version"), _IS_HELD)
    .order_by(_entrants.id)
    .limit(bindparam("most"))
    .with_for_update()
)

"""A story's journey and what stands around it in a store of its own, and the story as that store tells it afterwards. It plays nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from demo.story_standing import standing
from demo.story_stops import Told as Learned
from journey import dates, gate, ids
from journey.errors import Conflict
from journey.events import Instant
from journey.graph import reading
from journey.profiles import ProfileDocument
from journey.segments import SegmentDocument
from journey.simulation.story import Effect, Moment, Pauses, Resumes, Script, Story, Told, World
from journey.version import Version
from store import definitions, messages, pausing, policies, profiles, runs, schema, segments, suppressions, versions
from store.acceptance import Verdict
from store.versions import VersionRow
from store.work import Work

_UNCERTAIN = "worker_lost"
"""The simulator's reason of a delivery of which nobody knows."""


@dataclass(frozen=True)
class Play:
    """What is played: a frozen journey, its person with the key of its namespace, what happens, and what stands around."""

    version: Version
    person: ProfileDocument
    script: Script
    world: World
    key: str

    @property
    def entrant(self) -> str:
        return ids.entrant(self.version.journey.id, self.key, 1)


def stage(work: Work, play: Play) -> None:
    """The version is live, with what stands around it, and nobody is inside. The person is none for tests and has the journey's key, or
    nobody would let them in."""
    journey = play.version.journey
    versions.keep(work, play.version)
    work.connection.execute(schema.journeys.insert(), {"id": journey.id, "draft": None, "etag": ""})
    dated = (dates.opens(journey), dates.ends(journey))
    row = VersionRow(ids.version(journey.id, 1), journey.id, 1, play.version.hash, "live", work.now(), *dated)
    versions.insert(work, row)
    for document in play.world.messages.values():
        messages.put(work, document)
    for definition in play.world.definitions:
        definitions.put(work, definition)
    for name, rule in play.world.segments.items():
        segments.put(work, SegmentDocument(id=name, rule=rule))
    policies.put(work, play.world.policies)
    for channel, address in sorted(play.world.suppressed):
        suppressions.put(work, channel, address, "scenario")
    known = {"test": False, "identities": {**play.person.identities, journey.namespace: play.key}}
    profiles.put(work, play.person.model_copy(update=known))


def begin_run(work: Work, play: Play) -> str:
    """A run that is given a list of one. One that reads as soon as possible waits for the start of the journey; empty where nobody is
    let in."""
    row = versions.row(work.connection, ids.version(play.version.journey.id, 1))
    entry, why = reading(play.version.journey), row.refusal(work.now())
    if why and not (why == "not_started" and entry is not None and entry.schedule == "asap"):
        return ""
    return runs.start(work, row, play.version.journey, [play.person.id], at=row.starts_at if why else None)


def steer(work: Work, play: Play, happening: Pauses | Resumes) -> str:
    """The journey is paused, or resumed, as the API does it; what becomes of that."""
    of = play.version.journey.id
    try:
        if isinstance(happening, Resumes):
            pausing.resume(work, of)
            return "resumed"
        pausing.pause(work, of, happening.what, happening.length // gate.MICROSECONDS)
    except Conflict:
        return "no_effect"
    return "paused"


def turns_at(connection: Connection) -> Instant | None:
    """When the clock brings something to the version, its pause, or the run that waits for its start; None when it does not."""
    row = connection.execute(select(schema.versions)).one()
    coming = [row.starts_at] if row.state == "live" and waits_to_begin(connection) else []
    coming += [row.ends_at] if row.state in ("live", "paused") else []
    coming += [row.pause_until]
    return min((at for at in coming if at is not None), default=None)


def waits_to_begin(connection: Connection) -> bool:
    """Does the run wait for the start of the journey?"""
    return connection.execute(select(schema.runs.c.state)).scalar() == "waiting"


def read(connection: Connection, play: Play, effects: Sequence[Effect], learned: Learned, timeline: Sequence[Moment]) -> Story:
    """The story as the simulator would tell it."""
    begins = play.world.begins
    stands = standing(connection, play.entrant, play.version.journey)
    attributes = profiles.get(connection, play.person.id).attributes
    if stands is None:
        return Story(play.entrant, (), (), tuple(effects), tuple(timeline), entered=False, attributes=attributes)
    row = connection.execute(select(schema.entrants).where(schema.entrants.c.id == play.entrant)).one()
    steps = connection.execute(select(schema.steps).where(schema.steps.c.entrant == play.entrant).order_by(schema.steps.c.n)).all()
    return Story(
        entrant=play.entrant,
        path=tuple(_path(steps)),
        deliveries=tuple(_deliveries(connection, play)),
        effects=tuple(effects),
        timeline=tuple(timeline),
        end=row.end_reason,
        end_node=row.place if row.end_reason else "",
        ended_at=row.ended_at - begins if row.ended_at is not None else None,
        place=row.place,
        waiting=stands.waits,
        held=row.held,
        wakes_at=stands.wakes_at - begins if stands.waits else None,
        attributes=attributes,
    )


def effect_of(verdict: Verdict) -> Effect:
    """What became of an event, by what the store said of it."""
    if verdict.duplicate:
        return Effect("duplicate")
    if verdict.entered:
        return Effect("enters")
    for decided in verdict.decided:
        return Effect("exits") if decided.ends else Effect("decided", decided.node)
    return Effect(verdict.code or "kept")


def said(effect: Effect) -> str:
    """The same in words."""
    return f"decides {effect.node}" if effect.code == "decided" else effect.code


def discard_of(connection: Connection, source: str, event: str) -> str:
    """Why an event had no effect; empty while it is kept."""
    of = schema.discards.c
    return connection.execute(select(of.code).where(of.source == source, of.event == event)).scalar() or ""


def has_let_in(connection: Connection, source: str, event: str) -> bool:
    """Has this event let somebody in?"""
    of = schema.entrants.c
    return connection.execute(select(of.id).where(of.entry_source == source, of.entry_event == event)).first() is not None


def changes_on_record(connection: Connection, name: str) -> set[tuple[str, str]]:
    """The events of a name, as (source, id)."""
    of = schema.events.c
    return {(row.source, row.id) for row in connection.execute(select(of.source, of.id).where(of.name == name))}


def delivery_of(connection: Connection, entrant: str, node: str, channel: str) -> str:
    """The delivery that a reaction is to; empty when nothing was sent there."""
    of = schema.deliveries.c
    n = connection.execute(select(of.n).where(of.entrant == entrant, of.node == node, of.channel == channel)).scalar()
    return "" if n is None else ids.delivery(entrant, n, channel)


def _path(steps: Sequence[Row[Any]]) -> Iterator[str]:
    for step in steps:
        if step.left:
            yield f"{step.left}:{step.left_exit}"
        if step.node and step.closed_at is not None:
            yield f"{step.node}:{step.outcome}"


def _deliveries(connection: Connection, play: Play) -> Iterator[Told]:
    of = schema.deliveries.c
    rows = connection.execute(select(schema.deliveries).where(of.entrant == play.entrant).order_by(of.n, of.channel))
    for row in rows:
        reason = _UNCERTAIN if row.status == "uncertain" else row.reason
        yield Told(ids.delivery(row.entrant, row.n, row.channel), row.node, row.message, row.channel, row.status, reason)

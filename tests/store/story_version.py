"""The version that a story is played in, with what stands around it, in a real store; and what the clock brings to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from demo import story_stage
from demo.story_stage import Play
from journey import ids
from journey.errors import Conflict
from journey.events import Instant
from journey.profiles import ProfileDocument
from journey.simulation.story import Pauses, Resumes, Script, World
from journey.version import Version
from store import dates as version_dates
from store import overdue, pausing, removal, schema
from store.work import Work
from tests.builders import PERSON, SECOND, START


@dataclass
class Stage:
    """What a driver plays on. Instants count from the beginning of the story."""

    work: Work
    version: Version
    world: World

    def set(self, person: ProfileDocument) -> None:
        """The version is live, with what stands around it, and nobody is inside."""
        story_stage.stage(self.work, Play(self.version, person, Script(), self.world, PERSON))

    def run_waits(self) -> bool:
        """Does the run wait for the start of the journey?"""
        return self.work.connection.execute(select(schema.runs.c.state)).scalar() == "waiting"

    def turns_at(self) -> Instant | None:
        """When the clock brings something to the version."""
        row = self.work.connection.execute(select(schema.versions)).one()
        coming = [row.starts_at] if self.run_waits() and row.state == "live" else []
        coming += [row.ends_at] if row.state in ("live", "paused") else []
        coming += [row.pause_until]
        return min((at - START for at in coming if at is not None), default=None)

    def steer(self, happening: Pauses | Resumes) -> str:
        """The journey is paused, or resumed, as the API does it; what becomes of that."""
        of = self.version.journey.id
        try:
            if isinstance(happening, Resumes):
                pausing.resume(self.work, of)
                return "resumed"
            pausing.pause(self.work, of, happening.what, happening.length // SECOND)
        except Conflict:
            return "no_effect"
        return "paused"

    def release(self) -> bool:
        """Whoever is held and may go on does; True when somebody is."""
        return any(pausing.release(self.work, version).people for version in pausing.held_back(self.work.connection))

    def sweep(self) -> bool:
        """What the sweep does to versions now; True when the person is to end."""
        work = self.work
        for unit in version_dates.due(work.connection, work.now()):
            unit(work)
        ending = overdue.to_wind_down(work.connection, work.now())
        return any(removal.tell_page(work, version, reason, 1) for version, reason in ending)

    def path(self) -> tuple[str, ...]:
        """What the store has of the way."""
        return tuple(_path(self.work.connection.execute(select(schema.steps).order_by(schema.steps.c.n)).all()))

    def deliveries(self) -> tuple[tuple[str, str, str, str, str], ...]:
        """What it has of messages and calls."""
        of = schema.deliveries.c
        rows = self.work.connection.execute(select(schema.deliveries).order_by(of.n, of.channel)).all()
        return tuple((ids.delivery(row.entrant, row.n, row.channel), row.node, row.channel, row.status, _reason(row)) for row in rows)


def _reason(row: Any) -> str:
    """Why nobody knows is one reason to the simulator."""
    return "worker_lost" if row.status == "uncertain" else str(row.reason)


def _path(rows: Any) -> Iterator[str]:
    for row in rows:
        if row.left:
            yield f"{row.left}:{row.left_exit}"
        if row.node:
            yield f"{row.node}:{row.outcome}"

"""The ledger: whether counters, facts, steps, deliveries, events, and what the catchers really got, all tell one story.

It is written once and asked at the end of every chaos. It reads the database itself, beside the API, and trusts no code of the stop: what
a step must have left behind is said here again, in a few lines.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, select

from journey import ids, walk
from journey.version import Version
from journey.walk import Outcome
from store import schema
from store.database import open_engine
from store.versions import frozen_version
from tests.chaos.place import Place

Facts = Counter[tuple[str, int, str, str, str]]


@dataclass
class Accepted:
    """What clients have been told was accepted: events by (source, id), each also when it was sent again and again."""

    events: set[tuple[str, str]] = field(default_factory=set)


@dataclass
class Books:
    """Every row that counts, read in one transaction."""

    entrants: dict[str, Row[Any]]
    steps: dict[str, list[Row[Any]]]
    deliveries: dict[str, Row[Any]]
    facts: Sequence[Row[Any]]
    counters: Counter[tuple[str, str, str, str, str]]
    events: dict[tuple[str, str], Row[Any]]
    kept: set[tuple[str, str]]
    discards: Sequence[Row[Any]]
    members: Sequence[Row[Any]]
    runs: Sequence[Row[Any]]
    versions: dict[str, Version]

    @classmethod
    async def read(cls, place: Place) -> Books:
        return await asyncio.to_thread(_read, place.settings.database)

    async def faults(self, place: Place, *, members: Collection[str] = (), accepted: Accepted | None = None) -> list[str]:
        """Every contradiction, a sentence each. `members` are profiles that must have entered; everybody is expected to have ended."""
        found = [*self._people(members), *self._walks(), *self._facts(), *self._counters(), *self._caught(place)]
        found += self._events(accepted or Accepted())
        for journey in sorted({one.journey for one in self.entrants.values()}):
            found += [f"report of {journey}: {said}" for said in (await place.report(journey))["differences"]]
        listed = {one["id"] for one in await place.everything("/v1/deliveries", status="uncertain")}
        if listed != (uncertain := {name for name, row in self.deliveries.items() if row.status == "uncertain"}):
            found.append(f"the API lists {len(listed)} uncertain deliveries, the store has {len(uncertain)}")
        return found

    def _people(self, members: Collection[str]) -> Iterator[str]:
        """Whoever belongs to a run is inside or a discard; whoever is inside has come to an end."""
        entered = {row.profile for row in self.entrants.values()}
        yield from (f"{profile} never entered" for profile in sorted(set(members) - entered))
        yield from (f"{row.id} has not ended: it stands at {row.place!r}" for row in self.entrants.values() if row.state != "ended")
        yield from (f"{run.id} is {run.state}" for run in self.runs if run.state != "done")
        of_runs = {row.entrant for row in self.members if row.entrant}
        if of_runs != set(self.entrants):
            yield f"runs have let in {len(of_runs)}, and {len(self.entrants)} are inside"
        refused = {(row.run, row.profile) for row in self.discards if row.run}
        yield from (f"{row.profile} was not let in, and no discard says why" for row in self.members
                    if not row.entrant and (row.run, row.profile) not in refused)  # fmt: skip

    def _walks(self) -> Iterator[str]:
        """Every path is one that the graph allows, step after step, each closed."""
        for entrant, steps in self.steps.items():
            if [step.n for step in steps] != list(range(len(steps))):
                yield f"{entrant} has the steps {[step.n for step in steps]}"
                continue
            journey = self.versions[self.entrants[entrant].version].journey
            for before, step in pairwise(steps):
                at = walk.follow(journey, Outcome(step.left, step.left_exit)) if step.left else before.place
                if step.closed_at is None:
                    yield f"{entrant}: step {step.n} is open"
                elif step.left and step.left not in walk.nodes_of(before.place):
                    yield f"{entrant}: step {step.n} leaves {step.left}, and stood at {before.place!r}"
                elif step.node and step.node != at:
                    yield f"{entrant}: step {step.n} acts at {step.node}, and the way led to {at!r}"
                elif step.node and step.place not in ("", walk.follow(journey, Outcome(step.node, step.outcome))):
                    yield f"{entrant}: step {step.n} leads to {step.place!r}"

    def _facts(self) -> Iterator[str]:
        """Facts are what the steps and deliveries say, no more and no fewer."""
        have: Facts = Counter((row.entrant, row.n, row.node, row.kind, row.channel) for row in self.facts)
        must: Facts = Counter()
        for entrant, steps in self.steps.items():
            for step in steps:
                if step.node and step.closed_at is not None:
                    must[entrant, step.n, step.node, "arrived", ""] += 1
                    must[entrant, step.n, step.node, f"left.{step.outcome}", ""] += 1
                if step.left:
                    must[entrant, step.n, step.left, f"left.{step.left_exit}", ""] += 1
        for row in self.deliveries.values():
            opened = have[row.entrant, row.n, row.node, "uncertain", row.channel] and row.status == "sent"
            kind = "uncertain" if opened else f"excluded.{row.reason}" if row.status == "excluded" else row.status
            must[row.entrant, row.n, row.node, kind, row.channel] += 1
        yield from (f"there is no fact {fact}" for fact in sorted(must - have))
        too_many = {fact for fact in have if fact[3] in ("sent", "failed", "uncertain") and fact not in must}
        yield from (f"nothing stands behind the fact {fact}" for fact in sorted(too_many))
        ends = Counter(row.entrant for row in self.facts if row.kind.startswith("ended."))
        for entrant, row in self.entrants.items():
            if ends[entrant] != (row.state == "ended"):
                yield f"{entrant} is {row.state}, and has ended {ends[entrant]} times"

    def _counters(self) -> Iterator[str]:
        """A counter is the number of its facts."""
        counted: Counter[tuple[str, str, str, str, str]] = Counter()
        for row in self.facts:
            entrant = self.entrants[row.entrant]
            counted[entrant.version, entrant.mode, row.node, row.kind, row.channel] += 1
        for key in sorted(counted.keys() | self.counters.keys()):
            if counted[key] != self.counters[key]:
                yield f"the counter {key} is {self.counters[key]}, and there are {counted[key]} facts"

    def _caught(self, place: Place) -> Iterator[str]:
        """The catchers have what the store says was sent, and nothing else."""
        mails, pushes, calls = place.mails_by_id(), place.pushes_by_key(), place.calls_by_id()
        known: set[str] = set()
        for name, row in self.deliveries.items():
            key = {"push": name, "webhook": ids.webhook(name)}.get(row.channel) or ids.message_id(name, "")[:-1]
            times = {"push": pushes, "webhook": calls}.get(row.channel, mails)[key]
            known.add(key)
            if row.status == "sent" and not times:
                yield f"{name} is sent, and nobody got it"
            if row.status in ("excluded", "failed") and times:
                yield f"{name} is {row.status}, and somebody got it"
            if row.status == "claimed":
                yield f"{name} is still on its way"
            if row.channel == "email" and times > 1 and self._never_twice(row):
                yield f"{name} went out {times} times"
        yield from (f"nobody sent {key}" for key in sorted((mails.keys() | pushes.keys() | calls.keys()) - known))

    def _never_twice(self, row: Row[Any]) -> bool:
        return not row.message.endswith("-again")  # the chaos names its messages that may go out twice so

    def _events(self, accepted: Accepted) -> Iterator[str]:
        """Every accepted event is there, and has had its effect or is a discard, and not both."""
        decided = {(step.by_source, step.by_event) for steps in self.steps.values() for step in steps if step.by_event}
        dropped = Counter((row.source, row.event) for row in self.discards if row.event)
        opened = {(row.entrant, row.n, row.channel) for row in self.facts if row.kind == "opened"}
        for source, event in sorted(accepted.events - self.events.keys()):
            yield f"the event {event} of {source} was accepted, and is not there"
        for key, row in self.events.items():
            if row.accepted_at is None:
                yield f"{key} was never stamped"
            if row.won != (key in decided):
                yield f"{key} has decided a gate: {row.won}, and has led to a step: {key in decided}"
            if (times := (key in decided) + (key in self.kept) + dropped[key]) != 1:
                yield f"{key} has had {times} effects or discards"
            if row.source == ids.REACTIONS and row.id.endswith(":opened"):
                name = ids.read_delivery(row.id.partition(":")[0])
                if (name.entrant, name.n, name.channel) not in opened:
                    yield f"{row.id} is no fact"


def _read(url: str) -> Books:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            return _books(connection)
    finally:
        engine.dispose()


def _books(connection: Connection) -> Books:
    def rows(table: Any) -> Sequence[Row[Any]]:
        return connection.execute(select(table).order_by(*table.primary_key.columns)).all()

    steps: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows(schema.steps):
        steps[row.entrant].append(row)
    counters: Counter[tuple[str, str, str, str, str]] = Counter()
    for row in rows(schema.counters):
        counters[row.version, row.mode, row.node, row.kind, row.channel] += row._mapping["count"]
    return Books(
        {row.id: row for row in rows(schema.entrants)}, dict(steps),
        {ids.delivery(row.entrant, row.n, row.channel): row for row in rows(schema.deliveries)},
        rows(schema.facts), counters, {(row.source, row.id): row for row in rows(schema.events)},
        {(row.source, row.event) for row in rows(schema.kept)}, rows(schema.discards), rows(schema.run_members), rows(schema.runs),
        {row.id: frozen_version(connection, row.hash) for row in rows(schema.versions)},
    )  # fmt: skip

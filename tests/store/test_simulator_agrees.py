"""Two journeys of one person at once, and everything that can be repeated is: each still goes as the simulator tells it alone.

Between any two moments somebody proposes again what is done, proposes what is wrong, marks twice, takes over from an attempt that died,
sends the same event twice. Nothing of it may show: not in the path, not in a delivery, not in a number. Instants lie on a grid of half
hours, so that they often meet.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from journey import ids, walk
from journey.contract import Landing, Proposal, Record
from journey.errors import NotFound
from journey.events import PROFILE_CHANGED, Event, Instant
from journey.profiles import Profile
from journey.segments import SegmentDocument
from journey.simulation.simulate import simulate
from journey.simulation.story import Changes, Happening, Occurs, Reacts, Script, Story
from journey.version import Version
from journey.walk import Listen
from store import changes, schema, segments, suppressions
from store.claims import Busy, Carrier, Policy
from store.closing import Mark
from store.steps import Opened
from store.work import Work
from tests import builders
from tests.builders import MINUTE, PERSON, START
from tests.store.driver import Driver, Store, check, let_in, publish, store_in
from tests.store.two_journeys import PEOPLE, SCRIPTS, WORLD, any_version

LEASE = 10 * MINUTE
SAFE = Policy({channel: Carrier(LEASE, idempotent=True) for channel in ("email", "push")})


# ---- how it is played ------------------------------------------------------------------------------------------------------------


@dataclass
class Walker:
    """One of the two entrants. `closes_at` is when the stop under way ends, None while there is none."""

    driver: Driver
    script: Script
    lots: random.Random
    now: Instant = 0
    closes_at: Instant | None = None
    proposal: Proposal = field(default_factory=Proposal)
    opened: Opened | None = None
    past: list[Proposal] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.driver.store

    def set_clock(self, at: Instant) -> None:
        self.now, self.store.clock.instant = at, START + at

    def begin(self) -> None:
        self.set_clock(0)
        self.go_on(self.driver.ask(), 0)

    def advance(self, to: Instant | None) -> None:
        """Stops close up to an instant, and timers before it fire: an event of the same instant still counts."""
        while not self.driver.record.end:
            if self.closes_at is not None:
                at, last = self.closes_at, to
            else:
                at, last = max(self.driver.row().due - START, self.now), to if to is None else to - 1
            if last is not None and at > last:
                return
            self.set_clock(at)
            if self.closes_at is not None:
                self.close(at)
            else:
                self.set_off(at, at_once=self.times_out())

    def times_out(self) -> bool:
        """Is it the global timeout that ends the waiting?"""
        row = self.driver.row()
        return row.until is None or row.due < row.until

    def go_on(self, record: Record, at: Instant) -> None:
        self.driver.record = record
        if not record.end and not self.driver.waits():
            self.set_off(at)

    def set_off(self, at: Instant, *, at_once: bool = False) -> None:
        """A stop begins. What is sent is claimed now; a stop that sends nothing is one commit, when it is over."""
        proposal = self.proposal = self.driver.proposal()
        self.opened = None
        left = walk.Outcome(proposal.left, proposal.exit) if proposal.left else None
        target = proposal.node or (walk.follow(self.driver.journey, left) if left is not None else self.driver.record.place)
        self.closes_at = at + self.script.stops.get(target, 0)
        between = not proposal.left and not isinstance(walk.ask(self.driver.journey, self.driver.record.place), Listen)
        at_once |= between and self.global_deadline_at() <= START + at
        if at_once:
            self.closes_at = None
            found = self.driver.open(proposal)
            assert isinstance(found, Record)
            self.go_on(found, at)
        elif self.will_send(proposal):
            found = self.driver.open(proposal)
            assert isinstance(found, Opened)
            self.opened = found
            self.annoy()

    def global_deadline_at(self) -> Instant:
        length = {"PT3H": 3, "PT6H": 6, "P2D": 48}[self.driver.journey.global_timeout]
        return START + length * builders.HOUR

    def will_send(self, proposal: Proposal) -> bool:
        with self.store.connection.begin_nested() as tried:
            found = self.driver.open(proposal)
            tried.rollback()
        return isinstance(found, Opened)

    def close(self, at: Instant) -> None:
        proposal, self.closes_at = self.proposal, None
        if self.opened is None:
            found: Any = self.driver.open(proposal)
        else:
            marks = [Mark(claim.channel, *self.answer(proposal.node, claim.channel)) for claim in self.opened.claims]
            found = self.mark(proposal, marks)
        assert isinstance(found, Record), found
        self.past.append(proposal)
        self.annoy()
        self.go_on(found, at)

    def mark(self, proposal: Proposal, marks: list[Mark]) -> Record | None:
        """One by one or together, once or twice."""
        if self.lots.random() < 0.5:
            found = [self.driver.mark(proposal, mark) for mark in marks][-1]
        else:
            found = self.driver.mark(proposal, *marks)
        if self.lots.random() < 0.3:
            again = self.driver.mark(proposal, *marks)
            assert again == found
        return found

    def answer(self, node: str, channel: str) -> tuple[str, str]:
        if (node, channel) in self.script.failing:
            return "failed", "refused"
        return ("uncertain", "worker_lost") if (node, channel) in self.script.uncertain else ("sent", "")

    # ---- what may not show ----

    def annoy(self) -> None:
        """Somebody proposes what is done, too far, or wrong; the store tells them what it has, and writes nothing."""
        for wrong in self.wrongs():
            if self.lots.random() < 0.3:
                before = self.store.written()
                found = self.driver.open(wrong)
                assert isinstance(found, Record)
                assert self.store.written() == before
        if self.opened is not None and self.closes_at is not None:
            self.disturb_what_is_sent()

    def wrongs(self) -> Iterator[Proposal]:
        entrant, n = self.driver.entrant, self.driver.row().n
        yield from self.past
        yield Proposal(entrant=entrant, n=n + 3, landings={"": Landing("", "finished")})
        if self.opened is not None and self.closes_at is not None:
            yield Proposal(entrant=entrant, n=n)
            yield replace(self.proposal, left="nowhere", exit="next")
            yield replace(self.proposal, node="", message="", landings={"": Landing("", "finished")})

    def disturb_what_is_sent(self) -> None:
        """An attempt meets the live lease; a later one finds it dead, and takes over."""
        assert self.closes_at is not None
        now = self.store.clock.instant
        if self.lots.random() < 0.5:
            assert isinstance(self.driver.open(self.proposal), Busy)
        if self.closes_at + START - now > LEASE and self.lots.random() < 0.5:
            self.store.clock.instant = now + LEASE
            found = self.driver.open(self.proposal)
            assert isinstance(found, Opened)
            self.opened = found
            self.store.clock.instant = now


@dataclass
class Play:
    """The two walkers and what their person does."""

    store: Store
    walkers: dict[str, Walker]
    lots: random.Random
    written: dict[int, tuple[str, str]] = field(default_factory=dict)  # the event that a write was, where it came to something

    def run(self, happenings: tuple[Happening, ...]) -> None:
        for walker in self.walkers.values():
            walker.begin()
        for happening in happenings:
            for walker in self.walkers.values():
                walker.advance(happening.at)
            self.happen(happening)
            if self.lots.random() < 0.3:
                self.happen(happening)  # a write a second time writes nothing
        for walker in self.walkers.values():
            walker.advance(None)

    def happen(self, happening: Happening) -> None:
        self.store.clock.instant = START + happening.at
        try:
            verdict = self._accept(happening)
        except NotFound:
            return
        decided = {one.entrant: one for one in verdict.decided}
        for walker in self.walkers.values():
            if walker.driver.entrant in decided:
                walker.driver.note(verdict)
                walker.set_off(happening.at)

    def _accept(self, happening: Happening) -> Any:
        if isinstance(happening, Changes):
            known = self._changes()
            done = self.store.write(lambda work: changes.patch(work, PERSON, attributes=happening.attributes))
            self.written |= {id(happening): name for name in self._changes() - known}
            return done.set_off
        if isinstance(happening, Occurs):
            return self.store.accept(Event(happening.source, happening.id, happening.name, dict(happening.data)), PERSON)
        assert isinstance(happening, Reacts)
        entrant = self.walkers[happening.of[0]].driver.entrant
        channel = happening.to.split(".")[0]
        rows = self.store.rows(schema.deliveries, entrant=entrant, node=happening.of, channel=channel)
        return self.store.react(entrant, rows[0].n if rows else 99, happening.to)

    def _changes(self) -> set[tuple[str, str]]:
        return {(row.source, row.id) for row in self.store.rows(schema.events, name=PROFILE_CHANGED)}


def of_journey(script: Script, name: str) -> Script:
    """The script as one of the two journeys sees it: its own reactions, and every event."""
    return replace(script, happenings=tuple(one for one in script.happenings if not isinstance(one, Reacts) or one.of[0] == name))


def compare(walker: Walker, story: Story) -> None:
    row = walker.driver.row()
    assert walker.driver.path() == story.path
    assert (row.end_reason, row.place, row.ended_at - START) == (story.end, story.end_node, story.ended_at)
    told = {(ids.read_delivery(one.id).n, one.channel): (one.status, one.reason) for one in story.deliveries}
    found = {(row.n, row.channel): row for row in walker.store.rows(schema.deliveries, entrant=walker.driver.entrant)}
    reacted = {
        (row.n, row.channel) for row in walker.store.rows(schema.facts, entrant=walker.driver.entrant) if row.kind in ("opened", "clicked")
    }
    for key, (status, reason) in told.items():
        was_sent = status == "uncertain" and found[key].status == "sent" and key in reacted
        assert was_sent or (found[key].status, found[key].reason) == (status, reason)
    assert told.keys() == found.keys()


def compare_effects(store: Store, script: Script, stories: dict[str, Story], written: dict[int, tuple[str, str]]) -> None:
    """An event has decided when it did in one of the two; else it is a discard, by one reason. A write that nobody waits for is none."""
    told: dict[tuple[str, str], set[str]] = {}
    for name, story in stories.items():
        for happening, effect in zip(of_journey(script, name).happenings, story.effects, strict=True):
            if isinstance(happening, Occurs) and effect.code != "duplicate":
                told.setdefault((happening.source, happening.id), set()).add(effect.code)
            if isinstance(happening, Changes):
                assert effect.code == "no_effect" or id(happening) in written
                if effect.code != "no_effect":
                    told.setdefault(written[id(happening)], set()).add(effect.code)
    for (source, event), codes in told.items():
        found = store.effect_of(source, event)
        assert found == "decided" if "decided" in codes else {found} == codes


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True, scope="session")
@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
@given(any_version("a", 5), any_version("b", 3), SCRIPTS, PEOPLE, st.integers(0, 10**6))
def test_two_journeys_of_one_person_go_as_each_alone_whatever_is_repeated(
    engine: Engine, left: Version, right: Version, script: Script, person: Profile, seed: int
) -> None:  # fmt: skip
    assert_as_alone(engine, left, right, script, person, seed)


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True, scope="session")  # where each statement goes to a server and back
@settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))
@given(any_version("a", 5), any_version("b", 3), SCRIPTS, PEOPLE, st.integers(0, 10**6))
def test_on_postgresql_too_two_journeys_of_one_person_go_as_each_alone(
    engine: Engine, left: Version, right: Version, script: Script, person: Profile, seed: int
) -> None:  # fmt: skip
    assert_as_alone(engine, left, right, script, person, seed)


def put_segments(work: Work) -> None:
    for name, rule in WORLD.segments.items():
        segments.put(work, SegmentDocument(id=name, rule=rule))


def assert_as_alone(engine: Engine, left: Version, right: Version, script: Script, person: Profile, seed: int) -> None:
    versions = {"a": left, "b": right}
    with store_in(engine) as store:
        lots = random.Random(seed)
        store.write(put_segments)
        walkers = {}
        for name, version in versions.items():
            publish(store, version, WORLD.messages)
            (driver,) = let_in(store, version, [person], policy=SAFE)
            walkers[name] = Walker(driver, of_journey(script, name), lots)
        store.write(lambda work: suppressions.put(work, "email", "barred@example.org"))
        played = Play(store, walkers, lots)
        played.run(script.happenings)
        stories = {name: simulate(version, person, of_journey(script, name), WORLD) for name, version in versions.items()}
        for name, walker in walkers.items():
            compare(walker, stories[name])
        compare_effects(store, script, stories, played.written)
        for version in versions.values():
            check(store, version)

"""Plays the script of a simulation to a real store: what workflow, stop and API do, at the instants that the script says."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, func, select

from activities.sending import Sending
from journey import dates, durations, ids, walk
from journey.calls import Response, ToCall
from journey.contract import Happened, Proposal, Record
from journey.errors import NotFound
from journey.events import PROFILE_CHANGED, Event, Instant
from journey.graph import ReadSegment
from journey.profiles import Profile, ProfileDocument
from journey.proposing import propose
from journey.simulation.feedback import as_feedback
from journey.simulation.sending import exclusion
from journey.simulation.story import Changes, Effect, Happening, Occurs, Pauses, Qualifies, Resumes, Reviews, Script, World
from journey.tracking import Signer
from journey.version import Version
from store import acceptance, admission, changes, closing, feedback, in_review, profiles, reviews, schema, settling, steps, suppressions
from store.acceptance import Arrived
from store.claims import SENT_AGAIN, Busy, Carrier, Policy
from store.closing import Mark
from store.steps import Opened
from store.taking import Claim
from store.work import Work
from tests import builders
from tests.builders import PERSON, START
from tests.fakes import SettableClock
from tests.store.any_journey import HALF_HOUR
from tests.store.story_answers import Answers
from tests.store.story_version import Stage

SIGNER = Signer("a secret for tests that is long enough")
SENDING = Policy({channel: Carrier(HALF_HOUR * 100, idempotent=True) for channel in ("email", "push", "webhook")})
_ENTRIES = select(schema.entrants.c.entry_source, schema.entrants.c.entry_event)
MAKING_OUT = Sending({}, SIGNER, "https://x.example", "a@example.org")


@dataclass(frozen=True)
class Found:
    """What both sides are compared by."""

    path: tuple[str, ...]
    deliveries: tuple[tuple[str, str, str, str, str], ...]
    effects: tuple[Effect, ...]
    end: tuple[str, str, Instant | None]
    attributes: dict[str, Any]


@dataclass
class Driver:
    """Does to the store what workflow, stop and API do, at the instants that the script says."""

    connection: Connection
    version: Version
    script: Script
    world: World
    person: ProfileDocument
    record: Record = field(default_factory=Record)
    closes_at: Instant | None = None
    rests: bool = False  # policies hold back all that is left of the stop
    proposal: Proposal | None = None
    halted: Proposal | None = None  # what a pause has kept from being done
    opened: Opened | None = None
    unsure: set[str] = field(default_factory=set)  # deliveries of which nobody knows, and which are sent again
    duplicates: dict[int, str] = field(default_factory=dict)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)
    decided: dict[tuple[str, str], Effect] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entrant = ids.entrant(self.version.journey.id, PERSON, 1)
        self.clock = SettableClock(START)
        self.work = Work(self.connection, self.clock)
        self.stage = Stage(self.work, self.version, self.world)
        tokens = tuple(token.token for token in self.person.push_tokens)
        self.profile = Profile(PERSON, self.person.attributes, dict(self.person.consents), tokens)

    def play(self) -> Found:
        self.stage.set(self.person)
        if isinstance(self.version.journey.entry_node, ReadSegment):
            self.admit()
        happenings = self.script.happenings
        for index in sorted(range(len(happenings)), key=lambda index: happenings[index].at):
            self.advance(happenings[index].at)
            self.happen(index, happenings[index])
        self.advance(None)
        self.clock.instant += HALF_HOUR * 1000
        settling.expire(self.work, len(happenings) + 1)
        row = self.work.connection.execute(select(schema.entrants)).one_or_none()
        assert self.work.connection.execute(select(schema.kept)).all() == []
        end = ("", "", None) if row is None else (row.end_reason, row.place, row.ended_at - START)
        effects, attributes = tuple(map(self.effect, range(len(happenings)))), profiles.get(self.work.connection, PERSON).attributes
        return Found(self.stage.path(), self.stage.deliveries(), effects, end, attributes)

    def admit(self) -> None:
        """By the real page of a run that was given a list of one; it waits for the start of the journey."""
        work, of = self.work, self.version.journey.id
        starts_at = dates.opens(self.version.journey)
        waits = starts_at is not None and starts_at > START
        row = {"id": "run", "journey": of, "number": 1, "version": ids.version(of, 1), "profiles": [PERSON],
               "state": "waiting" if waits else "reading", "cutoff": START}  # fmt: skip
        work.connection.execute(schema.runs.insert(), row)
        self.read_on()

    def read_on(self) -> None:
        """The run reads, if it may."""
        for start in admission.admit_page(self.work, "run").starts:
            self.begin(start)

    def begin(self, start: admission.Start) -> None:
        """The workflow of whoever was let in."""
        self.record = Record(n=0, place=start.entrant.place)
        if isinstance(walk.ask(self.version.journey, self.record.place), walk.Listen):
            self.take(self.open(Proposal(entrant=self.entrant, n=0)))
        else:
            self.set_off(self.propose(1, self.record.place))

    def advance(self, to: Instant | None) -> None:
        """Stops close up to an instant, and timers before it fire; what the clock brings to the version comes first."""
        while True:
            inside = self.record.place and not self.record.end
            own = (self.closes_at if self.closes_at is not None else self.wakes_at()) if inside else None
            turn = self.stage.turns_at() if own is not None or to is not None or self.stage.run_waits() else None
            if turn is not None and (to is None or turn <= to) and (own is None or turn <= own):
                self.clock.instant = START + max(turn, self.clock.instant - START)
                self.sweep()
                continue
            last = to if to is None or self.closes_at is not None else to - 1
            if own is None or (last is not None and own > last):
                return
            self.clock.instant = START + max(own, self.clock.instant - START)
            if self.closes_at is not None:
                self.close()
            else:
                self.fire()

    def sweep(self) -> None:
        """What the sweep does to versions, and to whoever is to hear of that."""
        told = self.stage.sweep()
        self.read_on()
        if told:
            self.leave()
        self.release()

    def release(self) -> None:
        """A pause is over: whoever is held tries again."""
        if not self.stage.release():
            return
        assert self.halted is not None
        self.proposal, self.halted = self.halted, None
        if self.work.connection.execute(select(schema.entrants.c.closed)).scalar_one():
            self.set_off(self.proposal)
        else:
            self.opened = None
            self.close()

    def wakes_at(self) -> Instant:
        return int(self.work.connection.execute(select(schema.entrants.c.due)).scalar_one()) - START

    def fire(self) -> None:
        """The workflow's timer is over: it proposes what the graph says, the store may know better."""
        if self.halted is not None:
            self.take(self.open(self.halted))
            return
        at = walk.ask(self.version.journey, self.record.place)
        assert isinstance(at, walk.Listen)
        until = self.work.connection.execute(select(schema.entrants.c.until)).scalar()
        proposal = Proposal(entrant=self.entrant, n=self.record.n + 1)
        due = walk.Outcome(self.record.due_node, self.record.due_exit) if self.record.due_node else at.due
        if due is not None:
            proposal = self.propose(proposal.n, walk.follow(self.version.journey, due), due)
        self.set_off(proposal, at_once=until is None or until > self.deadline())

    def deadline(self) -> Instant:
        """The end of their time in the journey."""
        entered_at = int(self.work.connection.execute(select(schema.entrants.c.entered_at)).scalar_one())
        return entered_at + durations.seconds(self.version.journey.global_timeout) * builders.SECOND

    def propose(self, n: int, place: walk.Place, left: walk.Outcome | None = None, heard: Happened | None = None) -> Proposal:
        return propose(self.version.journey, self.entrant, n, place, left, heard)

    def set_off(self, proposal: Proposal, *, at_once: bool = False) -> None:
        """A stop begins. What sends, or ends, is opened now; what does neither is one commit, at the end of its time."""
        left = walk.Outcome(proposal.left, proposal.exit) if proposal.left else None
        target = proposal.node or (walk.follow(self.version.journey, left) if left is not None else self.record.place)
        self.proposal, self.opened = proposal, None
        self.closes_at = self.clock.instant - START + self.script.stops.get(target, 0)
        if at_once or proposal.host or (proposal.message and self.will_send(proposal)):
            found = self.open(proposal)
            if isinstance(found, Opened):
                self.send(proposal, found)
            elif isinstance(found, Busy):
                self.rest()
            else:
                assert isinstance(found, Record)
                self.closes_at = None
                self.take(found)

    def send(self, proposal: Proposal, opened: Opened) -> None:
        """What is claimed is made out and handed over; what cannot be made out is marked at once."""
        broken = [found for claim in opened.claims if (found := self.broken(claim, opened)) is not None]
        gone = {found.channel for found in broken}
        self.opened = replace(opened, claims=tuple(claim for claim in opened.claims if claim.channel not in gone))
        if not broken:
            return
        record = closing.mark(self.work, proposal, broken)
        if record is not None:
            self.closes_at = None
            self.take(record)
        elif not self.opened.claims:
            again = opened if opened.held else self.open(proposal)
            assert not isinstance(again, Record)
            self.rest()

    def broken(self, claim: Claim, opened: Opened) -> Mark | None:
        taking = Answers(Response(200), claim.channel)
        found = asyncio.run(Sending({claim.channel: taking}, SIGNER, "https://x.example", "a@example.org").carry(claim, opened))
        return found if found.status == "failed" else None

    def open(self, proposal: Proposal) -> Record | Opened | Busy:
        """As a stop opens a step: what is to be reviewed is made out. It is approved at once where the script reviews nothing."""
        found = steps.open_step(self.work, proposal, SENDING)
        at_once = proposal.node not in self.script.reviewed
        while isinstance(found, Opened) and found.to_render:
            shown = [MAKING_OUT.shown(channel, proposal.n, found) for channel in found.to_render]
            in_review.keep(self.work, self.entrant, proposal.n, found.revision, shown)
            if at_once:
                reviews.judge(self.work, "approve", reviews.Wanted(self.version.journey.id, proposal.node))
            at_once = False
            if found.claims:
                break
            found = steps.open_step(self.work, proposal, SENDING)
        return found

    def will_send(self, proposal: Proposal) -> bool:
        channels = self.world.messages[proposal.message].channels
        wanted = [channel for channel in channels if not proposal.channels or channel in proposal.channels]
        person = profiles.read(self.work.connection, PERSON) or Profile(PERSON)
        barred = frozenset((one.channel, one.address) for one in suppressions.page(self.work.connection, ("", ""), 100))
        return any(not exclusion(person, channel, replace(self.world, suppressed=barred)) for channel in wanted)

    def close(self) -> None:
        assert self.proposal is not None
        proposal, self.closes_at, self.rests = self.proposal, None, False
        if self.opened is None:
            found: Any = self.open(proposal)
        else:
            held = self.opened.held
            marks = [self.mark(proposal.node, claim, self.opened) for claim in self.opened.claims]
            rests = held and all(mark.status != "claimed" for mark in marks)
            found = closing.mark(self.work, proposal, marks) or (Busy(0, held) if rests else self.open(proposal))
        self.proposal = proposal
        if isinstance(found, Opened):  # what policies have held until now
            self.closes_at = self.clock.instant - START + self.script.stops.get(proposal.node, 0)
            self.send(proposal, found)
            return
        if isinstance(found, Busy):
            self.rest()
            return
        self.take(found)

    def rest(self) -> None:
        """The workflow sleeps until something may go that policies hold back, or that is sent again; whoever must leave asks at once."""
        of = schema.deliveries.c
        until = self.work.connection.execute(select(func.min(of.not_before)).where(of.status == "claimed")).scalar_one()
        if until is None:  # what is in review has no time of its own
            until = self.deadline()
        self.opened, self.closes_at, self.rests = None, max(until, self.clock.instant) - START, True
        if self.work.connection.execute(select(schema.entrants.c.ending)).scalar_one():
            self.close()

    def mark(self, node: str, claim: Claim, opened: Opened) -> Mark:
        """What the provider said; a call is made out and answered by the real sending."""
        if not isinstance(opened.document, ToCall):
            return self.answer(node, claim, opened)
        refused = (node, claim.channel) in self.script.failing
        provider = Answers(None if refused else self.world.responses.get(node, Response(200)))
        found = asyncio.run(Sending({"webhook": provider}, SIGNER, "", "").carry(claim, opened))
        return found if found.status != "claimed" else replace(found, status="failed", reason="retries_exhausted")

    def answer(self, node: str, claim: Claim, opened: Opened) -> Mark:
        if (node, claim.channel) in self.script.failing:
            return Mark(claim.channel, "failed", "refused")
        if (node, claim.channel) not in self.script.uncertain or claim.delivery in self.unsure:
            return Mark(claim.channel, "sent")
        if not opened.document.may_repeat:
            return Mark(claim.channel, "uncertain", "worker_lost")
        self.unsure.add(claim.delivery)
        return Mark(claim.channel, "claimed", SENT_AGAIN, token=claim.token)

    def take(self, record: Record | Opened | Any) -> None:
        """Go on from what the store says, as the workflow does."""
        assert isinstance(record, Record)
        self.record, self.halted = record, self.proposal if record.held else None
        if record.end or record.held:
            return
        if record.node:
            self.decided[record.source, record.event] = Effect("decided", record.node)
            left = walk.Outcome(record.node, "next")
            heard = Happened(record.n, record.node, record.source, record.event)
            self.set_off(self.propose(record.n + 1, walk.follow(self.version.journey, left), left, heard))
        elif not isinstance(walk.ask(self.version.journey, record.place), walk.Listen):
            self.set_off(self.propose(record.n + 1, record.place))

    def happen(self, index: int, happening: Happening) -> None:
        self.clock.instant = START + max(happening.at, 0)
        if isinstance(happening, Reviews):
            self.review(index, happening)
            return
        if isinstance(happening, Pauses | Resumes):
            self.duplicates[index] = self.stage.steer(happening)
            self.release()
            return
        told = self.accept(index, happening)
        if isinstance(told, acceptance.Verdict) and told.duplicate:
            self.duplicates[index] = "duplicate"
        for start in told.entered if told is not None else ():
            self.decided[tuple(self.work.connection.execute(_ENTRIES).one())] = Effect("enters")  # a write lets in by an event before it
            self.begin(start)
        for decided in told.decided if told is not None else ():
            assert decided.entrant == self.entrant
            if decided.ends:
                self.decided[decided.source, decided.event] = Effect("exits")
                self.leave()
            else:
                assert decided.n == self.record.n
                self.take(replace(self.record, node=decided.node, source=decided.source, event=decided.event))

    def review(self, index: int, said: Reviews) -> None:
        """What is made out is approved or discarded; whoever waits for that is told."""
        wanted = reviews.Wanted(self.version.journey.id, said.of)
        done = reviews.judge(self.work, said.verdict, wanted)
        self.duplicates[index] = {"approve": "approved", "discard": "discarded"}[said.verdict] if done.deliveries else "no_effect"
        if done.people and (self.rests or self.halted is not None):  # else under way, where they find out by themselves
            self.leave()

    def leave(self) -> None:
        """The workflow is told to leave: waiting it asks at once, on the way it finds out at its next commit."""
        if self.rests:
            self.close()
        elif self.halted is not None:
            self.take(self.open(self.halted))
        elif self.closes_at is None:
            self.take(self.open(Proposal(entrant=self.entrant, n=self.record.n + 1)))

    def write(self, index: int, happening: Changes) -> changes.SetOff:
        """A write is an event only where it comes to something."""
        known, waited = self.changes_on_record(), settling.count(self.work.connection)
        done = changes.patch(self.work, PERSON, attributes=happening.attributes)
        made = [name for name in self.changes_on_record() if name not in known]
        if made:
            (self.names[index],) = made
        else:
            self.duplicates[index] = "settles" if settling.count(self.work.connection) < waited else "no_effect"
        return done.set_off

    def changes_on_record(self) -> list[tuple[str, str]]:
        of = schema.events.c
        return [(row.source, row.id) for row in self.work.connection.execute(select(of.source, of.id).where(of.name == PROFILE_CHANGED))]

    def accept(self, index: int, happening: Happening) -> acceptance.Verdict | changes.SetOff | None:
        if isinstance(happening, Changes):
            return self.write(index, happening)
        assert not isinstance(happening, Qualifies | Reviews | Pauses | Resumes), "nobody is let in so, and no event is one of these"
        if isinstance(happening, Occurs):
            self.names[index] = (happening.source, happening.id)
            made = Event(happening.source, happening.id, happening.name, dict(happening.data))
            return acceptance.accept(self.work, Arrived(made, "customer_id", PERSON), acceptance.Policy())
        (channel, _, kind), of = happening.to.partition("."), schema.deliveries.c
        n = self.work.connection.execute(select(of.n).where(of.node == happening.of, of.channel == channel)).scalar()
        delivery = ids.delivery(self.entrant, 99 if n is None else n, channel)
        self.names[index] = (ids.REACTIONS, ids.reaction(delivery, kind, happening.link))
        try:
            if (said := as_feedback(happening)) is not None:
                return feedback.play(self.work, said, delivery)
            return acceptance.react(self.work, delivery, kind, happening.link)
        except NotFound:
            self.duplicates[index] = "no_delivery"
            return None

    # ---- what the store has of it ----

    def effect(self, index: int) -> Effect:
        """What became of a happening in the end, by the rows that it left."""
        if index in self.duplicates:
            return Effect(self.duplicates[index])
        (source, name), of, gone = self.names[index], schema.events.c, schema.discards.c
        won = self.work.connection.execute(select(of.won).where(of.source == source, of.id == name)).scalar()
        jumped = gone.code == "not_live"  # a jump is on record by the event that let its person in here
        codes = self.work.connection.execute(select(gone.code).where(gone.source == source, gone.event == name, ~jumped)).scalars().all()
        assert len(codes) == (0 if won else 1), f"{name} has won {won!r} and is a discard for {codes}"
        assert won == ((source, name) in self.decided)
        return self.decided[source, name] if won else Effect(codes[0])

"""Walks one person through a version on a virtual clock, exactly as the server would. It knows no store, no server and no real time.

The store and the workflow drive the same walk and the same gate; this is their order of events without them: a stop begins with a
decision, claims what it sends, closes a while later and arrives; what comes in between is kept or without effect (G1 to G8, M1).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from journey import durations, ends, exit_criteria, gate, ids, local_time, sentences, walk
from journey.events import Event, Instant
from journey.graph import EventNode, Qualification
from journey.policies import HELD
from journey.profiles import Profile
from journey.simulated_acting import Doing
from journey.simulated_hearing import Hearing, Leaves
from journey.simulated_stop import Stop
from journey.story import Effect, Happening, Moment, Reviews, Script, Story, Told, World
from journey.version import Version
from journey.walk import Acting, Finish, Listen, Outcome, Place, Send


def simulate(version: Version, profile: Profile, script: Script, world: World, *, key: str = "") -> Story:
    """The story of one person who does what the script says. They are admitted at instant 0; where a journey begins with an event, by
    the first happening that is one. `key` is the value of the journey's identity, the profile's id unless given. Time goes on after the
    last happening until the person has ended, or until `script.until`. Raises NotFound when a message is not in the world.
    """
    person = Person(version, profile, script, world, ids.entrant(version.journey.id, key or profile.id, 1), key or profile.id)
    if not isinstance(version.journey.entry_node, EventNode | Qualification):
        person.enter()
    turn = sorted(range(len(script.happenings)), key=lambda index: script.happenings[index].at)
    for index in turn:
        happening = script.happenings[index]
        if script.until is not None and happening.at > script.until:
            break
        person.happen(index, happening)
    person.advance(script.until)
    return person.story()


@dataclass
class Person:
    """One person on a clock of their own: `enter` once, or by what happens, then let things `happen` and time `advance`, never backwards.

    `place` is what the store has: where they wait or act, or the gate they are just leaving. Of the script only `stops`, `failing` and
    `uncertain` are read: what happens is told one by one. `timeless` are the waits that were over at once for want of a time.
    """

    version: Version
    profile: Profile
    script: Script
    world: World
    entrant: str
    key: str
    now: Instant = 0
    n: int = 0
    place: Place = ""
    at_gate: gate.Gate | None = None
    end: Finish | None = None
    ended_at: Instant | None = None
    ended_waiting: bool = False
    ending: str = ""
    path: list[Outcome] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    timeline: list[Moment] = field(default_factory=list)
    timeless: list[str] = field(default_factory=list)
    parked: Place = ""
    _stop: Stop | None = None

    def __post_init__(self) -> None:
        self.hearing = Hearing(
            self.version, self.world, self.entrant, self.profile.id, self.told, self.timeline, self.profile.attributes
        )  # fmt: skip
        self.doing = Doing(self.version, self.world, self.script, self.entrant, self.key, self.profile, self.hearing, self.told)
        self.deadline = 0

    # ---- time --------------------------------------------------------------------------------------------------------------------

    @property
    def inside(self) -> bool:
        """Have they entered, and not ended?"""
        return bool(self.path) and self.end is None

    def enter(self, event: Event | None = None) -> None:
        """The admission; `event` is what lets them in, if one does."""
        entry = walk.entry(self.version.journey)
        self.deadline = self.now + durations.seconds(self.version.journey.global_timeout) * gate.MICROSECONDS
        self.hearing.let_in(self.now, event)
        self._say(f"enters by {entry}")
        self.hearing.came_to(entry, self.now)
        self._leave(Outcome(entry, "next"))
        self.place = walk.first(self.version.journey)
        if isinstance(walk.ask(self.version.journey, self.place), Listen):
            self._arrive_at_gate()  # the admission itself has led to a gate: no stop is needed to get there
        else:
            self._set_off(self.place)

    def advance(self, to: Instant | None, *, before: bool = False) -> None:
        """Let time pass: stops close, and what listens is over. `before` leaves open what is over at that very instant: an event of
        the same instant still counts."""
        while self.inside:
            last = to - 1 if to is not None and before and self._stop is None else to
            if last is not None and self.moves_at > last:
                return
            self.step()

    @property
    def moves_at(self) -> Instant:
        """When time alone moves them on; for somebody who has not ended. It is past where they came too late to what listens."""
        return self._stop.closes_at if self._stop is not None else self._wakes_at()

    def step(self) -> None:
        """The next thing that time alone brings: a stop closes, or what listens is over."""
        self.now = max(self.moves_at, self.now)
        if self._stop is not None:
            self._close(self._stop)
        else:
            self._time_is_up()

    def happen(self, index: int, happening: Happening) -> None:
        """Time goes on to a happening, and it is accepted. `index` is its own among all that happen to this person."""
        self.advance(happening.at, before=True)
        self.now = max(self.now, happening.at) if self.end is None else self.now
        if isinstance(happening, Reviews):
            if self.doing.review(index, happening, self.now) and self._stop is not None:
                self._close(self._stop)
        elif not self.path:
            event = self.hearing.enters(index, happening)
            self.doing.learn()
            if event is not None:
                self.enter(event)
        else:
            heard = self.hearing.hear(index, happening, self.at_gate, self.place, ended=self.end is not None, leaving=bool(self.ending))
            self.doing.learn()
            if isinstance(heard, Leaves):
                self._must_end()
            elif heard is not None:
                self._decided(heard.outcome)

    def _must_end(self) -> None:
        """At once where they wait, be it for policies; else their next commit is their end."""
        self.ending = exit_criteria.REASON
        if self.at_gate is not None:
            self._finish(Finish(self.ending))
        elif self._stop is not None and isinstance(self._stop.answer, Send) and self.doing.rests(self._stop.answer):
            self._close(self._stop)

    def _wakes_at(self) -> Instant:
        if self.parked:
            return self.deadline
        assert self.at_gate is not None
        return self.deadline if self.at_gate.due_at is None else min(self.at_gate.due_at, self.deadline)

    def _time_is_up(self) -> None:
        """The wait or timeout stands before the global timeout of the same instant."""
        due = gate.due(self.at_gate, min(self.now, self.deadline)) if self.at_gate is not None else None
        if due is None:
            self._finish(Finish("global_timeout"))
            return
        self._say(f"{due.node} is over" if due.exit == "next" else f"{due.node} has heard nothing: its time is up")
        self._decided(due)

    # ---- stops -------------------------------------------------------------------------------------------------------------------

    def _decided(self, left: Outcome) -> None:
        self.at_gate = None
        self._set_off(walk.follow(self.version.journey, left), left, decided=True)

    def _set_off(self, target: Place, left: Outcome | None = None, *, decided: bool = False) -> None:
        """A stop begins: what it sends is claimed now. A stop that sends nothing has left the gate only when it closes."""
        answer = walk.ask(self.version.journey, target, left=left)
        self.n += 1
        claims = self.doing.claim(answer, self.n, self.now, self.deadline)
        opened = any(told.status in ("claimed", "failed") or told.reason in HELD for told in claims)
        if opened:
            if not decided and self.now >= self.deadline:
                self._finish(Finish("global_timeout"))
                return
            if decided and left is not None:
                self._leave(left)
            self.told += claims
            self.place = target
            self.hearing.came_to(target, self.now)
        takes = self.script.stops.get(target, 0) if not opened or any(self.doing.is_out(told) for told in claims) else 0
        self._stop = Stop(answer, target, self.now + takes, opened, left if decided else None)

    def _rests(self, stop: Stop, send: Send) -> bool:
        """Is something of a message still out, or held back? What was out is marked, and what is held no longer goes."""
        self.doing.mark(send, self.now)
        self.ending = self.ending or self.doing.unreviewed(send, self.now, self.deadline)
        if self.ending:
            self.doing.give_up(send)
        if self.doing.release(send, self.n, self.now, self.deadline):
            self._stop = replace(stop, closes_at=self.now + self.script.stops.get(stop.target, 0))
            return True
        held = self.doing.held(send)
        if held:
            self._say(sentences.held(send.message, {channel: told.reason for channel, told in held.items()}))
            self._stop = replace(stop, closes_at=min(self.doing.holding.until[told.id] for told in held.values()))
        return bool(held)

    def _close(self, stop: Stop) -> None:
        self._stop = None
        if not stop.opened:
            if self.ending or (stop.left is None and self.now >= self.deadline):
                self._finish(Finish(self.ending or "global_timeout"))
                return
            if stop.left is not None:
                self._leave(stop.left)
            self.told += self.doing.claim(stop.answer, self.n, self.now, self.deadline)
            if not isinstance(stop.answer, Listen | Finish):
                self.hearing.came_to(stop.answer.node, self.now)
        elif isinstance(stop.answer, Send) and self._rests(stop, stop.answer):
            return
        match stop.answer:
            case Listen():
                self.place = stop.target
                self._arrive_at_gate()
            case Finish():
                self._finish(stop.answer)
            case _:
                self._act(stop.answer)

    def _act(self, answer: Acting) -> None:
        before = self.hearing.attributes
        taken, sentence = self.doing.done(answer, self.now)
        if self.hearing.wrote(self.n, before, self.place, self.now, leaving=bool(self.ending)) is not None:
            self.ending = exit_criteria.REASON
        if sentence:
            self._say(sentence)
        outcome = Outcome(answer.node, taken)
        self._leave(outcome)
        self.place = walk.follow(self.version.journey, outcome)
        ahead = walk.ask(self.version.journey, self.place, left=outcome)
        if self.ending:
            self._finish(Finish(self.ending, ahead.node if isinstance(ahead, Finish) else ""))
        elif isinstance(ahead, Finish) and walk.parks(self.version.journey, ahead.reason):
            self._park(outcome)
        elif isinstance(ahead, Listen):
            self._arrive_at_gate()
        elif isinstance(ahead, Finish):
            self._finish(ahead)
        else:
            self._set_off(self.place, outcome)

    def _park(self, outcome: Outcome) -> None:
        """Nobody mends anything here: they stay until their time in the journey is over."""
        self.path.pop()
        self.place = self.parked = outcome.node
        self._say(f"parked at {outcome.node}")

    def _arrive_at_gate(self) -> None:
        """The clock of the gate starts, and what was kept on the way is decided."""
        begins, journey = self.world.begins, self.version.journey
        found = ends.ends(journey, self.place, self.key, begins + self.now, lambda: self.doing.scope(self.now))
        virtual = {node: end if end is None else end - begins for node, end in found.items()}
        self.at_gate = gate.build(journey, self.place, self.now, virtual)
        self._say("waits at " + " or ".join(node.id for node in self.at_gate.nodes))
        self.timeless += [node for node, end in found.items() if end is None]
        for node, end in found.items():
            self._say(sentences.no_time(node) if end is None else f"{node} is over {local_time.said(end, journey.timezone)}")
        for arrived in self.at_gate.nodes:
            self.hearing.came_to(arrived.id, self.now)
        won = self.hearing.arrive(self.at_gate, self.place, self.now, self.n)
        if won is not None:
            self._decided(won.outcome)

    def _finish(self, end: Finish) -> None:
        self.ended_waiting = self.at_gate is not None
        self.end, self.ended_at, self.at_gate, self.place = end, self.now, None, end.node
        self.hearing.finish(self.now)
        self._say(f"ends: {end.reason}")

    def _leave(self, outcome: Outcome) -> None:
        self.path.append(outcome)

    # ---- the story ---------------------------------------------------------------------------------------------------------------

    def _say(self, sentence: str) -> None:
        self.timeline.append(Moment(self.now, sentence))

    def story(self) -> Story:
        """The story so far, with what became of every happening of the script."""
        effects = self.hearing.effects
        return Story(
            entrant=self.entrant,
            path=tuple(f"{left.node}:{left.exit}" for left in self.path),
            deliveries=tuple(self.told),
            effects=tuple(effects.get(index, Effect("not_yet")) for index in range(len(self.script.happenings))),
            timeline=tuple(self.timeline),
            end=self.end.reason if self.end is not None else "",
            end_node=self.end.node if self.end is not None else "",
            ended_at=self.ended_at,
            place=self.place,
            waiting=self.at_gate is not None,
            wakes_at=self._wakes_at() if self.at_gate is not None else None,
            entered=bool(self.path),
            attributes=self.doing.profile.attributes,
        )

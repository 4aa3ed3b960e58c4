"""Walks one person through a version on a virtual clock, exactly as the server would. It knows no store, no server and no real time.

The store and the workflow drive the same walk and the same gate; this is their order of events without them: a stop begins with a
decision, claims what it sends, closes a while later and arrives; what comes in between is kept or without effect (G1 to G8, M1).
"""

from __future__ import annotations

from dataclasses import dataclass

from journey import durations, exit_criteria, gate, ids, lifecycle, walk
from journey.events import Event, Instant
from journey.graph import EventNode, Qualification, reading
from journey.profiles import Profile
from journey.simulation.hearing import Leaves
from journey.simulation.story import Changes, Effect, Happening, Moment, Pauses, Resumes, Reviews, Script, Story, World, happening_name
from journey.simulation.walking import Walking
from journey.version import Version
from journey.walk import Finish, Listen, Outcome, Send


def simulate(version: Version, profile: Profile, script: Script, world: World, *, key: str = "") -> Story:
    """The story of one person who does what the script says. They are admitted at instant 0, or at the start of the journey if that is
    later; where a journey begins with an event, by the first happening that is one. `key` is the value of the journey's identity, the
    profile's id unless given. Time goes on after the last happening until the person has ended, or until `script.until`. Raises NotFound
    when a message is not in the world.
    """
    person = Person(version, profile, script, world, ids.entrant(version.journey.id, key or profile.id, 1), key or profile.id)
    if not isinstance(version.journey.entry_node, EventNode | Qualification):
        person.be_read()
    turn = sorted(range(len(script.happenings)), key=lambda index: script.happenings[index].at)
    for index in turn:
        happening = script.happenings[index]
        if script.until is not None and happening.at > script.until:
            break
        person.happen(index, happening)
    person.advance(script.until)
    return person.story()


@dataclass
class Person(Walking):
    """One person on a clock of their own: `enter` once, or by what happens, then let things `happen` and time `advance`, never backwards.

    What the clock brings to their version comes before all else of its instant.
    """

    _waits_to_enter: bool = False

    # ---- time --------------------------------------------------------------------------------------------------------------------

    @property
    def inside(self) -> bool:
        """Have they entered, and not ended?"""
        return bool(self.path) and self.end is None

    def be_read(self) -> None:
        """A run reads them: they enter, or are not let in. One that is to read as soon as possible waits for the start of the journey."""
        why = self.life.refusal(self.now)
        entry = reading(self.version.journey)
        self._waits_to_enter = why == "not_started" and entry is not None and entry.schedule == "asap"
        if not why:
            self.enter()
        else:
            self._say("waits for the start of the journey" if self._waits_to_enter else f"is not let in: {why}")

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
        while self.inside or (self._turns_at is not None and (to is not None or self._waits_to_enter)):
            counts = before and (self._stop is None or bool(self.held)) and not self._turns_first
            last = to - 1 if to is not None and counts else to
            if last is not None and self.moves_at > last:
                return
            self.step()

    @property
    def moves_at(self) -> Instant:
        """When time alone moves them on; for somebody who has not ended. It is past where they came too late to what listens."""
        turns_at, own = self._turns_at, self._own_turn
        return min(at for at in (turns_at, own) if at is not None)

    @property
    def _own_turn(self) -> Instant | None:
        if not self.inside:
            return None
        return self._stop.closes_at if self._stop is not None else self._wakes_at()

    @property
    def _turns_at(self) -> Instant | None:
        """When the clock brings something to their version; the start is nothing to whoever does not wait for it."""
        starts_at = self.life.starts_at if self._waits_to_enter and self.life.state == "live" else None
        return min((at for at in (starts_at, self.life.turns_at) if at is not None), default=None)

    @property
    def _turns_first(self) -> bool:
        turns_at, own = self._turns_at, self._own_turn
        return turns_at is not None and (own is None or turns_at <= own)

    def step(self) -> None:
        """The next thing that time alone brings: something comes to their version, a stop closes, or what listens is over."""
        first = self._turns_first
        self.now = max(self.moves_at, self.now) if self.end is None else self.now
        if first:
            self._turn(self.moves_at)
        elif self._stop is not None:
            self._close(self._stop)
        else:
            self._time_is_up()

    def _turn(self, at: Instant) -> None:
        """The journey ends, or a pause of it; or it starts, for whoever has waited for that."""
        if self.life.turns_at is None or self.life.turns_at > at:
            self._waits_to_enter = False
            self.enter()
        elif self.life.turn(at) == "end":
            self._waits_to_enter = False
            self._say("the journey ends")
            if self.inside:
                self._must_end(lifecycle.ENDED)
        else:
            self._say("the pause is over by itself")
            self._go_on()

    def _steered(self, index: int, happening: Pauses | Resumes) -> None:
        """The journey is paused, or goes on."""
        if isinstance(happening, Pauses):
            done = self.life.be_paused(happening.what, happening.at + happening.length, inhabited=self.inside)
        else:
            done = self.life.be_resumed()
        became = ("paused" if isinstance(happening, Pauses) else "resumed") if done else "no_effect"
        self.hearing.effects[index] = Effect(became)
        self.timeline.append(Moment(happening.at, f"{happening_name(happening)}: the journey is {self.life.state}"))
        if done and isinstance(happening, Resumes):
            self._go_on()

    def happen(self, index: int, happening: Happening) -> None:
        """Time goes on to a happening, and it is accepted. `index` is its own among all that happen to this person."""
        self.advance(happening.at, before=True)
        self.now = max(self.now, happening.at) if self.end is None else self.now
        if isinstance(happening, Reviews):
            if self.doing.review(index, happening, self.now) and self._stop is not None:
                self._close(self._stop)
        elif isinstance(happening, Pauses | Resumes):
            self._steered(index, happening)
        elif not self.path:
            event = self.hearing.enters(index, happening, self.life.door(happening.at))
            self.doing.learn()
            if event is not None:
                self.enter(event)
        else:
            heard = self.hearing.hear(
                index, happening, self._waits_for(happening), self.place, self.life.door(happening.at),
                ended=self.end is not None, leaving=bool(self.ending),
            )  # fmt: skip
            self.doing.learn()
            if isinstance(heard, Leaves):
                self._must_end(exit_criteria.REASON)
            elif heard is not None:
                self._decided(heard.outcome)

    def _waits_for(self, happening: Happening) -> gate.Gate | None:
        """The gate that may hear it, if any. A write comes a moment after another one of its instant, and the gate may be over then."""
        at = self.hearing.past.free(happening.at) if isinstance(happening, Changes) else happening.at
        return self.at_gate if self.at_gate is not None and at <= self._wakes_at() else None

    def _must_end(self, reason: str) -> None:
        """At once where they wait, be it for policies; else their next commit is their end. The first reason stays."""
        self.ending = self.ending or reason
        if self.at_gate is not None or self.parked or self._halted is not None:
            self._finish(Finish(self.ending))
        elif self._stop is not None and isinstance(self._stop.answer, Send) and self.doing.rests(self._stop.answer):
            self._close(self._stop)

    def _wakes_at(self) -> Instant:
        if self.parked or self._halted is not None:
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

    # ---- the story ---------------------------------------------------------------------------------------------------------------

    def story(self) -> Story:
        """The story so far, with what became of every happening of the script."""
        self.hearing.unsettled(self.script.until)
        effects = self.hearing.effects
        return Story(
            entrant=self.entrant,
            path=tuple(f"{left.node}:{left.exit}" for left in self.path),
            deliveries=tuple(self.told),
            effects=tuple(effects.get(index, Effect("not_yet")) for index in range(len(self.script.happenings))),
            timeline=tuple(sorted(self.timeline, key=lambda moment: moment.at)),
            end=self.end.reason if self.end is not None else "",
            end_node=self.end.node if self.end is not None else "",
            ended_at=self.ended_at,
            place=self.place,
            waiting=self.at_gate is not None,
            wakes_at=self.life.at_most(self._wakes_at()) if self.at_gate is not None else None,
            held=self.held,
            entered=bool(self.path),
            attributes=self.doing.profile.attributes,
        )

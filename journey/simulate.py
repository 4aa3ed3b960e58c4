"""Walks one person through a version on a virtual clock, exactly as the server would. It knows no store, no server and no real time.

The store and the workflow drive the same walk and the same gate; this is their order of events without them: a stop begins with a
decision, claims what it sends, closes a while later and arrives; what comes in between is kept or without effect (G1 to G8, M1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from journey import durations, events, gate, ids, matching, rules, simulated_sending, walk
from journey.events import Event, Instant
from journey.graph import Condition
from journey.profiles import Profile
from journey.rule_text import as_tree
from journey.simulated_sending import exclusion as exclusion  # whoever simulates finds it here
from journey.story import Effect, Happening, Moment, Occurs, Reacts, Script, Story, Told, World
from journey.version import Version
from journey.walk import Answer, Decide, Finish, Listen, Outcome, Place, Send


def simulate(version: Version, profile: Profile, script: Script, world: World, *, key: str = "") -> Story:
    """The story of one person who is admitted at instant 0 and does what the script says.

    `key` is the value of the journey's identity, the profile's id unless given. Time goes on after the last happening until the person
    has ended, or until `script.until`. Raises NotFound when a node sends a message that the world does not have.
    """
    run = _Run(version, profile, script, world, ids.entrant(version.journey.id, key or profile.id, 1))
    run.admit()
    turn = sorted(range(len(script.happenings)), key=lambda index: script.happenings[index].at)
    for index in turn:
        happening = script.happenings[index]
        if script.until is not None and happening.at > script.until:
            break
        run.advance(happening.at, before=True)
        run.happen(index, happening)
    run.advance(script.until)
    return run.story()


@dataclass(frozen=True, slots=True)
class _Stop:
    """What a person is under way with: what is done, at which place, and when the stop closes.

    One that sends is opened when it begins; any other is a single commit at its end. `decided` says that a gate led here: then the
    global deadline no longer counts.
    """

    answer: Answer
    target: Place
    closes_at: Instant
    opened: bool
    decided: bool


@dataclass
class _Run:
    """One person inside. `place` is what the store has: where they wait or act, or the gate they are just leaving."""

    version: Version
    profile: Profile
    script: Script
    world: World
    entrant: str
    now: Instant = 0
    n: int = 0
    place: Place = ""
    at_gate: gate.Gate | None = None
    stop: _Stop | None = None
    end: Finish | None = None
    ended_at: Instant | None = None
    kept: dict[int, Event] = field(default_factory=dict)
    effects: dict[int, Effect] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    timeline: list[Moment] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    last_event: Event | None = None

    def __post_init__(self) -> None:
        self.fits = matching.fits(self.version, self.entrant)
        self.deadline = durations.seconds(self.version.journey.global_timeout) * gate.MICROSECONDS

    # ---- time --------------------------------------------------------------------------------------------------------------------

    def admit(self) -> None:
        entry = walk.entry(self.version.journey)
        self._say(f"enters by {entry}")
        self._leave(Outcome(entry, "next"))
        self.place = walk.first(self.version.journey)
        if isinstance(walk.ask(self.version.journey, self.place), Listen):
            self._arrive_at_gate()  # the admission itself has led to a gate: no stop is needed to get there
        else:
            self._set_off(self.place)

    def advance(self, to: Instant | None, *, before: bool = False) -> None:
        """Let time pass: stops close, and what listens is over. `before` leaves open what is over at that very instant: an event of
        the same instant still counts."""
        while self.end is None:
            if self.stop is not None:
                at, last = self.stop.closes_at, to
            else:
                at, last = max(self._wakes_at(), self.now), to if to is None or not before else to - 1
            if last is not None and at > last:
                return
            self.now = at
            if self.stop is not None:
                self._close(self.stop)
            else:
                self._time_is_up()

    def _wakes_at(self) -> Instant:
        assert self.at_gate is not None
        return min(self.at_gate.due_at or self.deadline, self.deadline)

    def _time_is_up(self) -> None:
        """The wait or timeout stands before the global timeout of the same instant."""
        assert self.at_gate is not None
        due = gate.due(self.at_gate, min(self.now, self.deadline))
        if due is None:
            self._finish(Finish("global_timeout"))
            return
        self._say(f"{due.node} is over" if due.exit == "next" else f"{due.node} has heard nothing: its time is up")
        self._decided(due)

    # ---- stops -------------------------------------------------------------------------------------------------------------------

    def _decided(self, left: Outcome) -> None:
        self._leave(left)
        self.at_gate = None
        self._set_off(walk.follow(self.version.journey, left), left, decided=True)

    def _set_off(self, target: Place, left: Outcome | None = None, *, decided: bool = False) -> None:
        """A stop begins: what it sends is claimed now. A stop that sends nothing has left the gate only when it closes."""
        answer = walk.ask(self.version.journey, target, left=left)
        self.n += 1
        claims = self._claim(answer) if isinstance(answer, Send) else []
        opened = any(told.status == "claimed" for told in claims)
        if opened:
            if not decided and self.now >= self.deadline:
                self._finish(Finish("global_timeout"))
                return
            self.told += claims
            self.place = target
        self.stop = _Stop(answer, target, self.now + self.script.stops.get(target, 0), opened, decided)

    def _close(self, stop: _Stop) -> None:
        self.stop = None
        if not stop.opened:
            if not stop.decided and self.now >= self.deadline:
                self._finish(Finish("global_timeout"))
                return
            if isinstance(stop.answer, Send):
                self.told += self._claim(stop.answer)
        match stop.answer:
            case Send():
                self._land(Outcome(stop.answer.node, self._sent(stop.answer)))
            case Decide():
                self._land(Outcome(stop.answer.node, self._branch(stop.answer.node)))
            case Listen():
                self.place = stop.target
                self._arrive_at_gate()
            case Finish():
                self._finish(stop.answer)

    def _land(self, outcome: Outcome) -> None:
        self._leave(outcome)
        self.place = walk.follow(self.version.journey, outcome)
        answer = walk.ask(self.version.journey, self.place, left=outcome)
        if isinstance(answer, Listen):
            self._arrive_at_gate()
        elif isinstance(answer, Finish):
            self._finish(answer)
        else:
            self._set_off(self.place, outcome)

    def _arrive_at_gate(self) -> None:
        """The clock of the gate starts; the earliest kept event that fits wins, the others are without effect (G6)."""
        self.at_gate = gate.build(self.version.journey, self.place, self.now)
        self._say("waits at " + " or ".join(node.id for node in self.at_gate.nodes))
        won = gate.arrive(self.at_gate, self.kept.values(), self.fits)
        for index, event in list(self.kept.items()):
            if won is not None and won.event is event:
                del self.kept[index]
                self._won(index, won)
            elif not event.is_reaction or not self._is_kept(event):
                self._drop(index)
        if won is not None:
            self._decided(won.outcome)

    def _branch(self, node_id: str) -> str:
        condition = self.version.journey.node(node_id)
        assert isinstance(condition, Condition)
        event = self.last_event.data if self.last_event is not None else {}
        scope = rules.Scope.of_profile(self.profile.attributes, event=event)
        for branch in condition.branches:
            if branch.when is not None and rules.evaluate(as_tree(branch.when), scope):
                return branch.id
        return "otherwise"

    def _finish(self, end: Finish) -> None:
        self.end, self.ended_at, self.at_gate, self.place = end, self.now, None, end.node
        for index in list(self.kept):
            self._drop(index)
        self._say(f"ends: {end.reason}")

    def _leave(self, outcome: Outcome) -> None:
        self.path.append(f"{outcome.node}:{outcome.exit}")

    # ---- sending -----------------------------------------------------------------------------------------------------------------

    def _claim(self, send: Send) -> list[Told]:
        return simulated_sending.claim(self.world, self.profile, self.entrant, self.n, send)

    def _sent(self, send: Send) -> str:
        """Mark what was claimed; the exit that this comes to."""
        marked: list[Told] = []
        for index, told in enumerate(self.told):
            if told.node == send.node:
                if told.status == "claimed":
                    told = self.told[index] = simulated_sending.mark(told, self.script)
                marked.append(told)
        parts = [f"{told.status} on {told.channel}" + (f" ({told.reason})" if told.reason else "") for told in marked]
        self._say(f"{send.message}: {', '.join(parts) or 'nothing to send'}")
        return simulated_sending.outcome(marked)

    # ---- what happens ------------------------------------------------------------------------------------------------------------

    def happen(self, index: int, happening: Happening) -> None:
        """One happening is accepted, at an instant that time has come to."""
        self.now = max(self.now, happening.at) if self.end is None else self.now
        event = self._event(index, happening)
        if event is None:
            self._effect(index, happening.at, f"{happening_name(happening)} cannot be: nothing was sent", Effect("no_delivery"))
        elif (event.source, event.id) in self.seen:
            self._effect(index, happening.at, f"{event.name} again: it has its effect already", Effect("duplicate"))
        else:
            self.seen.add((event.source, event.id))
            if isinstance(happening, Reacts):
                self._has_got_it(happening)
            self._hear(index, event)

    def _event(self, index: int, happening: Happening) -> Event | None:
        """The event that it is; None for a reaction to something that was never on its way (G5)."""
        match happening:
            case Occurs():
                name = happening.id or f"{happening.name or 'event'}-{index + 1}"
                return Event(happening.source, name, happening.name, dict(happening.data), self.profile.id, None, happening.at)
            case Reacts():
                channel, _, kind = happening.to.partition(".")
                for told in self.told:
                    if (told.node, told.channel) == (happening.of, channel) and told.status != "excluded":
                        made = events.reaction(told.id, told.node, kind, profile=self.profile.id, link=happening.link)
                        return replace(made, accepted_at=happening.at)
        return None

    def _has_got_it(self, happening: Reacts) -> None:
        """A delivery of which nobody knew was sent: somebody has opened it (M1)."""
        for index, told in enumerate(self.told):
            if (told.node, told.channel, told.status) == (happening.of, happening.to.partition(".")[0], "uncertain"):
                self.told[index] = replace(told, status="sent", reason="")

    def _hear(self, index: int, event: Event) -> None:
        """Whoever waits decides at once; whoever is under way keeps it, or it has no effect (G6, G7)."""
        won = gate.hear(self.at_gate, event, self.fits) if self.at_gate is not None else None
        if won is not None:
            self._won(index, won)
            self._decided(won.outcome)
        elif self.end is None and (self.at_gate is None or event.is_reaction) and self._is_kept(event):
            self.kept[index] = event
            self._effect(index, event.accepted_at, f"{event.name} is kept", Effect("kept"))
        else:
            self.kept[index] = event
            self._drop(index, event.accepted_at)

    def _is_kept(self, event: Event) -> bool:
        return matching.is_kept(self.version, self.place, self.entrant, event)

    def _won(self, index: int, won: gate.Won) -> None:
        if not won.event.is_reaction:
            self.last_event = won.event
        self._effect(index, self.now, f"{won.event.name or won.event.id} decides {won.node}", Effect("decided", won.node))

    def _drop(self, index: int, at: Instant | None = None) -> None:
        event = self.kept.pop(index)
        code = self._why_not(event)
        self._effect(index, self.now if at is None else at, f"{event.name or event.id} has no effect: {code}", Effect(code))

    def _why_not(self, event: Event) -> str:
        if event.is_reaction:
            return "late"
        known = (*self.version.events.values(), *self.world.definitions)
        return "nobody_listening" if any(matching.definition_fits(definition, event) for definition in known) else "no_definition"

    def _effect(self, index: int, at: Instant, sentence: str, effect: Effect) -> None:
        self.effects[index] = effect
        self.timeline.append(Moment(at, sentence))

    # ---- the story ---------------------------------------------------------------------------------------------------------------

    def _say(self, sentence: str) -> None:
        self.timeline.append(Moment(self.now, sentence))

    def story(self) -> Story:
        happenings: Iterable[int] = range(len(self.script.happenings))
        return Story(
            entrant=self.entrant,
            path=tuple(self.path),
            deliveries=tuple(self.told),
            effects=tuple(self.effects.get(index, Effect("not_yet")) for index in happenings),
            timeline=tuple(self.timeline),
            end=self.end.reason if self.end is not None else "",
            end_node=self.end.node if self.end is not None else "",
            ended_at=self.ended_at,
            place=self.place,
            waiting=self.at_gate is not None,
            wakes_at=self._wakes_at() if self.at_gate is not None else None,
        )


def happening_name(happening: Happening) -> str:
    """What a happening is called in a sentence."""
    return f"{happening.to} of {happening.of}" if isinstance(happening, Reacts) else happening.name or happening.id or "an event"

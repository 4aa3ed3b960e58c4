"""What becomes of what a simulated person does: which event it is, whether it decides, is kept, or has no effect (G4 to G7, M1).

It knows no walk and no time of its own: simulate.py says where the person is, and leads them on by what is decided here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from journey import events, exit_criteria, gate, ids, keeping, matching
from journey.changes import Attributes
from journey.entrance import NEVER
from journey.events import Event, Instant
from journey.graph import EventNode
from journey.keeping import Kept
from journey.matching import About
from journey.rule_tree import Rule
from journey.rules import Scope
from journey.simulation import changes
from journey.simulation.entering import Entering, refused
from journey.simulation.feedback import Reach
from journey.simulation.past import Past
from journey.simulation.story import Changes, Effect, Happening, Moment, Occurs, Qualifies, Reacts, Told, World, happening_name
from journey.version import Version
from journey.walk import Place


@dataclass(frozen=True, slots=True)
class Leaves:
    """An event has met this exit criterion: wherever the person is, they must end."""

    criterion: str


@dataclass
class Hearing:
    """The ears of one person. `told` and `timeline` are shared with the walk; an index is that of a happening in the script.

    `entry` is the event that has let them in, if one did. `arrived` are deliveries that were reacted to, `proven` those of them that were
    uncertain before.
    """

    version: Version
    world: World
    entrant: str
    profile: str
    told: list[Told]
    timeline: list[Moment]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    entry: Event | None = None
    effects: dict[int, Effect] = field(default_factory=dict)
    last_event: Event | None = None
    arrived: set[str] = field(default_factory=set)
    proven: set[str] = field(default_factory=set)
    passed: dict[str, Instant] = field(default_factory=dict)
    reach: Reach = field(default_factory=Reach)
    entering: Entering = field(init=False)
    past: Past = field(init=False)
    _kept: dict[int, Kept] = field(default_factory=dict)
    _was_kept: set[int] = field(default_factory=set)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.entering, self.past = Entering(self.version), Past(self.version, self.world)
        self._listen()

    def _accepted(self, index: int, happening: Happening) -> Event | None:
        """The event that a happening is, accepted now; None for what cannot be, or is a repeat."""
        event = self._event(index, happening)
        if event is None:
            self._effect(index, happening.at, f"{happening_name(happening)} cannot be: nothing was sent", Effect("no_delivery"))
            return None
        if (event.source, event.id) in self._seen:
            self._effect(index, happening.at, f"{event.name} again: it has its effect already", Effect("duplicate"))
            return None
        self._seen.add((event.source, event.id))
        self.past.accepted.append(event)
        return event

    # ---- the entry -------------------------------------------------------------------------------------------------------------------

    def enters(self, index: int, happening: Happening, door: str | None = "") -> Event | None:
        """One happening to somebody outside: the event by which they enter, None when it lets them in not. `door` is why nobody may enter
        now, empty when people may; None where nobody looks at what would let them in."""
        event = self._accepted(index, happening)
        if event is None:
            return None
        lets_in = door is not None and self._fits_entry(event)
        if event.is_change and not lets_in:
            settled, entry = self._settle(event.accepted_at, door)
            self._written(index, happening, event, settled=settled)
            return entry
        if not lets_in:
            if door is None or not self._settles(index, event):
                self._drop(index, event, event.accepted_at)
            return None
        if door:
            self._effect(index, event.accepted_at, *refused(event, door))
            return None
        self.effects[index] = Effect("enters")
        return event

    def let_in(self, now: Instant, event: Event | None = None) -> None:
        """The person is inside from now on; `event` is what let them in, if one did."""
        self.entry = self.last_event = event
        self.entering.let_in(now)
        self.came_to(keeping.ENTRY, now)
        self._listen()

    def learn(self, attributes: Mapping[str, Any]) -> None:
        """The person has other attributes from now on, which rules over events may ask for."""
        self.attributes = attributes
        self._listen()

    def wrote(self, n: int, before: Attributes, place: Place, now: Instant, door: str | None, *, leaving: bool) -> Leaves | None:
        """Step n has written the profile of its own person, who is under way: what that moves is kept, or ends them. `door` as in
        `enters`."""
        if before == self.attributes:
            return None
        self._settle(now, door, outside=False)
        if leaving:
            return None
        event = self._moved(f"step.{n}", now, before)
        criterion = exit_criteria.met_by(self.version, event, self.about)
        if criterion:
            self.timeline.append(Moment(now, f"what was written ends them: {criterion}"))
            return Leaves(criterion)
        if (kept := self._keeps(place, event, waits=False)) is not None:
            self._kept[-n] = kept  # it stands in no script
        else:
            self.past.written.discard(event.accepted_at)
        return None

    def _listen(self) -> None:
        self.about = About(self.attributes, self.entry.data if self.entry is not None else {}, self._before)
        self.fits = matching.fits(self.version, self.entrant, self.about, self.attributes)

    def _fits_entry(self, event: Event) -> bool:
        node = self.version.journey.entry_node
        if event.is_change:
            return matching.lets_in(self.version, event)
        if not isinstance(node, EventNode):
            return False
        return matching.enters(self.version, self.version.events[node.event], event, self.attributes, self._before)

    # ---- what is heard ---------------------------------------------------------------------------------------------------------------

    def hear(
        self, index: int, happening: Happening, at: gate.Gate | None, place: Place, door: str | None = "", *, ended: bool,
        leaving: bool = False,
    ) -> gate.Won | Leaves | None:  # fmt: skip
        """One happening is accepted, at the gate where the person waits, if they wait. Whoever has `ended`, or is only `leaving`, hears
        nothing. What is returned has decided that gate, or ends the person. `door` as in `enters`.
        """
        event = self._accepted(index, happening)
        if event is None:
            return None
        settled = event.is_change and self._settle(event.accepted_at, door, outside=ended)[0]
        if isinstance(happening, Reacts):
            self._has_got_it(happening)
        hears = not ended and not leaving
        criterion = exit_criteria.met_by(self.version, event, self.about) if hears else ""
        if criterion:
            self._effect(index, happening.at, f"{event.name or event.id} ends them: {criterion}", Effect("exits"))
            return Leaves(criterion)
        won = gate.hear(at, event, self.fits) if at is not None and hears else None
        if won is not None:
            self._won(index, won, happening.at)
        elif hears and (kept := self._keeps(place, event, waits=at is not None)) is not None:
            self._kept[index] = kept
            self._was_kept.add(index)
            self._effect(index, event.accepted_at, f"{event.name} is kept", Effect("kept"))
        elif door is not None and self._fits_entry(event):
            self._effect(index, event.accepted_at, *self.entering.again(event, event.accepted_at, door, ended=ended))
        elif event.is_change:
            self._written(index, happening, event, settled=settled)
        elif door is None or not self._settles(index, event):
            self._drop(index, event, event.accepted_at)
        return won

    def arrive(self, at: gate.Gate, place: Place, now: Instant, n: int) -> gate.Won | None:
        """The clock of a gate starts; the earliest kept event that fits wins, the others may still be heard further on (G6). Where none
        does, a rule that is waited for may be true already."""
        won = keeping.arrive(self.version, at, self.entrant, self._kept.values(), self.about, self.passed)
        won = won or gate.already(at, events.came_true(self.entrant, n), matching.holds(self.attributes, self.about))
        for index, kept in list(self._kept.items()):
            if won is not None and won.event is kept.event:
                del self._kept[index]
                self._won(index, won, now)
            elif (stays := keeping.stays(self.version, place, self.entrant, kept, won, self.about, self.passed)) is not None:
                self._kept[index] = stays
            else:
                self._drop(index, kept.event, now)
        return won

    def came_to(self, node: str, now: Instant) -> None:
        """The person has come to a node, for the first and only time."""
        self.passed.setdefault(node, now)

    def finish(self, now: Instant) -> None:
        """The person has ended: what is still kept comes too late."""
        for index, kept in list(self._kept.items()):
            self._drop(index, kept.event, now)

    # ---- what it is, and what it comes to --------------------------------------------------------------------------------------------

    def _before(self, scope: Scope, rule: Rule, event: Event) -> Scope:
        return self.past.gathered(self.attributes, scope, [rule], event.accepted_at, earlier=1)

    def _event(self, index: int, happening: Happening) -> Event | None:
        """The event that it is; None for a reaction to something that was never on its way (G5)."""
        match happening:
            case Changes():
                return self._change(index, happening)
            case Qualifies():
                return changes.qualified(self.version, self.profile, str(index), happening.at)
            case Occurs():
                name = happening.id or f"{happening.name or 'event'}-{index + 1}"
                return Event(happening.source, name, happening.name, dict(happening.data), self.profile, None, happening.at)
            case Reacts():
                return self.reach.reaction(happening, self.told, self.profile, self.attributes)
        return None

    def _change(self, index: int, happening: Changes) -> Event:
        """The profile is written, and the write is an event."""
        before = self.attributes
        self.attributes = {name: value for name, value in {**before, **happening.attributes}.items() if value is not None}
        self._listen()
        return self._moved(str(index), happening.at, before)

    def _moved(self, name: str, at: Instant, before: Attributes) -> Event:
        """The write that has made of `before` what the attributes are now."""
        at = self.past.free(at)
        self.past.written.add(at)
        done = self.past.until(at - 1)
        return changes.written(self.version, self.world, self.profile, name, at, before, self.attributes, done)

    def _has_got_it(self, happening: Reacts) -> None:
        """A reaction proves that a delivery has arrived: one of which nobody knew was sent, as is one that is still on its way (M1)."""
        for index, told in enumerate(self.told):
            if (told.node, told.channel) == (happening.of, happening.to.partition(".")[0]):
                self.arrived.add(told.id)
                if told.status == "uncertain":
                    self.proven.add(told.id)
                    self.told[index] = replace(told, status="sent", reason="")

    def _keeps(self, place: Place, event: Event, *, waits: bool) -> Kept | None:
        return keeping.keeps(self.version, place, self.entrant, event, waits=waits, about=self.about, passed=self.passed)

    def _won(self, index: int, won: gate.Won, at: Instant) -> None:
        if won.event.source != ids.REACTIONS:
            self.last_event = won.event
        self._effect(index, at, f"{won.event.name or won.event.id} decides {won.node}", Effect("decided", won.node))

    def _drop(self, index: int, event: Event, at: Instant) -> None:
        self._kept.pop(index, None)
        code = self.past.why_not(event)
        self._effect(index, at, f"{event.name or event.id} has no effect: {code}", Effect(code))

    # ---- events that overtake what they are about ------------------------------------------------------------------------------------

    def _settles(self, index: int, event: Event) -> bool:
        if event.is_reaction or not self.entering.settles(index, event):
            return False
        self._was_kept.add(index)
        self._effect(index, event.accepted_at, f"{event.name} does not let them in yet, and is asked again", Effect("kept"))
        return True

    def _settle(self, now: Instant, door: str | None, *, outside: bool = True) -> tuple[bool, Event | None]:
        """The profile is written: is there anything that would let its person in now, and did not before? And what lets somebody in who
        never was."""
        entering: Event | None = None
        true_now = self.entering.came_true(now, self._fits_entry) if door is not None else []
        for index, event in true_now:
            if not door and entering is None and self.entering.before == NEVER:
                self._effect(index, now, f"{event.name} lets them in now", Effect("enters"))
                entering = event
            else:
                self._effect(index, now, *self.entering.again(event, now, door or "", ended=outside and entering is None))
        return bool(true_now), entering

    def _written(self, index: int, happening: Happening, event: Event, *, settled: bool) -> None:
        """The profile is written, and nothing hears it but what has waited for that: it is not on record."""
        self.past.written.discard(event.accepted_at)
        self._effect(index, happening.at, f"{happening_name(happening)} is written", Effect("settles" if settled else "no_effect"))

    def unsettled(self, by: Instant | None) -> None:
        """The end, or an instant by which what is not true in its time has no effect."""
        for index, event, until in self.entering.unsettled(by):
            self._effect(index, until, f"{event.name} has not let them in in its time", Effect("did_not_settle"))

    def _effect(self, index: int, at: Instant, sentence: str, effect: Effect) -> None:
        self.effects[index] = replace(effect, was_kept=True) if index in self._was_kept and effect.code != "kept" else effect
        self.timeline.append(Moment(at, sentence))

"""What a simulated person did before, for rules that look back, or ask for segments or the clock; and what is known of an event that nobody
hears. store/knowing.py looks it up for real."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from journey import local_time, matching, past
from journey.changes import Attributes
from journey.events import Event, Instant
from journey.rule_tree import Rule
from journey.rules import Scope
from journey.simulation.story import World
from journey.version import Version


@dataclass
class Past:
    """All events that were accepted, repeats left out. `written` are the instants of writes of the profile that came to something: at each
    stands one on record."""

    version: Version
    world: World
    accepted: list[Event] = field(default_factory=list)
    written: set[Instant] = field(default_factory=set)

    def free(self, at: Instant) -> Instant:
        """The instant of a write that happens then: the next one at which no other stands on record."""
        while at in self.written:
            at += 1
        return at

    def why_not(self, event: Event) -> str:
        """The code of an event that nobody heard."""
        if event.is_reaction:
            return "late"
        known = (*self.version.events.values(), *self.world.definitions)
        heard = event.is_change or any(matching.definition_fits(definition, event) for definition in known)
        return "nobody_listening" if heard else "no_definition"

    def until(self, at: Instant) -> list[Event]:
        """What was accepted by an instant."""
        return [event for event in self.accepted if event.accepted_at <= at]

    def gathered(self, attributes: Attributes, scope: Scope, asked: Iterable[Rule], at: Instant, *, earlier: Instant = 0) -> Scope:
        """The scope with what these rules need of the past, of segments and of the clock. `earlier` is how long before `at` what counts
        is over."""
        wanted = past.needs(asked)
        if wanted.nothing:
            return scope
        done = self.until(at - earlier)
        definitions = {definition.id: definition for definition in self.world.definitions}
        segments = past.Segments(self.world.segments, definitions, attributes, done, at - earlier)
        return past.known(
            scope, wanted, at, clock=lambda: local_time.reading(self.world.begins + at, self.version.journey.timezone), events=done,
            definitions=self.version.events, member=segments.has,
        )  # fmt: skip

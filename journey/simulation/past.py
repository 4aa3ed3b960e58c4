"""What a simulated person did before, for rules that look back, or ask for segments or the clock. store/knowing.py looks it up for real."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from journey import local_time, past
from journey.changes import Attributes
from journey.events import Event, Instant
from journey.rule_tree import Rule
from journey.rules import Scope
from journey.simulation.story import World
from journey.version import Version


@dataclass
class Past:
    """All events that were accepted, repeats left out."""

    version: Version
    world: World
    accepted: list[Event] = field(default_factory=list)

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

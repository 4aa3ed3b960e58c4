"""What of all that happens to a simulated person lets them in: at once, again, or later, when its filter has come true. It knows no walk
and no gate.

store/entering.py says who may enter for real, and store/settling.py which events are asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from journey import entrance, matching
from journey.entrance import NEVER, Before
from journey.events import Event, Instant
from journey.graph import EventNode
from journey.simulation.story import Effect
from journey.version import Version

Said = tuple[str, Effect]
"""A sentence for the timeline, and what became of the event."""


def refused(event: Event, code: str) -> Said:
    """It would let them in, and does not."""
    return f"{event.name or event.id} does not let them in: {code}", Effect(code)


@dataclass
class Entering:
    """The door of one journey, and one person before it. An index is that of a happening in the script.

    `before` is what is on record of their entrances.
    """

    version: Version
    before: Before = NEVER
    _settling: dict[int, tuple[Event, Instant]] = field(default_factory=dict)

    def let_in(self, now: Instant) -> None:
        """They are inside for the first time."""
        self.before = Before(1, now, inside=True)

    def again(self, event: Event, now: Instant, door: str, *, ended: bool) -> Said:
        """It would let them in, were they not inside. One who has ended may enter again: that is another story."""
        if door:
            return refused(event, door)
        refusal = entrance.may_enter(self.version.journey, replace(self.before, inside=not ended), now)
        if refusal is not None:
            return refused(event, refusal.code)
        self.before = Before(self.before.number + 1, now)
        return f"{event.name or event.id} lets them in again: that is another story", Effect("enters")

    # ---- what overtakes the write that it is about -----------------------------------------------------------------------------------

    def settles(self, index: int, event: Event) -> bool:
        """Ask again about this event, which has not let them in; False where the journey does not."""
        node = self.version.journey.entry_node
        if not isinstance(node, EventNode):
            return False
        until = matching.settles_until(self.version, self.version.events[node.event], event)
        if until is not None:
            self._settling[index] = (event, until)
        return until is not None

    def came_true(self, now: Instant, lets_in: Callable[[Event], bool]) -> list[tuple[int, Event]]:
        """What would let them in now, the earliest first; nobody asks about it again."""
        found = [(index, event) for index, (event, until) in self._settling.items() if until >= now and lets_in(event)]
        for index, _ in found:
            del self._settling[index]
        return sorted(found, key=lambda one: (one[1].accepted_at, one[1].source, one[1].id))

    def unsettled(self, by: Instant | None) -> list[tuple[int, Event, Instant]]:
        """What has not come true in its time, with the end of that, by an instant; by the end of all days without one."""
        return [(index, event, until) for index, (event, until) in self._settling.items() if by is None or until < by]
